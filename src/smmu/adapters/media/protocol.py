"""What parent and child say to each other: one JSON object per line, and bytes of the source on request.

The parent trusts nothing that comes back: it decodes facts and renditions with pydantic, in `sandbox.py`. The child
trusts the parent, so it rebuilds its task without pydantic, whose import would cost it a third of its start.
Numbers that JSON lacks are refused: every float is finite.
"""

import dataclasses
import json
import os
import threading
import time
from collections.abc import Mapping
from enum import Enum
from fractions import Fraction
from typing import Any, BinaryIO

from smmu.domain import plan
from smmu.domain.errors import Refused
from smmu.domain.kept import Kept, KeptTrack
from smmu.domain.limits import Limits
from smmu.domain.values import ObjectRef
from smmu.domain.watermark import Watermark

Message = dict[str, Any]

LENGTH_BYTES = 8
LINE_BYTES_MAX = 32 << 20  # the renditions of a day of video list some 70,000 segments

_SPECS: dict[str, type[Any]] = {
    "image": plan.ImageSpec,
    "loop": plan.LoopSpec,
    "rung": plan.RungSpec,
    "audio": plan.AudioSpec,
    "playlist": plan.PlaylistSpec,
    "dash": plan.DashSpec,
    "mp4": plan.Mp4Spec,
    "subtitles": plan.SubtitlesSpec,
    "chapters": plan.ChaptersSpec,
    "poster": plan.PosterSpec,
    "storyboard": plan.StoryboardSpec,
    "preview": plan.PreviewSpec,
    "waveform": plan.WaveformSpec,
    "captions": plan.CaptionsSpec,
    "chunk": plan.ChunkSpec,
}


def encode(message: Mapping[str, Any]) -> bytes:
    """One line. Dataclasses become objects, fractions text ("30000/1001"), enumerations their values."""
    return json.dumps(message, default=_plain, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def decode_limits(data: Mapping[str, Any]) -> Limits:
    """The limits that `encode` wrote."""
    return Limits(**data)


def decode_task(data: Mapping[str, Any]) -> plan.PlannedTask:
    """The task that `encode` wrote."""
    built = dict(data)
    built["renditions"] = tuple(_spec(item) for item in data["renditions"])
    built["transform"] = _build(plan.Transform, data["transform"])
    built["clip"] = _build(plan.Clip, data["clip"])
    if data["watermark"] is not None:
        built["watermark"] = Watermark(**{**data["watermark"], "image": ObjectRef(**data["watermark"]["image"])})
    if data["kept"] is not None:
        kept = data["kept"]
        tracks = tuple(_build(KeptTrack, track) for track in kept["tracks"])
        built["kept"] = Kept(**{**kept, "tracks": tracks, "order": tuple(kept["order"]), "heard": tuple(kept["heard"])})
    return _build(plan.PlannedTask, built)  # type: ignore[no-any-return]


def _spec(item: Mapping[str, Any]) -> plan.Spec:
    """One spec; what it has several of in itself as well."""
    made: plan.Spec = _build(_SPECS[item["type"]], item)
    if isinstance(made, plan.ChunkSpec):
        rungs = tuple(_build(plan.RungSpec, rung) for rung in item["rungs"])
        made = dataclasses.replace(made, rungs=rungs)
    return made


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # Not `asdict`: it copies every value deeply, which for thousands of segments is slow.
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"cannot be told to the parent: {type(value).__name__}")


def _build(cls: type[Any], data: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever `cls` is
    return cls(**{field.name: _revive(field.type, data[field.name]) for field in dataclasses.fields(cls)})


def _revive(wanted: object, value: object) -> object:
    if wanted in (Fraction, Fraction | None) and isinstance(value, str):
        return Fraction(value)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return wanted(value)
    return value


class Wire:
    """The child's end. Its methods may be called from any thread."""

    def __init__(self, receive: BinaryIO, send: int) -> None:
        self._receive = receive
        self._send = send
        self._sending = threading.Lock()
        self._asking = threading.Lock()
        self._next_note: dict[str, float] = {}

    def order(self) -> Message:
        """What the parent wants done: its first line."""
        message: Message = json.loads(self._receive.readline())
        return message

    def tell(self, message: Message) -> None:
        """Send one message; returns when the parent will see it even if this process dies next."""
        line = encode(message)
        with self._sending:
            view = memoryview(line)
            while view:
                view = view[os.write(self._send, view) :]

    def note(self, message: Message, every: float) -> None:
        """Send a message that is as good as the next one of its kind, so at most one in `every` seconds."""
        now = time.monotonic()
        if now >= self._next_note.get(message["says"], 0.0):
            self._next_note[message["says"]] = now + every
            self.tell(message)

    def fetch(self, start: int, length: int, of: str = "") -> bytes:
        """Bytes of the source, or of a piece, read by the parent. Shorter only at the end."""
        with self._asking:
            self.tell({"says": "read", "start": start, "length": length, "of": of})
            size = int.from_bytes(self._exactly(LENGTH_BYTES))
            return self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        data = self._receive.read(size)
        if len(data) != size:
            raise EOFError("the parent is gone")
        return data


def refusal(error: Refused) -> Message:
    """A decision against the file, as a message."""
    reasons = [[reason.code.value, reason.message, reason.pointer] for reason in error.reasons]
    return {"says": "refused", "reasons": reasons}
