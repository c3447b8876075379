"""What an owner may ask for with a file, as options of a command: the vocabulary of the API's `options`, no other.

What each word may be is `domain/options.py`'s to say. Here is how it is written on a command line, for every command
that takes it, and which option a complaint is about.
"""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from smmu.domain.errors import Refused
from smmu.domain.options import AUDIO_FORMATS, CHANGEABLE, IMAGE_FORMATS, PRESETS, RUNGS, VIDEO_CODECS, parse_options
from smmu.domain.watermark import MARGIN, OPACITY, POSITION, POSITIONS, SIZE
from smmu.entrypoints.cli.boundary import USAGE, Stop

Wishes = Mapping[str, object]

_CLIP = "A clip is START:END in seconds, such as 5:65, 5: or :65."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """One option of the command line, the fields of `options` that it fills, and how its text becomes them."""

    flag: str
    metavar: str = ""
    help: str
    fields: tuple[str, ...]
    read: Callable[[Any], Wishes]

    @property
    def name(self) -> str:
        """What a command's argument is called."""
        return self.flag.removeprefix("--").replace("-", "_")

    @property
    def is_changeable(self) -> bool:
        """Whether it may be said of what is there already; else it is settled with the upload."""
        return all(field.partition("/")[0] in CHANGEABLE for field in self.fields)

    def parameter(self, *, hidden: bool) -> inspect.Parameter:
        """The argument, as typer reads it. One that is `hidden` is taken, and not in the command's help."""
        more: dict[str, Any] = {"metavar": self.metavar} if self.metavar else {}
        told = typer.Option(self.flag, help=self.help, hidden=hidden, **more)
        kind, default = (Annotated[str | None, told], None) if self.metavar else (Annotated[bool, told], False)
        return inspect.Parameter(self.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def wishing(command: Callable[..., None]) -> Callable[..., None]:
    """A command that takes every wish as an option, and gets them as `wishes`, which hold; else it is bad usage."""
    return _taking(command, [wish.parameter(hidden=False) for wish in _WISHES])


def wishing_more(command: Callable[..., None]) -> Callable[..., None]:
    """The same for a command that adds to what is there: what cannot be added is in no help, and told of if it is said.

    The server says so, which knows what is settled.
    """
    return _taking(command, [wish.parameter(hidden=not wish.is_changeable) for wish in _WISHES])


def _taking(command: Callable[..., None], options: Sequence[inspect.Parameter]) -> Callable[..., None]:
    own = inspect.signature(command)
    kept = [parameter for parameter in own.parameters.values() if parameter.name != "wishes"]
    parameters = [*kept, *options]

    @functools.wraps(command)
    def asked(**given: Any) -> None:  # noqa: ANN401 - whatever the command takes
        texts = {wish.flag: given.pop(wish.name) for wish in _WISHES}
        command(**given, wishes=_wishes(texts))

    asked.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    asked.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return asked


def flags_of(wishes: Wishes) -> str:
    """The options that said these wishes."""
    return ", ".join(wish.flag for wish in _WISHES if not wishes.keys().isdisjoint(wish.fields))


def _wishes(texts: Mapping[str, Any]) -> Wishes:
    given: dict[str, object] = {}
    for wish in _WISHES:
        if texts[wish.flag] not in (None, False):
            given = _joined(given, wish.read(texts[wish.flag]))
    try:
        parse_options(given, pointer="")
    except Refused as refusal:
        raise Stop(
            USAGE, " ".join(f"{_flag(reason.pointer)}: {reason.message}" for reason in refusal.reasons)
        ) from None
    return given


def _joined(given: Wishes, more: Wishes) -> dict[str, object]:
    """Both; of an object that several options fill, the fields of both."""
    joined = dict(given)
    for name, value in more.items():
        before = joined.get(name)
        joined[name] = {**before, **value} if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return joined


def _flag(pointer: str) -> str:
    return next(wish.flag for wish in _WISHES if pointer.removeprefix("/") in wish.fields)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _numbers(text: str) -> list[object]:
    return [int(name) if name.isdecimal() and name.isascii() else name for name in _names(text)]


def _clip(text: str) -> Wishes:
    start, colon, end = text.partition(":")
    try:
        ends = {"clip_start_s": float(start or 0), **({"clip_end_s": float(end)} if end else {})}
    except ValueError:
        raise Stop(USAGE, f"--clip: {_CLIP}") from None
    if not colon or not (start or end):
        raise Stop(USAGE, f"--clip: {_CLIP}")
    return ends


def _share(text: str) -> object:
    """A number, where it is one; what else it may be is told of as it was said."""
    try:
        return float(text)
    except ValueError:
        return text


def _of_watermark(name: str, metavar: str, told: str, read: Callable[[str], object] = _share) -> _Wish:
    return _Wish(
        flag=f"--watermark-{name}",
        metavar=metavar,
        help=told,
        fields=(f"watermark/{name}",),
        read=lambda text: {"watermark": {name: read(text)}},
    )


_WISHES = (
    _Wish(
        flag="--preset",
        metavar="NAME",
        help=f"How much is made: {', '.join(PRESETS)}.",
        fields=("preset",),
        read=lambda text: {"preset": text},
    ),
    _Wish(
        flag="--rungs",
        metavar="N,N",
        help=f"Which sizes of a video: {', '.join(map(str, RUNGS))}. [default: all that fit]",
        fields=("rungs",),
        read=lambda text: {"rungs": _numbers(text)},
    ),
    _Wish(
        flag="--codecs",
        metavar="NAME,NAME",
        help=f"What a video is coded in: {', '.join(VIDEO_CODECS)}; h264 always.",
        fields=("codecs",),
        read=lambda text: {"codecs": _names(text)},
    ),
    _Wish(
        flag="--clip",
        metavar="START:END",
        help="The part to use, in seconds: 5:65, 5: or :65.",
        fields=("clip_start_s", "clip_end_s"),
        read=_clip,
    ),
    _Wish(flag="--mute", help="A video without its sound.", fields=("mute",), read=lambda given: {"mute": given}),
    _Wish(
        flag="--audio-formats",
        metavar="NAME,NAME",
        help=f"What a sound is made as: {', '.join(AUDIO_FORMATS)}; aac always.",
        fields=("audio_formats",),
        read=lambda text: {"audio_formats": _names(text)},
    ),
    _Wish(
        flag="--image-formats",
        metavar="NAME,NAME",
        help=f"What pictures are made as: {', '.join(IMAGE_FORMATS)}; webp and jpeg always.",
        fields=("image_formats",),
        read=lambda text: {"image_formats": _names(text)},
    ),
    _Wish(
        flag="--image-widths",
        metavar="N,N",
        help="How wide pictures are made, in pixels.",
        fields=("image_widths",),
        read=lambda text: {"image_widths": _numbers(text)},
    ),
    _Wish(
        flag="--read-metadata",
        help="Keep with the record what the file says of its making: camera, time, place, words; title, artist, album.",
        fields=("read_metadata",),
        read=lambda given: {"read_metadata": given},
    ),
    _Wish(
        flag="--watermark",
        metavar="IMAGE",
        help="A picture to lay over a video: a file for smmu process, for smmu upload the id of a media.",
        fields=("watermark", "watermark/image"),
        read=lambda text: {"watermark": {"image": text}},
    ),
    _of_watermark("position", "PLACE", f"Where: {', '.join(POSITIONS)}. [default: {POSITION}]", str),
    _of_watermark("size", "SHARE", f"Its longer side, as a share of the frame's short one. [default: {SIZE:g}]"),
    _of_watermark("margin", "SHARE", f"How far from the edges, as a share of the same. [default: {MARGIN:g}]"),
    _of_watermark("opacity", "SHARE", f"How much of it is seen, up to 1. [default: {OPACITY:g}]"),
)
