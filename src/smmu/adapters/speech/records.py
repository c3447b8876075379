"""What a model says of itself: `model.json` beside its files, with where they came from and the checksum of each.

Whoever gets a model writes it last, and whoever copies one goes by it: what it does not list is no part of the model.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import StringConstraints, TypeAdapter, ValidationError

from smmu.adapters.speech.whisper import NEEDED
from smmu.ports.errors import Corrupt

RECORD = "model.json"
OPTIONAL = ("preprocessor_config.json", "vocabulary.json", "vocabulary.txt")
_GIT_CHARS = 40  # of a SHA-1 as Git gives it; one of SHA-256 has 64

Counting = Callable[[int, int], None]
"""Told how many bytes of how many there are."""

_Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
_Digest = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Where a model is from, and the digest of each of its files by name."""

    repository: str
    commit: _Commit
    files: Mapping[str, _Digest]


_RECORD = TypeAdapter(Record)


def record_in(written: bytes, where: str) -> Record:
    """The record that was written at `where`. Raises `Corrupt` for what is none, or none of a model."""
    try:
        record = _RECORD.validate_json(written)
    except ValidationError as error:
        raise Corrupt(f"{where} is no record of a model") from error
    named = set(record.files)
    if not set(NEEDED) <= named <= {*NEEDED, *OPTIONAL}:
        raise Corrupt(f"{where} lists other files than those of a model: {', '.join(sorted(named))}")
    return record


def written(record: Record) -> bytes:
    """The record as it is kept."""
    return _RECORD.dump_json(record, indent=2) + b"\n"


def hasher(digest: str, size: int) -> Any:  # noqa: ANN401 - hashlib's own type has no public name
    """A new hash of the digest's kind, for a file of this size. Git's is over a header and the bytes."""
    if len(digest) == _GIT_CHARS:
        return hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    return hashlib.sha256()
