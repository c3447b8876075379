"""Where a piece of work comes from: W3C's `traceparent`, kept with the records and handed on as it came.

Source: W3C Trace Context, level 1. A trace is a value on uploads, jobs, runs and tasks; whoever works for one of them
tells operators its id. Nothing is decided by it.
"""

import hashlib
import re
from dataclasses import dataclass

from smmu.domain.quick import quick

CHANCE_BYTES = 24

_PARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_VERSION, _SAMPLED = "00", 1


@quick
@dataclass(frozen=True, slots=True)
class Trace:
    """A trace and the caller's span in it. `sampled`: the caller has recorded that span, and asks others to."""

    id: str
    span: str
    sampled: bool = False

    @property
    def parent(self) -> str:
        """The value as records and messages have it: a `traceparent` of version 00."""
        return f"{_VERSION}-{self.id}-{self.span}-{int(self.sampled):02x}"


def parse(text: str) -> Trace | None:
    """The trace of a `traceparent`; `None` for what is none. Of a version to come, what this one has is read."""
    found = _PARENT.fullmatch(text)
    if found is None or (found[1] == _VERSION and found[5] is not None):
        return None
    return Trace(found[2], found[3], bool(int(found[4], 16) & _SAMPLED))


def begun(chance: bytes) -> Trace:
    """A trace that begins here, of `CHANCE_BYTES` of chance."""
    text = chance.hex()
    return Trace(text[:32], text[32:])


def derived(name: str) -> Trace:
    """The trace of what began without one: a pure function of its name."""
    return begun(hashlib.sha256(name.encode()).digest()[:CHANCE_BYTES])


def id_in(parent: str) -> str:
    """The id of a trace as records have it; "" where there is none."""
    return parent[3:35]
