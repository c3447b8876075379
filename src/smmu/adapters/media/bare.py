"""Whether a file of ours says anything of where and with what its source was made: it carries pictures and sound alone.

Names of containers and tracks are told by muxers themselves; anything else in their metadata is stray. Inside pictures
it is what their codec has for data of others. Refuses to read pictures: their own codec says what is beside them.
"""

import re
from collections.abc import Sequence

from av.container import InputContainer

from smmu.domain.manifest import Check

EXAMPLES_MAX = 3
# What muxers write by themselves, and the language that we tell them. Those with values may have no other.
_BY_MUXERS = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder"})
_VALUES = {
    "language": re.compile(r"[a-z]{3}"),
    "handler_name": re.compile("Video|Sound|VideoHandler|SoundHandler"),
}


def stray(container: InputContainer) -> list[str]:
    """The names of what container and tracks say that is not theirs to say."""
    told = [item for tags in (container.metadata, *(s.metadata for s in container.streams)) for item in tags.items()]
    return sorted({key for key, value in told if key not in _BY_MUXERS and not _is_usual(key, value)})


def _is_usual(key: str, value: str) -> bool:
    values = _VALUES.get(key)
    return values is not None and values.fullmatch(value) is not None


def bare(found: Sequence[str]) -> Check:
    """The check that there is none of it."""
    measured = ", ".join(found[:EXAMPLES_MAX]) or "none"
    return Check(name="no metadata", ok=not found, expected="none", measured=measured)
