"""How often and how long to wait when the world is busy: exponential, with full jitter, bounded, as the server says.

A fleet of clients that all failed at once must not all come back at once.
"""

import random
from dataclasses import dataclass
from http import HTTPStatus

import anyio
import httpx

_BUSY = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
        HTTPStatus.INSUFFICIENT_STORAGE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """`tries` in all; waits of at most `first_seconds` · 2ⁿ, never above `longest_seconds`.

    A server that has never answered is given up after `tries_at_first`: its address is probably wrong.
    """

    tries: int = 8
    tries_at_first: int = 3
    first_seconds: float = 0.5
    longest_seconds: float = 20.0

    async def wait(self, failures: int, told_seconds: float | None = None) -> None:
        """Wait after the n-th failure in a row, or as long as the server said if that is longer."""
        most = min(self.longest_seconds, self.first_seconds * 2.0 ** (failures - 1))
        chance = random.uniform(0, most)  # noqa: S311 - to spread clients, not to keep a secret
        await anyio.sleep(min(self.longest_seconds, max(chance, told_seconds or 0.0)))


def is_busy(response: httpx.Response) -> bool:
    """Whether the same request may succeed later. A quota does not come back by waiting for it."""
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return "retry-after" in response.headers
    return response.status_code in _BUSY


def told_to_wait(response: httpx.Response) -> float | None:
    """The seconds of `Retry-After`, where it has some."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdigit() else None
