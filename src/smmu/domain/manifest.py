"""The list of what exists: what is in no revision of a manifest does not exist.

A manifest is written whole, after every rendition's proof was verified, and committed by condition.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SCHEMA = "smmu.manifest/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was measured on a rendition and compared with what the plan owes."""

    name: str
    ok: bool
    expected: str
    measured: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Why a rendition may be called ready. `measures` carries numbers worth keeping (loudness, bitrate, frames)."""

    checks: tuple[Check, ...]
    measures: Mapping[str, float | int | str]

    @property
    def ok(self) -> bool:
        """Whether there is at least one check and all of them hold."""
        return bool(self.checks) and all(check.ok for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that do not hold."""
        return tuple(check for check in self.checks if not check.ok)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedFile:
    """One stored file of a rendition; `path` is relative to the manifest, with forward slashes."""

    path: str
    size: int
    sha256: str
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """One output. `files[0]` is the one to open; the others belong to it (segments, initialisation)."""

    name: str
    role: str
    files: tuple[RenderedFile, ...]
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    bitrate_bps: int | None = None
    codecs: str | None = None
    proof: Proof

    @property
    def path(self) -> str:
        """Path of the file to open, relative to the manifest."""
        return self.files[0].path

    @property
    def size(self) -> int:
        """Bytes of all its files together."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All renditions of one job's attempt. `source`, `plan`, `timings` and `cost` are plain JSON objects."""

    schema: str = SCHEMA
    revision: int
    job_id: str
    media_id: str
    attempt: int
    source: Mapping[str, Any]
    classification: Mapping[str, Any]
    plan: Mapping[str, Any]
    renditions: tuple[Rendition, ...]
    timings: Mapping[str, float]
    cost: Mapping[str, float]
