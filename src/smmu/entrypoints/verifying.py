"""A folder's renditions, checked again from outside: that every file is as it was listed, and plays as it should.

Only the confined child opens them, as if a stranger had sent them. What is not in the manifest is not looked at.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, ValidationError

from smmu.adapters.media.engine import PyavEngine
from smmu.domain import verification, verification_dash
from smmu.domain.errors import Code, Refused, refuse
from smmu.domain.manifest import FILE_NAME, SCHEMA, is_safe_path
from smmu.domain.peaks import peaks_complaint
from smmu.domain.plan import Role
from smmu.domain.verification import Listed, PlayedTrack, named_in, resolved
from smmu.ports.errors import TaskDied
from smmu.ports.objects import Source

_TEXTS = frozenset({".m3u8", ".mpd", ".vtt", ".json"})


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
        known = _Known(tuple(one for one, _ in listed))
        first: PlayedTrack | None = None
        for one, proven in listed:
            message = "" if proven else "its own proof does not hold"
            message = message or await to_thread.run_sync(_files_complaint, self.folder, one)
            message = message or await self._content_complaint(one, known)
            tracks = known.played.get(one.name, ())
            if one.role == Role.HLS_VIDEO and tracks:
                first = first or tracks[0]
                message = message or verification.grid_complaint(one, tracks[0], first) or ""
            yield Verdict(name=one.name, message=message)

    async def _content_complaint(self, one: Listed, known: "_Known") -> str:
        try:
            if verification.is_picture(one):
                return await self._picture_complaint(one)
            if one.role == Role.WAVEFORM:
                return await to_thread.run_sync(self._peaks_complaint, one)
            if one.role == Role.STORYBOARD:
                for path, (size, _) in one.files.items():
                    if path.endswith(".webp"):
                        await self.engine.inspect(JoinedFiles((self.folder / path,), (size,)))
            if verification.is_played(one.role):
                tracks = known.played[one.name] = await self.engine.play(self._source(one))
                found = next(verification.complaints(one, tracks), "")
                return found or self._text_complaint(one, known)
            return self._text_complaint(one, known)
        except (Refused, TaskDied) as error:
            return f"it cannot be played: {error}"

    async def _picture_complaint(self, one: Listed) -> str:
        image = (await self.engine.inspect(self._source(one))).image
        if image is None:
            return "it is no picture"
        if (image.width, image.height) != (one.width, one.height):
            return f"it is {image.width} × {image.height} and not {one.width} × {one.height}"
        return ""

    def _peaks_complaint(self, one: Listed) -> str:
        (path,) = one.files
        data = (self.folder / path).read_bytes()
        return peaks_complaint(data, binary=path.endswith(".dat"), pixels=int(one.measures.get("pixels", 0)))

    def _source(self, one: Listed) -> Source:
        media = [path for path in one.files if PurePosixPath(path).suffix not in _TEXTS]
        paths = tuple(self.folder / path for path in media)
        return JoinedFiles(paths, tuple(one.files[path][0] for path in media))

    def _text_complaint(self, one: Listed, known: "_Known") -> str:
        try:
            texts = {path: self._read(path) for path in one.files if PurePosixPath(path).suffix in _TEXTS}
            found = next((said for path, text in texts.items() for said in _of_text(one, path, text, known)), "")
        except ValueError as error:
            return f"it is not well formed: {error}"
        if one.role != Role.HLS or found:
            return found
        named = {resolved(_folder(path), name) for path, text in texts.items() for name in named_in(text)}
        return verification.offer_complaint(named, known.listed)

    def _read(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Known:
    """What is listed, and the tracks of what was played so far by rendition."""

    listed: tuple[Listed, ...]
    played: dict[str, Sequence[PlayedTrack]] = field(default_factory=dict)

    @property
    def there(self) -> frozenset[str]:
        """The path of every file that is listed."""
        return frozenset(path for one in self.listed for path in one.files)


def _of_text(one: Listed, path: str, text: str, known: _Known) -> Iterator[str]:
    """Everything that is wrong with one file of text. `ValueError` when it is not of its form."""
    suffix = PurePosixPath(path).suffix
    if suffix == ".m3u8":
        yield from verification.playlist_complaints(text, _folder(path), known.there)
        if verification.is_played(one.role):
            yield from filter(None, [verification.segments_complaint(text, _folder(path), one)])
    elif suffix == ".mpd":
        yield from verification_dash.complaints(text, path, known.listed, known.played)
    elif suffix == ".vtt":
        yield from filter(None, [verification.cues_complaint(text, one)])
    else:
        json.loads(text)


def _folder(path: str) -> str:
    return path[: path.rfind("/") + 1]


def read_manifest(folder: Path) -> list[tuple[Listed, bool]]:
    """What the manifest of a folder lists, and whether each rendition is said to be proven."""
    if not folder.is_dir():
        raise refuse(Code.NOT_FOUND, f"There is no folder {folder}.")
    path = folder / FILE_NAME
    if not path.is_file():
        raise refuse(Code.NOT_FOUND, f"{folder} has no {FILE_NAME}: name a folder that smmu process made.")
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
