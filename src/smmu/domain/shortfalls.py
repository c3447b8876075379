"""What a job that has succeeded lacks although somebody wanted it: decisions of its plan that its owner should be told.

What a file cannot have, or nobody asked for, is none of them; an engine that was chosen and is not there is one.
"""

from collections.abc import Iterable

from smmu.domain import labels, plan_extra, plan_speech, policy
from smmu.domain.plan import Decision

_CHOICES = frozenset({plan_extra.NOT_MADE, plan_speech.ENGINE_MISSING, labels.NOT_CLASSIFIED, policy.NOT_JUDGED.choice})


def shortfalls(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """Those of the decisions that tell of something missing."""
    return tuple(one for one in decisions if one.choice in _CHOICES)


def in_words(one: Decision) -> str:
    """A decision in one line."""
    return f"{one.subject}: {one.choice} ({one.reason})"
