"""What an engine's routine answers from the isolated child, decoded strictly: it has read hostile sound."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from smmu.domain.transcript import Span, Transcript, Word
from smmu.ports.errors import TaskDied

WORDS_MAX = 1_000_000  # a day of speech has a fifth of that


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    words: tuple[Word, ...]
    language: str


_ANSWER = TypeAdapter(_Answer)


def spans_of(voiced: Sequence[Span]) -> list[list[float]]:
    """The stretches to listen to, as an argument of a routine."""
    return [[span.start, span.end] for span in voiced]


def transcript_in(answer: Any, engine: str) -> Transcript:  # noqa: ANN401 - whatever the child said
    """The transcript that a routine answered; `TaskDied` for what is none."""
    try:
        found = _ANSWER.validate_python(answer)
    except ValidationError as error:
        raise TaskDied("the process that listened gave no valid answer", "crashed") from error
    if len(found.words) > WORDS_MAX:
        raise TaskDied("the process that listened heard more than can be said", "crashed")
    words = tuple(sorted(found.words, key=lambda word: (word.start, word.end)))
    return Transcript(words=words, language=found.language, engine=engine)
