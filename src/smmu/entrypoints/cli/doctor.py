"""`smmu doctor`: is this machine fit for the work? One line for each thing that was looked at, and what to do."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import anyio

from smmu.entrypoints.cli.boundary import WORLD_FAILED, Stop
from smmu.entrypoints.cli.options import Data
from smmu.entrypoints.cli.terminal import say

if TYPE_CHECKING:
    from smmu.bootstrap.settings import Settings

_PACKAGES = ("smart-media-uploader", "av", "pyvips", "pillow-heif", "awscrt", "fastapi", "uvicorn", "pydantic")
_GIB = 1 << 30
_ROOM_BYTES, _ROOM_BYTES_MIN = 10 * _GIB, 1 * _GIB
_ADVICE = {
    "files": "Landlock is missing (Linux 5.19 has it): decoders are kept from files by nothing but their format list",
    "system_calls": "seccomp is missing: decoders could open sockets. Do not take files of strangers on this machine",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing, how it is, and what to do if it is not well."""

    what: str
    how: Literal["ok", "warn", "fail"]
    words: str


def doctor(data: Data = None) -> None:
    """Look at what the service needs on this machine."""
    from smmu.bootstrap.settings import EmbeddedPlatform, load_settings

    settings = load_settings(data=data)
    platform = settings.platform
    folder = platform.data if isinstance(platform, EmbeddedPlatform) else Path(tempfile.gettempdir())
    looks: tuple[Callable[[], Iterator[Finding]], ...] = (
        versions,
        protections,
        codecs,
        lambda: speech(settings),
        lambda: writable(folder),
        lambda: room(folder),
    )
    findings = [finding for look in looks for finding in look()]
    for finding in findings:
        say(f"{finding.how:<5} {finding.what}: {finding.words}")
    failed = [finding.what for finding in findings if finding.how == "fail"]
    if failed:
        raise Stop(WORLD_FAILED, f"not fit for the work: {', '.join(failed)}")


def versions() -> Iterator[Finding]:
    """The interpreter and the packages that matter."""
    yield Finding("python", "ok", sys.version.split()[0])
    for name in _PACKAGES:
        try:
            yield Finding(name, "ok", metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(name, "fail", "not installed: pip install 'smart-media-uploader[embedded]'")


def protections() -> Iterator[Finding]:
    """What the kernel can take away from decoders of hostile bytes."""
    from smmu.adapters.media.sandbox import protections as available

    for name, there in available().items():
        words = "available" if there else _ADVICE.get(name, "missing on this machine")
        yield Finding(f"sandbox {name.replace('_', ' ')}", "ok" if there else "warn", words)


def codecs() -> Iterator[Finding]:
    """What this build of the codecs can read and write."""
    from smmu.adapters.media.codecs import missing_decoders, missing_encoders

    for what, missing in (("encoders", missing_encoders()), ("decoders", missing_decoders())):
        if missing:
            how: Literal["fail", "warn"] = "fail" if what == "encoders" else "warn"
            yield Finding(what, how, f"without {', '.join(missing)}: install the av wheel that the project pins")
        else:
            yield Finding(what, "ok", "all that are needed")


def speech(settings: "Settings") -> Iterator[Finding]:
    """What makes captions here, or what to do to have them: files are taken without it."""
    from smmu.application.transcription import speech_of
    from smmu.bootstrap.speech import local_recognizer

    engine = settings.speech.engine
    if engine in {"none", "transcribe"}:
        words = "none, as it is set" if engine == "none" else "Amazon Transcribe, which is not on this machine"
        yield Finding("speech", "ok", words)
        return
    recognizer = local_recognizer(settings.speech, settings.limits, tempfile.gettempdir())
    found = anyio.run(speech_of, recognizer, backend="asyncio")
    if isinstance(found, str):
        yield Finding("speech", "warn", f"{found} (without it there are no captions)")
    else:
        yield Finding("speech", "ok", "pocketsphinx" if engine == "pocketsphinx" else "faster-whisper")


def writable(folder: Path) -> Iterator[Finding]:
    """Whether the data folder, or what it would be made in, can be written."""
    place = _existing(folder)
    try:
        with tempfile.TemporaryFile(dir=place):
            yield Finding(f"data folder {folder}", "ok", "can be written")
    except OSError as error:
        yield Finding(f"data folder {folder}", "fail", f"{error.strerror}: choose another with --data")


def room(folder: Path) -> Iterator[Finding]:
    """How much room there is."""
    free = shutil.disk_usage(_existing(folder)).free
    words = f"{free / _GIB:.1f} GiB free"
    if free < _ROOM_BYTES_MIN:
        yield Finding("disk", "fail", f"{words}: make room, or choose another --data")
    elif free < _ROOM_BYTES:
        yield Finding("disk", "warn", f"{words}: enough for a start; a video needs about twice its size")
    else:
        yield Finding("disk", "ok", words)


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())
