"""`PretendEngine`: facts and renditions as pure functions of the bytes, in virtual time. It decodes nothing.

`pretend_file` writes files that sniff as what they pretend to be and tell the engine what to find. Any other bytes are
a clip whose length follows from their digest; bytes that begin with `REJECT:` are no media.
"""

import hashlib
import json
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import anyio

from smmu.domain.errors import Code, refuse
from smmu.domain.facts import AudioTrack, ImageFacts, Kind, MediaFacts, VideoTrack
from smmu.domain.manifest import Check, Proof, RenderedFile, Rendition
from smmu.domain.plan import (
    AudioSpec,
    ChaptersSpec,
    ChunkSpec,
    DashSpec,
    ImageSpec,
    LoopSpec,
    Mp4Spec,
    PlannedTask,
    PlaylistSpec,
    PosterSpec,
    PreviewSpec,
    RungSpec,
    Spec,
    StoryboardSpec,
    SubtitlesSpec,
    TaskKind,
    WaveformSpec,
)
from smmu.domain.tags import Tags
from smmu.domain.transcript import Span
from smmu.domain.watermark import PIECE
from smmu.ports.errors import TaskDied
from smmu.ports.media import NO_PIECES, MediaEngine, Pieces, Progress, Sink
from smmu.ports.objects import Source
from smmu.ports.sound import Sound

MARK, REJECT = b"SMMU-PRETEND ", b"REJECT:"
_HEAD_BYTES = 4096
_STEPS = 4
_SECONDS_MIN, _SECONDS_SPAN = 2, 60  # of a clip that says nothing of itself

_MAGIC: Mapping[Kind, bytes] = MappingProxyType(
    {
        Kind.VIDEO: b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42",
        Kind.IMAGE: b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR",
        Kind.AUDIO: b"RIFF\xff\xff\xff\x7fWAVEfmt ",
    }
)
_TYPES: Mapping[Kind, tuple[str, str]] = MappingProxyType(
    {Kind.VIDEO: ("mp4", "video/mp4"), Kind.IMAGE: ("png", "image/png"), Kind.AUDIO: ("wav", "audio/wav")}
)
_FILES: Mapping[type[Spec], tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        ChunkSpec: (("chunk.json", "application/json"), ("{name}.mp4", "video/mp4")),
        RungSpec: (
            ("{name}/index.m3u8", "application/vnd.apple.mpegurl"),
            ("{name}/init.mp4", "video/mp4"),
            ("{name}/segment-0.m4s", "video/iso.segment"),
        ),
        PlaylistSpec: (("{name}.m3u8", "application/vnd.apple.mpegurl"),),
        DashSpec: (("{name}.mpd", "application/dash+xml"),),
        LoopSpec: (("{name}.mp4", "video/mp4"),),
        Mp4Spec: (("{name}.mp4", "video/mp4"),),
        PosterSpec: (("{name}.jpg", "image/jpeg"),),
        SubtitlesSpec: (("{name}.vtt", "text/vtt"),),
        ChaptersSpec: (("{name}.vtt", "text/vtt"),),
        StoryboardSpec: (("{name}.vtt", "text/vtt"), ("{name}-1.webp", "image/webp")),
        PreviewSpec: (("{name}.mp4", "video/mp4"),),
    }
)

# What the playlists that players open begin with: texts are put into them.
_OPENED: Mapping[type[Spec], str] = MappingProxyType(
    {
        PlaylistSpec: "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nindex.m3u8\n# ",
        DashSpec: "<MPD>\n  <Period>\n  </Period>\n</MPD> ",
    }
)
_SOUNDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"aac": ("m4a", "audio/mp4"), "opus": ("opus", "audio/ogg"), "mp3": ("mp3", "audio/mpeg")}
)
_WAVEFORMS: Mapping[str, str] = MappingProxyType(
    {"json": "application/json", "dat": "application/octet-stream", "png": "image/png"}
)


def pretend_file(kind: Kind = Kind.VIDEO, *, size: int | None = None, **told: float | str | bool) -> bytes:
    """A file for the pretend engine, padded to `size`.

    `told` may hold duration_s, width, height, audio (of a video), title, latitude and longitude (what its notes say),
    refuse (a `rejected_…` code), and the causes dies and dies_rendering (one of `ports.errors.DEATHS`).
    """
    line = MARK + json.dumps({"kind": kind, **told}).encode() + b"\n"
    return (_MAGIC[kind] + line).ljust(size or 0, b"\x00")


