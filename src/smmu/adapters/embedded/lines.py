"""Lines of JSON on standard error: one for each event, written by a thread of its own.

Whoever tells something leaves a note and goes on; encoding and writing happen later, many lines at once. Names become
camel case (`job_id` is `jobId`), and what signs or opens anything is blotted out.

It refuses to make operators wait: a line that cannot be written is lost, and nothing is raised. When more lie about
than `LINES_MAX`, the rest is dropped and counted. A process that is killed loses the last `GATHER_SECONDS`.
"""

import atexit
import json
import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache, partial
from typing import TextIO

import msgspec

from smmu.domain.happenings import Level, kind_of
from smmu.ports.about import known
from smmu.ports.system import Clock, Telemetry

GATHER_SECONDS = 0.02
LINES_MAX = 10_000

_FLUSH_SECONDS = 5.0  # what the end of a process waits for a reader that reads no more
_SECRET = re.compile(r"((?:X-Amz-(?:Signature|Credential|Security-Token)=|[Bb]earer |/blobs/))[^\s\"'&\\?]+")
_BLOT = r"\1..."
_WORD_START = re.compile(r"_([a-z])")


def _text(value: object) -> str:
    """What is no JSON, in words: its own, or where it fails at them, its type's. One field never costs the writer."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - anybody's __str__ may be at fault, and the others' lines are waiting
        return f"<{type(value).__name__}>"


_escaping = json.JSONEncoder(default=_text, separators=(",", ":")).encode
_to_json = msgspec.json.Encoder(enc_hook=_text).encode

Extras = Callable[[float, str, Mapping[str, object]], Mapping[str, object]]
"""What a line has besides: of its time, its code and its fields. Names in it stay as they are."""


class LineWriter:
    """Writes what was left here, in order. `stream` is standard error, as it is at that time, unless given."""

    def __init__(self, stream: TextIO | None = None, *, lines_max: int = LINES_MAX) -> None:
        self._stream = stream
        self._most = lines_max
        self._left: deque[Callable[[], str]] = deque()
        self._dropped = 0
        self._awake = threading.Event()
        self._writing = threading.Lock()
        self._starting = threading.Lock()
        self._begun = False

    def put(self, line: Callable[[], str]) -> None:
        """Leave a line, which is made when it is written. Never waits."""
        if len(self._left) >= self._most:
            self._dropped += 1
            return
        self._left.append(line)
        if not self._awake.is_set():
            self._awake.set()
            if not self._begun:
                self._begin()

    def take_dropped(self) -> int:
        """How many were dropped since this was last asked."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    def flush(self) -> None:
        """Write what lies here now, or give up after some seconds."""
        if self._writing.acquire(timeout=_FLUSH_SECONDS):
            try:
                self._write_all()
            finally:
                self._writing.release()

    def _begin(self) -> None:
        with self._starting:
            if not self._begun:
                self._begun = True
                atexit.register(self.flush)
                threading.Thread(target=self._run, name="smmu-lines", daemon=True).start()

    def _run(self) -> None:
        pause = threading.Event()
        while self._awake.wait():
            pause.wait(GATHER_SECONDS)
            self._awake.clear()
            with self._writing:
                self._write_all()

    def _write_all(self) -> None:
        text = "".join(self._texts())
        if text:
            with suppress(OSError, ValueError):  # the stream is gone or closed
                stream = self._stream or sys.stderr
                stream.write(text)
                stream.flush()

    def _texts(self) -> Iterator[str]:
        while self._left:
            with suppress(TypeError, ValueError):  # a field is no JSON at all
                yield self._left.popleft()()


STANDARD_ERROR = LineWriter()


class JsonLines(Telemetry):
    """Events as JSON lines of one `component` of the product. With `extras`, metrics are read from the lines."""

    def __init__(
        self,
        clock: Clock,
        *,
        component: str,
        writer: LineWriter = STANDARD_ERROR,
        debug: bool = False,
        extras: Extras | None = None,
    ) -> None:
        self._clock = clock
        self._writer = writer
        self._always = {"component": component}
        self._extras = extras
        self._all = debug or extras is not None

    def event(self, name: str, **fields: object) -> None:
        """See the port. `at`, `level` and `event` are the line's own; a field that is no JSON is written as its text.

        What a library has logged brings its own level, as a field.
        """
        level = kind_of(name).level
        if level is not Level.DEBUG or self._all:
            self._writer.put(partial(self._line, self._clock.now(), level, name, known(), fields))

    def flush(self) -> None:
        """See the port."""
        self._writer.flush()

    def _line(
        self, at: float, level: Level, name: str, about: Mapping[str, object], fields: Mapping[str, object]
    ) -> str:
        dropped = self._writer.take_dropped()
        if dropped:
            self.event("lines_dropped", lines=dropped)
        whole = {**self._always, **about, **fields}
        head = {"at": round(at, 3), "level": whole.pop("level", level), "event": name}
        extras = {} if self._extras is None else self._extras(at, name, fields)
        line = _json({**head, **{_camel(key): value for key, value in whole.items()}, **extras})
        return _blotted(line) + "\n"


def _json(line: Mapping[str, object]) -> str:
    """In ASCII, for a stream may have any encoding. msgspec takes a third of the time, but escapes no letters.

    Nor does it write halves of characters, as names of files may have them, and numbers of more than 64 bits.
    """
    with suppress(UnicodeEncodeError, OverflowError, RecursionError):
        text = _to_json(line).decode()
        if text.isascii():
            return text
    return _escaping(line)


def _blotted(line: str) -> str:
    """Looking for the fixed words first takes a twentieth of the time."""
    suspect = "X-Amz-" in line or "earer " in line or "/blobs/" in line
    return _SECRET.sub(_BLOT, line) if suspect else line


@cache
def _camel(name: str) -> str:
    return _WORD_START.sub(lambda found: found[1].upper(), name)
