"""Asks the deployment's policy of a file that inspection admits, and knows what no answer means."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from smmu.application.causes import tried_again
from smmu.application.documents import adapter
from smmu.domain.classification import classify
from smmu.domain.errors import refuse_if
from smmu.domain.facts import MediaFacts
from smmu.domain.job import Job
from smmu.domain.media import Media
from smmu.domain.plan import Decision
from smmu.domain.policy import ACCEPTED, NOT_JUDGED, Unanswered, rejections
from smmu.domain.task import TryFailure
from smmu.ports.errors import WorldError
from smmu.ports.policy import Policy, Question
from smmu.ports.system import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What stands between inspection and processing where a deployment has a policy."""

    policy: Policy
    telemetry: Telemetry

    async def judge(self, question: Question, failures: Sequence[TryFailure]) -> Decision:
        """What the plan says of it. Raises `Refused` when the file is rejected.

        `failures` are the tries that the task has had. While it will be tried again a policy that does not answer fails
        the try; whether the last one fails as well, the policy says.
        """
        try:
            verdict = await self.policy.judge(question)
        except WorldError as error:
            self.telemetry.event("policy_unanswered", error=str(error))
            if self.policy.unanswered is Unanswered.CLOSED or tried_again(failures, error):
                raise
            return NOT_JUDGED
        self.telemetry.event("policy_answered", accepted=verdict.accepted, rejected=int(not verdict.accepted))
        refuse_if(rejections(verdict))
        return ACCEPTED


def question_of(job: Job, media: Media, facts: MediaFacts) -> Question:
    """What a policy is told of a file."""
    told: dict[str, Any] = adapter(MediaFacts).dump_python(facts, mode="json")
    return Question(
        owner=job.owner,
        media_id=media.id,
        job_id=job.id,
        attempt=job.attempt,
        filename=media.filename,
        content_type=media.content_type,
        size=media.source.size,
        metadata=dict(media.metadata),
        facts=told,
        classification=dict(classify(facts)),
    )
