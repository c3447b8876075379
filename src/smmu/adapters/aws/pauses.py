"""How long to wait before trying again what AWS did only in part, or not now: a few times, each about twice as long."""

import random
from collections.abc import Iterator

_FIRST_SECONDS = 0.05
_PAUSES = 5  # together at most a second and a half


def pauses() -> Iterator[float]:
    """Seconds to wait before each further try. Chance parts those who ran into each other."""
    for turn in range(_PAUSES):
        yield _FIRST_SECONDS * 2**turn * random.uniform(0.5, 1.0)  # noqa: S311 - nobody gains by guessing it
