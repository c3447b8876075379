"""The list of what exists: what is in no revision of a manifest does not exist.

A manifest is written whole, after every rendition's proof was verified, and committed by condition.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from smmu.domain.plan import Plan, Role

SCHEMA, FILE_NAME = "smmu.manifest/1", "manifest.json"


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
    """One output. `files[0]` is the one to open; the others belong to it (segments, initialisation).

    Of a sound or text that may be chosen, `title` is what a menu calls it, and `purpose` is a `facts.Purpose`.
    """

    name: str
    role: str
    files: tuple[RenderedFile, ...]
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    bitrate_bps: int | None = None
    codecs: str | None = None
    language: str | None = None
    title: str | None = None
    purpose: str | None = None
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
    """All renditions of a media at one revision, those that earlier ones made and those of this job's attempt.

    `source`, `plan`, `timings` and `cost` are plain JSON objects.
    """

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


def to_document(manifest: Manifest) -> dict[str, Any]:
    """The manifest as the plain JSON object that is stored as `manifest.json` and served."""
    return {
        "schema": manifest.schema,
        "revision": manifest.revision,
        "job_id": manifest.job_id,
        "media_id": manifest.media_id,
        "attempt": manifest.attempt,
        "source": dict(manifest.source),
        "classification": dict(manifest.classification),
        "plan": dict(manifest.plan),
        "renditions": [rendition_document(rendition) for rendition in manifest.renditions],
        "timings": dict(manifest.timings),
        "cost": dict(manifest.cost),
    }


def rendition_document(rendition: Rendition) -> dict[str, Any]:
    """One rendition as a plain JSON object.

    `size` and `sha256` are of the file at `path`, so that anyone can check it. What has several files lists them
    all in `files` and their bytes together in `size_total`. What is not known is left out, never `null`.
    """
    first = rendition.files[0]
    measured = {name: getattr(rendition, name) for name in _MEASURED}
    return {
        "name": rendition.name,
        "role": str(rendition.role),
        **_file_document(first),
        **{name: value for name, value in measured.items() if value is not None},
        "proof": _proof_document(rendition.proof),
        **(_several(rendition) if len(rendition.files) > 1 else {}),
    }


def files_of(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """All files of a rendition, as its document lists them."""
    files: Sequence[Mapping[str, Any]] = document.get("files", [document])
    return files


def rendition_of(document: Mapping[str, Any]) -> Rendition:
    """The rendition that `rendition_document` wrote."""
    proof = document["proof"]
    return Rendition(
        name=document["name"],
        role=document["role"],
        files=tuple(_file_of(file) for file in files_of(document)),
        proof=Proof(checks=tuple(Check(**check) for check in proof["checks"]), measures=proof["measures"]),
        **{name: document[name] for name in _MEASURED if name in document},
    )


def moved(rendition: Rendition, prefix: str) -> Rendition:
    """A rendition whose paths are relative to another folder, from which `prefix` leads to its own."""
    return replace(rendition, files=tuple(replace(file, path=prefix + file.path) for file in rendition.files))


def plan_document(plan: Plan) -> dict[str, Any]:
    """What a manifest tells of its plan: every decision with its reason, and who owed what."""
    tasks = [task for stage in plan.stages for task in stage.tasks]
    return {
        "decisions": [asdict(decision) for decision in plan.decisions],
        "tasks": [
            {"name": task.name, "kind": str(task.kind), "renditions": [spec.name for spec in task.renditions]}
            for task in tasks
        ],
    }


_MEASURED = ("width", "height", "duration_s", "bitrate_bps", "codecs", "language", "title", "purpose")


def _file_document(file: RenderedFile) -> dict[str, Any]:
    return {"path": file.path, "content_type": file.content_type, "size": file.size, "sha256": file.sha256}


def _file_of(document: Mapping[str, Any]) -> RenderedFile:
    names = ("path", "content_type", "size", "sha256")
    return RenderedFile(**{name: document[name] for name in names})


def _several(rendition: Rendition) -> dict[str, Any]:
    return {"size_total": rendition.size, "files": [_file_document(file) for file in rendition.files]}


def _proof_document(proof: Proof) -> dict[str, Any]:
    return {
        "ok": proof.ok,
        "checks": [asdict(check) for check in proof.checks],
        "measures": dict(proof.measures),
    }


def verify(renditions: Sequence[Rendition], plan: Plan) -> tuple[str, ...]:
    """Everything that keeps these renditions from being a manifest of `plan`, in sentences; empty when nothing does."""
    return (
        *_against_plan(renditions, plan),
        *(problem for rendition in renditions for problem in _in_itself(rendition)),
        *_claimed_twice(renditions),
    )


def _against_plan(renditions: Sequence[Rendition], plan: Plan) -> Iterator[str]:
    owed = {spec.name: spec.role for stage in plan.stages for task in stage.tasks for spec in task.renditions
            if spec.role is not Role.CHUNK}  # fmt: skip
    made = Counter(rendition.name for rendition in renditions)
    yield from (f"rendition {name} is missing" for name in owed if name not in made)
    yield from (f"rendition {name} is not in the plan" for name in made if name not in owed)
    yield from (f"rendition {name} is there {count} times" for name, count in made.items() if count > 1)
    for rendition in renditions:
        if rendition.role != owed.get(rendition.name, rendition.role):
            yield f"rendition {rendition.name} has the role {rendition.role}, not {owed[rendition.name]}"


def _in_itself(rendition: Rendition) -> Iterator[str]:
    name = rendition.name
    if not rendition.files:
        yield f"rendition {name} has no file"
    if not rendition.proof.checks:
        yield f"rendition {name} has no proof"
    for check in rendition.proof.failures:
        yield f"rendition {name} failed {check.name}: {check.measured} instead of {check.expected}"
    for file in rendition.files:
        if not is_safe_path(file.path):
            yield f"rendition {name} has an unsafe path {file.path!r}"
        if file.size < 1:
            yield f"rendition {name} has an empty file {file.path!r}"
        if not _SHA256.fullmatch(file.sha256):
            yield f"rendition {name} has no SHA-256 of {file.path!r}"


def _claimed_twice(renditions: Sequence[Rendition]) -> Iterator[str]:
    """Two renditions may list one file (a playlist lists its segments), but not two files of one path."""
    seen: dict[str, str] = {}
    for rendition in renditions:
        for file in rendition.files:
            if seen.setdefault(file.path, file.sha256) != file.sha256:
                yield f"two different files are called {file.path!r}"


_SHA256 = re.compile(r"[0-9a-f]{64}")
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_PATH_CHARS_MAX = 512


def is_safe_path(path: str) -> bool:
    """Whether `path` stays under the manifest's own folder, whatever reads it: plain names between single slashes."""
    return len(path) <= _PATH_CHARS_MAX and all(_SEGMENT.fullmatch(part) for part in path.split("/"))
