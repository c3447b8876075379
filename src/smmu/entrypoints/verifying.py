"""A folder's renditions, checked again from outside: that every file is as it was listed, and plays as it should.

Only the confined child opens them, as if a stranger had sent them. What is not in the manifest is not looked at.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, ValidationError

from smmu.adapters.media.engine import PyavEngine
from smmu.domain import verification
from smmu.domain.errors import Code, Refused, refuse
from smmu.domain.manifest import SCHEMA, is_safe_path
from smmu.domain.plan import Role
from smmu.domain.verification import Listed, PlayedTrack
from smmu.domain.webvtt import cues_in
from smmu.entrypoints.exporting import MANIFEST
from smmu.ports.errors import TaskDied
from smmu.ports.objects import Source

_TEXTS = frozenset({".m3u8", ".vtt", ".json"})


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    path: str
    size: int
    sha256: str


class _Proof(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    ok: bool
    measures: dict[str, float | int | str]


class _Rendition(_File):
    name: str
    role: str
    files: tuple[_File, ...] = ()
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    codecs: str | None = None
    proof: _Proof


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    renditions: tuple[_Rendition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One rendition, and what is wrong with it: "" when nothing is."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class JoinedFiles(Source):
    """Several files end to end, read by ranges: an initialisation section and its segments are one film."""

    paths: tuple[Path, ...]
    sizes: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return sum(self.sizes)

    @property
    def local_path(self) -> str | None:
        """None, unless it is one."""
        return str(self.paths[0]) if len(self.paths) == 1 else None

    async def read(self, start: int, length: int) -> bytes:
        """See `ports.objects`."""
        return await to_thread.run_sync(self._read, start, length)

    def _read(self, start: int, length: int) -> bytes:
        pieces = []
        for path, size in zip(self.paths, self.sizes, strict=True):
            if start < size and length > 0:
                with path.open("rb") as file:
                    file.seek(start)
                    piece = file.read(min(length, size - start))
                pieces.append(piece)
                length -= len(piece)
            start = max(0, start - size)
        return b"".join(pieces)


@dataclass(frozen=True, slots=True)
class Verifier:
    """Checks the renditions of one folder."""

    folder: Path
    engine: PyavEngine

    async def verdicts(self) -> AsyncIterator[Verdict]:
        """One for each rendition, in the manifest's order. Raises `Refused` where there is no manifest of ours."""
        listed = await to_thread.run_sync(read_manifest, self.folder)
        there = frozenset(path for one, _ in listed for path in one.files)
        first: PlayedTrack | None = None
        for one, proven in listed:
            tracks: list[PlayedTrack] = []
            message = "" if proven else "its own proof does not hold"
            message = message or await to_thread.run_sync(_files_complaint, self.folder, one)
            message = message or await self._content_complaint(one, there, tracks)
            if one.role == Role.HLS_VIDEO and tracks:
                first = first or tracks[0]
                message = message or verification.grid_complaint(one, tracks[0], first) or ""
            yield Verdict(name=one.name, message=message)

    async def _content_complaint(self, one: Listed, there: frozenset[str], tracks: list[PlayedTrack]) -> str:
        try:
            if verification.is_picture(one.role):
                return await self._picture_complaint(one)
            if one.role == Role.STORYBOARD:
                for path, (size, _) in one.files.items():
                    if path.endswith(".webp"):
                        await self.engine.inspect(JoinedFiles((self.folder / path,), (size,)))
            if verification.is_played(one.role):
                tracks += await self.engine.play(self._source(one))
                found = next(verification.complaints(one, tracks), "")
                return found or self._text_complaint(one, there)
            return self._text_complaint(one, there)
        except (Refused, TaskDied) as error:
            return f"it cannot be played: {error}"

    async def _picture_complaint(self, one: Listed) -> str:
        image = (await self.engine.inspect(self._source(one))).image
        if image is None:
            return "it is no picture"
        if (image.width, image.height) != (one.width, one.height):
            return f"it is {image.width} × {image.height} and not {one.width} × {one.height}"
        return ""

    def _source(self, one: Listed) -> Source:
        media = [path for path in one.files if PurePosixPath(path).suffix not in _TEXTS]
        paths = tuple(self.folder / path for path in media)
        return JoinedFiles(paths, tuple(one.files[path][0] for path in media))

    def _text_complaint(self, one: Listed, there: frozenset[str]) -> str:
        found = (complaint for path in one.files for complaint in self._of_text(PurePosixPath(path), there))
        return next(found, "")

    def _of_text(self, path: PurePosixPath, there: frozenset[str]) -> Iterator[str]:
        if path.suffix not in _TEXTS:
            return
        try:
            text = (self.folder / path).read_text(encoding="utf-8")
            if path.suffix == ".m3u8":
                folder = "" if str(path.parent) == "." else f"{path.parent}/"
                yield from verification.playlist_complaints(text, folder, there)
            elif path.suffix == ".vtt":
                cues_in(text)
            else:
                json.loads(text)
        except ValueError as error:
            yield f"{path} is not well formed: {error}"


def read_manifest(folder: Path) -> list[tuple[Listed, bool]]:
    """What the manifest of a folder lists, and whether each rendition is said to be proven."""
    if not folder.is_dir():
        raise refuse(Code.NOT_FOUND, f"There is no folder {folder}.")
    path = folder / MANIFEST
    if not path.is_file():
        raise refuse(Code.NOT_FOUND, f"{folder} has no {MANIFEST}: name a folder that smmu process made.")
    try:
        document: Any = json.loads(path.read_bytes())
        ours = isinstance(document, Mapping) and document.get("schema") == SCHEMA
        found = _Manifest.model_validate(document) if ours else None
    except (ValueError, ValidationError) as error:
        raise refuse(Code.INVALID_REQUEST, f"{path} cannot be read: it is not a manifest that smmu wrote.") from error
    if found is None or not all(is_safe_path(file.path) for one in found.renditions for file in _files(one)):
        raise refuse(Code.INVALID_REQUEST, f"{path} is not a manifest that this version of smmu wrote.")
    return [(_listed(one), one.proof.ok) for one in found.renditions]


def _files(one: _Rendition) -> tuple[_File, ...]:
    return one.files or (one,)


def _listed(one: _Rendition) -> Listed:
    return Listed(
        name=one.name,
        role=one.role,
        files={file.path: (file.size, file.sha256) for file in _files(one)},
        width=one.width,
        height=one.height,
        duration_s=one.duration_s,
        codecs=one.codecs,
        measures=one.proof.measures,
    )


def _files_complaint(folder: Path, one: Listed) -> str:
    return next(_wrong_files(folder, one), "")


def _wrong_files(folder: Path, one: Listed) -> Iterator[str]:
    for path, (size, sha256) in one.files.items():
        file = folder / path
        if not file.is_file():
            yield f"{path} is missing"
        elif file.stat().st_size != size:
            yield f"{path} has {file.stat().st_size} bytes and not {size}"
        elif _sha256(file) != sha256:
            yield f"{path} is not the file that was made: its SHA-256 differs"


def _sha256(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
