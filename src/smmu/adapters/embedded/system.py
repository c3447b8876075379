"""The ambient world of one machine: its clock, its chance, and lines of JSON on standard error.

It refuses to make operators wait: a line that cannot be written is lost, and nothing is raised.
"""

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import TextIO

from smmu.domain.values import CHANCE_BYTES, make_id
from smmu.ports.system import Clock, IdSource, Telemetry

_to_json = json.JSONEncoder(default=str).encode


class SystemClock(Clock):
    """The machine's clock."""

    def now(self) -> float:
        """See the port."""
        return time.time()  # noqa: TID251 - this is the Clock port


class RandomIds(IdSource):
    """Ids made of the time and of the system's chance."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def new(self, prefix: str) -> str:
        """See the port."""
        return make_id(prefix, self._clock.now(), os.urandom(CHANCE_BYTES))


class JsonLines(Telemetry):
    """Events as JSON lines; counters in memory, for whoever asks (`GET /metrics`)."""

    def __init__(self, clock: Clock, stream: TextIO | None = None) -> None:
        self._clock = clock
        self._stream = stream
        self._counts: defaultdict[tuple[str, tuple[tuple[str, str], ...]], float] = defaultdict(float)

    def event(self, name: str, **fields: object) -> None:
        """See the port. `at` and `event` are the line's own; a field that is no JSON is written as its text."""
        with suppress(OSError, ValueError, TypeError):  # the stream is gone or closed, or a field is no JSON at all
            line = _to_json({"at": round(self._clock.now(), 3), "event": name, **fields})
            stream = self._stream or sys.stderr
            stream.write(f"{line}\n")
            stream.flush()

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        """See the port."""
        self._counts[name, tuple(sorted(labels.items()))] += value

    def counts(self) -> Mapping[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Every counter by name and labels."""
        return dict(self._counts)