@dataclass(frozen=True, slots=True)
class PretendEngine(MediaEngine):
    """`speed`: how many seconds of sound or pictures one second of waiting makes of; `None`: no waiting at all."""

    speed: float | None = 10.0
    inspect_seconds: float = 0.0

    async def inspect(self, source: Source) -> MediaFacts:
        """What the bytes say of themselves."""
        head = await source.read(0, _HEAD_BYTES)
        await anyio.sleep(self.inspect_seconds)
        return _facts(_told(head), source.size)

    @property
    def makes(self) -> str:
        """Nothing but source and task decides."""
        return "pretended"

    async def render(
        self, source: Source, task: PlannedTask, sink: Sink, progress: Progress, pieces: Pieces = NO_PIECES
    ) -> tuple[Rendition, ...]:
        """Files made of digests, each with one honest proof: that it was made of these bytes. Joining takes no time."""
        head = await source.read(0, _HEAD_BYTES)
        told = _told(head)
        opened = {name: await pieces.open(name) for name in pieces.sizes}
        if (task.watermark is not None) is not (PIECE in opened):
            raise ValueError(f"{task.name} has another watermark than it was planned with")
        joined = [name for name in opened if name != PIECE]
        await self._work(0.0 if joined else _seconds(task, _facts(told, source.size)), progress)
        if cause := told.get("dies_rendering"):
            raise TaskDied("the pretend renderer died, as it was told to", cause)
        digest = hashlib.sha256(head + str(source.size).encode()).hexdigest()
        made = [_rendition(spec, digest, task, len(joined)) for spec in task.renditions]
        for _, files in made:
            for file, body in files:
                await sink.put(file.path, body, file.content_type)
        await progress(1.0)
        return tuple(rendition for rendition, _ in made)

    @asynccontextmanager
    async def listen(self, source: Source, task: PlannedTask, progress: Progress) -> AsyncGenerator[Sound]:
        """The bytes of the file as if they were samples; somebody speaks in all of it."""
        if task.kind is not TaskKind.TRANSCRIBE:
            raise ValueError(f"{task.name} is not about speech")
        told = _told(await source.read(0, _HEAD_BYTES))
        seconds = _facts(told, source.size).duration_s or 0.0
        await self._work(seconds, progress)
        if cause := told.get("dies_rendering"):
            raise TaskDied("the pretend decoder died, as it was told to", cause)
        await progress(1.0)
        voiced = (Span(start=0.0, end=seconds),) if seconds else ()
        yield Sound(samples=source, seconds=seconds, voiced=voiced, measures={})

    async def _work(self, duration_s: float, progress: Progress) -> None:
        for step in range(_STEPS):
            await progress(step / _STEPS)
            await anyio.sleep(duration_s / self.speed / _STEPS if self.speed else 0)


def _told(head: bytes) -> Mapping[str, Any]:
    if head.startswith(REJECT):
        return {"refuse": Code.REJECTED_NOT_MEDIA}
    _, mark, line = head.partition(MARK)
    if mark:
        told: Mapping[str, Any] = json.loads(line.partition(b"\n")[0])
        return told
    return {"duration_s": _SECONDS_MIN + hashlib.sha256(head).digest()[0] % _SECONDS_SPAN}


def _facts(told: Mapping[str, Any], size: int) -> MediaFacts:
    if code := told.get("refuse"):
        raise refuse(Code(code), "The file says of itself that it is no good.")
    if cause := told.get("dies"):
        raise TaskDied("the pretend decoder died, as it was told to", cause)
    kind = Kind(told.get("kind", Kind.VIDEO))
    duration_s = None if kind is Kind.IMAGE else float(told.get("duration_s", 10.0))
    width, height = int(told.get("width", 1280)), int(told.get("height", 720))
    container, content_type = _TYPES[kind]
    sounds = kind is Kind.AUDIO or (kind is Kind.VIDEO and told.get("audio", True))
    return MediaFacts(
        kind=kind,
        container=container,
        content_type=content_type,
        size_bytes=size,
        duration_s=duration_s,
        image=ImageFacts(width=width, height=height) if kind is Kind.IMAGE else None,
        video=_video(width, height, duration_s) if kind is Kind.VIDEO else None,
        audio=(_sound(duration_s, 1 if kind is Kind.VIDEO else 0),) if sounds else (),
        bytes_read=min(size, _HEAD_BYTES),
        tags=_tags(told),
    )


def _tags(told: Mapping[str, Any]) -> Tags | None:
    notes = {name: told[name] for name in ("title", "latitude", "longitude") if name in told}
    return Tags(**notes) if notes else None


def _video(width: int, height: int, duration_s: float | None) -> VideoTrack:
    return VideoTrack(index=0, codec="h264", width=width, height=height, duration_s=duration_s)


def _sound(duration_s: float | None, index: int) -> AudioTrack:
    return AudioTrack(index=index, codec="aac", channels=2, sample_rate=48_000, duration_s=duration_s)


_Made = Sequence[tuple[RenderedFile, bytes]]


def _seconds(task: PlannedTask, facts: MediaFacts) -> float:
    """How long what is made of it lasts: of a chunk, the chunk."""
    whole = facts.duration_s or 0.0
    return sum(float((spec.end or Fraction(whole)) - spec.start) for spec in task.renditions
               if isinstance(spec, ChunkSpec)) or whole  # fmt: skip


def _rendition(spec: Spec, digest: str, task: PlannedTask, pieces: int) -> tuple[Rendition, _Made]:
    files = list(_files(spec, digest))
    proof = Proof(
        checks=(Check(name="source", ok=True, expected=digest, measured=digest),),
        measures={
            "files": len(files),
            **({"pieces": pieces} if pieces else {}),
            **({"watermark": task.watermark.sha256} if task.watermark else {}),
        },
    )
    rendition = Rendition(
        name=spec.name,
        role=spec.role,
        files=tuple(file for file, _ in files),
        width=getattr(spec, "width", None),
        height=getattr(spec, "height", None),
        duration_s=task.duration_s,
        proof=proof,
    )
    return rendition, files


def _files(spec: Spec, digest: str) -> Iterator[tuple[RenderedFile, bytes]]:
    for template, content_type in _names(spec):
        path = template.format(name=spec.name)
        body = _OPENED.get(type(spec), "").encode() + f"{spec.type} {path} of {digest}\n".encode()
        sha256 = hashlib.sha256(body).hexdigest()
        yield RenderedFile(path=path, size=len(body), sha256=sha256, content_type=content_type), body


def _names(spec: Spec) -> tuple[tuple[str, str], ...]:
    if isinstance(spec, ImageSpec):
        return ((f"{{name}}.{spec.format}", f"image/{spec.format}"),)
    if isinstance(spec, AudioSpec):
        suffix, content_type = _SOUNDS[spec.codec]
        return ((f"{{name}}.{suffix}", content_type),)
    if isinstance(spec, WaveformSpec):
        return ((f"{{name}}.{spec.format}", _WAVEFORMS[spec.format]),)
    return _FILES[type(spec)]
