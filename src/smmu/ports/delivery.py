"""`Delivery`: a network that hands out what is in storage, from near whoever asks, to browsers that were let in."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """A cookie for `path` of `domain`, and what is below them. Scripts must not see it, and it goes over TLS only."""

    name: str
    value: str
    domain: str
    path: str


class Delivery(Protocol):
    """Addresses are as stable as keys and need no signature: who holds the cookies is let in, who does not is not."""

    @abstractmethod
    def url(self, key: str) -> str:
        """Where the object at `key` is handed out; what is relative to it in storage is relative to it there."""

    @abstractmethod
    async def admit(self, prefix: str, *, expires_at: float) -> Sequence[Cookie]:
        """Cookies that let a browser have all that is stored below `prefix`, until `expires_at` (Unix seconds).

        And nothing else. `prefix` ends with a slash: `ValueError` for what is no folder. Cookies of other folders stay
        as they are, so that a browser may be let into many.
        """
