"""Being asked to end: a signal cancels what is going on, so that it can clean up after itself."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from anyio.abc import TaskStatus

from smmu.ports.errors import one_error


@dataclass(slots=True)
class Asked:
    """Which signal has asked, if one has."""

    number: int = 0

    @property
    def status(self) -> int:
        """The exit status that says so, as shells know it; 0 when nobody has asked."""
        return 128 + self.number if self.number else 0


@asynccontextmanager
async def until_asked() -> AsyncIterator[Asked]:
    """The block goes on until it is done or SIGTERM or SIGINT comes; afterwards `status` tells which of them it was.

    What it raises comes out as it is, so that callers can name what they catch.
    """
    asked = Asked()
    with one_error(), anyio.CancelScope() as whole:
        async with anyio.create_task_group() as group:
            await group.start(_listen, asked, whole)
            yield asked
            group.cancel_scope.cancel()


async def _listen(asked: Asked, whole: anyio.CancelScope, *, task_status: TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        asked.number = await anext(aiter(signals))
        whole.cancel()
