"""`Policy`: a deployment's own judgement of what it processes."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from smmu.domain.policy import Unanswered, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a policy is told of a file: what was measured, what was declared, and whose it is. Never its bytes.

    All of it can be written as JSON. `content_type` and `metadata` are as they were declared; `facts` and
    `classification` are as the media will have them, but for what only rendering can tell.
    """

    owner: str
    media_id: str
    job_id: str
    attempt: int
    filename: str
    content_type: str
    size: int
    metadata: Mapping[str, str]
    facts: Mapping[str, Any]
    classification: Mapping[str, Any]


class Policy(Protocol):
    """Judges files after inspection, and before anything is made of them."""

    @property
    @abstractmethod
    def unanswered(self) -> Unanswered:
        """What becomes of a file that it does not judge."""

    @abstractmethod
    async def judge(self, question: Question) -> Verdict:
        """Accept the file or reject it. The same question may be asked more than once.

        An answer that does not come in time raises `Unavailable`, one that is none a `WorldError` that is not
        retryable. Nothing else is raised, whatever the deployment's own code does.
        """
