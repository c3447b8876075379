"""Shows the deployment's classifier a picture that a job has made, and says in the plan what came of it.

It is asked before publishing, and may not keep anything from being published: what fails is tried again for a moment
where that may help, and left out then. It is only ever shown what we have made, and never a byte that an owner sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from smmu.application.causes import cause_of, tried_again
from smmu.application.documents import RenderDocument
from smmu.domain.errors import Code
from smmu.domain.labels import NO_ANSWER, Sight, looked_at, not_looked_at, seen, shown
from smmu.domain.manifest import RenderedFile, moved
from smmu.domain.plan import Decision
from smmu.domain.task import TryFailure
from smmu.ports.classify import Classifier
from smmu.ports.errors import NotFound, Unavailable, WorldError
from smmu.ports.objects import ObjectStore
from smmu.ports.system import Telemetry

_TRIES_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What the plan says of it, and what the classification has of it."""

    decision: Decision
    found: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelling:
    """What stands between rendering and publishing where a deployment has a classifier. `seconds` bound one answer."""

    classifier: Classifier
    objects: ObjectStore
    telemetry: Telemetry
    seconds: float

    async def look(self, prefix: str, made: Sequence[RenderDocument], failures: Sequence[TryFailure]) -> Looked | None:
        """Ask about the picture that stands for all that was `made` under `prefix`; `None` when none is among it.

        `failures` are the tries that the task has had. A failure that may pass is raised, so that the task is tried
        again, up to the third time.
        """
        picture = shown([moved(one, part.prefix) for part in made for one in part.renditions])
        if picture is None:
            return None
        rendition, file = picture
        try:
            sight = await self._sight(prefix, file)
        except WorldError as error:
            if _waits(failures, error):
                raise
            self.telemetry.event("classifier_unanswered", error=str(error))
            return Looked(decision=not_looked_at(NO_ANSWER), found={})
        labels, moderated = len(sight.labels or ()), int(bool(sight.moderation))
        self.telemetry.event("classifier_answered", labels=labels, moderated=moderated)
        return Looked(decision=looked_at(rendition), found=seen(sight, rendition))

    async def _sight(self, prefix: str, file: RenderedFile) -> Sight:
        found = await self.objects.find(prefix + file.path)
        if found is None:
            raise NotFound(f"{prefix}{file.path} is not in storage")
        jpeg = await found.source.read(0, file.size)
        with anyio.move_on_after(self.seconds):
            return await self.classifier.look(jpeg)
        raise Unavailable(f"the classifier has not answered in {self.seconds:g} s")


def _waits(failures: Sequence[TryFailure], error: WorldError) -> bool:
    """Whether the answer is worth another try: publishing has several, and a classifier may not use them up."""
    cause = cause_of(error)
    if cause is not Code.WORLD_UNAVAILABLE or sum(one.error == cause for one in failures) >= _TRIES_MAX - 1:
        return False
    return tried_again(failures, error)
