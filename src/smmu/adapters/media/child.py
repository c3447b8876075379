"""The process that reads hostile bytes. It confines itself, does what its first line orders, says so, and ends.

Everything it needs is imported before it is confined, and only what this order needs: a picture never pays for
FFmpeg. It refuses to run twice, to write outside its folder, and to fail without saying why.
"""

import errno
import gc
import importlib
import os
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from smmu.adapters.media import confine
from smmu.adapters.media.protocol import Message, Wire, decode_limits, decode_task, refusal
from smmu.adapters.media.source import DistantSource, LocalSource, SourceFile
from smmu.adapters.media.workbench import Workbench
from smmu.domain.errors import Refused
from smmu.domain.limits import Limits

_NO_ROOM = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})
_NO_ROOM_WORDS = ("No space left on device", "File too large", "Disk quota exceeded")
_DETAIL_CHARS_MAX = 4_000

# operation: (module, function). A task's kind is its operation, but for speech, which is only listened to here.
_ROUTINES = {
    "inspect-image": ("inspect_image", "inspect_image"),
    "inspect-av": ("inspect_av", "inspect_av"),
    "play": ("play", "play"),
    "images": ("image", "render_images"),
    "loop": ("loop", "render_loop"),
    "video": ("video", "render_video"),
    "chunk": ("chunking", "render_chunk"),
    "audio": ("audio", "render_audio"),
    "cover": ("cover_art", "take_cover"),
    "poster": ("poster", "render_poster"),
    "transcribe": ("listening", "listen"),
}


def main() -> None:
    """Run as a process of its own, by `sandbox.py`. Arguments: the lifeline's handle, then the source's, if any."""
    handles = [int(argument) for argument in sys.argv[1:]]
    confine.die_with_parent(handles[0])
    wire = _wire()
    wire.tell(_outcome(wire, handles[1:]))
    os._exit(0)  # everything is said: taking libraries down in order would only take time


def _wire() -> Wire:
    """Keep the pipes to the parent for ourselves: what a library prints goes to stderr, and stdin is empty."""
    receive, send = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return Wire(os.fdopen(receive, "rb"), send)


def _outcome(wire: Wire, handles: list[int]) -> Message:
    """Every way this can end, as the message to end with."""
    try:
        return {"says": "answer", "result": _carry_out(wire, handles)}
    except Refused as error:
        return refusal(error)
    except MemoryError:
        gc.collect()
        return {"says": "failed", "cause": "out_of_memory", "detail": ""}
    except Exception as error:  # noqa: BLE001 - the last frame: the parent decides what a failure means
        return {"says": "failed", "cause": _cause(error), "detail": traceback.format_exc()[-_DETAIL_CHARS_MAX:]}


def _cause(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return "disk_full"
    text = str(error)
    if any(words in text for words in _NO_ROOM_WORDS):
        return "disk_full"  # libvips reports errors as text
    return "out_of_memory" if "out of memory" in text.lower() else "crashed"


def _carry_out(wire: Wire, handles: list[int]) -> Any:  # noqa: ANN401 - facts or renditions
    order = wire.order()
    routine = _routine(order)
    limits = decode_limits(order["limits"])
    arguments = [decode_task(order["task"])] if "task" in order else []
    bench = _bench(wire, handles, order, limits)
    confine.limit_resources(
        memory_bytes=order["memory_bytes"],
        cpu_seconds=order["cpu_seconds"],
        file_bytes=limits.output_bytes_max,
    )
    readable = [*confine.library_paths(), *map(Path, order.get("readable", ()))]
    held = confine.confine(writable=bench.directory, readable=readable)
    wire.tell({"says": "ready", "protections": held})
    return routine(bench, *arguments, **order.get("arguments", {}))


def _routine(order: Message) -> Callable[..., Any]:
    """What this order is about: one of ours, or the one that the parent names (`ports/isolation.py`)."""
    if "routine" in order:
        module, _, function = order["routine"].partition(":")
    else:
        name, function = _ROUTINES[order["operation"]]
        module = f"smmu.adapters.media.{name}"
    routine: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return routine


def _bench(wire: Wire, handles: list[int], order: Message, limits: Limits) -> Workbench:
    def tell(message: Message) -> None:
        if message["says"] == "file" or message.get("fraction") == 1.0:
            wire.tell(message)
        else:
            wire.note(message, limits.progress_seconds)

    def worked() -> None:
        tell({"says": "beat"})

    size = order["size"]
    source = LocalSource(handles[0], size, worked) if handles else DistantSource(wire.fetch, size, worked)
    pieces = {name: SourceFile(partial(wire.fetch, of=name), size, worked) for name, size in order["pieces"].items()}
    return Workbench(source=source, directory=Path.cwd(), limits=limits, tell=tell, pieces=pieces)
