"""`PictureMaker`: makes a picture that was asked for (`domain/variants.py`), once, and keeps it with its media."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

from smmu.domain.facts import ImageFacts
from smmu.domain.values import ObjectRef
from smmu.domain.variants import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOrder:
    """Which picture to make: the `variant` of what `owner` sent as `source`, in which `image` was found.

    `job_id` is the job that made the media: what whoever makes the picture is narrowed to, where it is narrowed.
    """

    owner: str
    media_id: str
    job_id: str
    source: ObjectRef
    image: ImageFacts
    variant: Variant


class PictureMaker(Protocol):
    """Makes pictures on request, from a confined child."""

    @abstractmethod
    async def make(self, order: PictureOrder) -> ObjectRef:
        """Make it, prove it and keep it under its key, which it has then; one that is there already stays as it is.

        Raises `Refused` for a file at fault (`rejected_…`), for a picture that is not what it should be
        (`proof_failed`), for a source that is gone (`source_expired`), and by the cause when its decoder died;
        `WorldError` when something could not be reached or has no room. Nothing is kept then.
        """
