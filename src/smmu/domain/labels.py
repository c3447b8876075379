"""What a classifier sees in a picture, which picture of a media it is shown, and what is kept of its answer. Pure.

A classifier is an opinion of somebody else's: what it says is kept with its confidence and with the model that said it,
and decides nothing here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from smmu.domain.limits import MIB
from smmu.domain.manifest import RenderedFile, Rendition
from smmu.domain.plan import Decision, Role

PICTURE_BYTES_MAX = 5 * MIB
NAME_CHARS_MAX = 100
LABELS_MAX = 50
CONFIDENCE_MIN = 0.5  # what is less likely than not is no label
_WIDTH_MAX = 1280  # a larger one shows a classifier no more
_SIDE_MIN = 80  # and a smaller one nothing
_SHOWN = (Role.IMAGE, Role.POSTER, Role.COVER)
_KEPT = ("labels", "moderation", "classifier")
_SUBJECT = "classifier"
NOT_CLASSIFIED = "not classified"
_SAID = frozenset({"labels", "moderation"})
_LINE = f"in one printable line of up to {NAME_CHARS_MAX} characters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label, in the classifier's own word, and how sure it is, from 0 to 1. `ValueError` for what is neither."""

    name: str
    confidence: float

    def __post_init__(self) -> None:
        """Refuse what could not be shown to an owner."""
        if not _is_line(self.name):
            raise ValueError(f"a label is named {_LINE}")
        if not (math.isfinite(self.confidence) and 0 <= self.confidence <= 1):
            raise ValueError("the confidence of a label is a number from 0 to 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen in a picture: its `labels`, and under `moderation` those that somebody may not want to show.

    Each is `None` where nobody has looked for that, and empty where nothing of the kind was seen. `models` names who
    said so: the model and its version, under "labels" and "moderation". `ValueError` for what is none of these: whoever
    says it is somebody else's code, and no type checker may have read it.
    """

    labels: tuple[Label, ...] | None = None
    moderation: tuple[Label, ...] | None = None
    models: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what could not be kept."""
        if self.labels is None and self.moderation is None:
            raise ValueError("a sight has labels, moderation or both: an empty tuple where nothing was seen")
        if not (_are_labels(self.labels) and _are_labels(self.moderation)):
            raise ValueError("what a sight has under labels and under moderation is a tuple of Label")
        if not _are_models(self.models):
            raise ValueError(f"the models of a sight are named under labels and moderation, {_LINE}")


def shown(renditions: Sequence[Rendition]) -> tuple[Rendition, RenderedFile] | None:
    """The rendition that a classifier is shown, and its file: the whole picture as a JPEG, as wide as is of use.

    `None` when there is none, as of a sound without a cover, or of a picture too small to be seen.
    """
    for role in _SHOWN:
        found = [one for one in renditions if one.role == role and _can_be_shown(one)]
        fit = [one for one in found if (one.width or 0) <= _WIDTH_MAX]
        if found:
            chosen = max(fit, key=_width) if fit else min(found, key=_width)
            return chosen, chosen.files[0]
    return None


def seen(sight: Sight, rendition: Rendition) -> Mapping[str, Any]:
    """What the classification of a media keeps of it. `rendition` is what was looked at."""
    found = {"labels": sight.labels, "moderation": sight.moderation}
    listed = {name: _listed(labels) for name, labels in found.items() if labels is not None}
    return {**listed, "classifier": {"picture": rendition.name, **sight.models}}


def seen_before(classification: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same, out of the classification of an earlier revision; empty when nobody has looked."""
    return {name: classification[name] for name in _KEPT if name in classification}


def looked_at(rendition: Rendition) -> Decision:
    """That the classifier has answered."""
    reason = f"what it sees in {rendition.name} is in the classification"
    return Decision(subject=_SUBJECT, choice="asked", reason=reason)


def not_looked_at(why: str) -> Decision:
    """That it has not, although there is one."""
    return Decision(subject=_SUBJECT, choice=NOT_CLASSIFIED, reason=why)


NO_ANSWER = "it did not answer; making the picture again asks it again"


def _is_line(text: object) -> bool:
    return isinstance(text, str) and text.strip() != "" and text.isprintable() and len(text) <= NAME_CHARS_MAX


def _are_labels(given: object) -> bool:
    return given is None or (isinstance(given, tuple) and all(isinstance(one, Label) for one in given))


def _are_models(given: object) -> bool:
    return isinstance(given, Mapping) and _SAID.issuperset(given) and all(map(_is_line, given.values()))


def _can_be_shown(rendition: Rendition) -> bool:
    file, sides = rendition.files[0], (rendition.width or 0, rendition.height or 0)
    return file.content_type == "image/jpeg" and file.size <= PICTURE_BYTES_MAX and min(sides) >= _SIDE_MIN


def _width(rendition: Rendition) -> int:
    return rendition.width or 0


def _listed(labels: Sequence[Label]) -> list[dict[str, Any]]:
    """The surest first."""
    sure = sorted((one for one in labels if one.confidence >= CONFIDENCE_MIN), key=lambda one: -one.confidence)
    return [{"name": one.name, "confidence": round(float(one.confidence), 3)} for one in sure[:LABELS_MAX]]
