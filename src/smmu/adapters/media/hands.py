"""`Hands`: threads that do pieces of one task beside whoever gives them out, and never hold many of them.

For work that lets go of Python's lock, as encoders do. It refuses to queue: who gives out a piece while all hands are
busy waits, so that what the pieces hold in memory is bounded by the number of hands.
"""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Generic, Self, TypeVar

Result = TypeVar("Result")


class Hands(Generic[Result]):
    """`count` threads. `done` hears of each result, in the thread that gives out the work, as results come."""

    def __init__(self, count: int, done: Callable[[Result], None]) -> None:
        self._count = count
        self._done = done
        self._pool = ThreadPoolExecutor(count)
        self._busy: set[Future[Result]] = set()

    def __enter__(self) -> Self:
        """Threads start when there is work."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Wait for all that was given out. What any piece raised is raised."""
        try:
            if kind is None:
                self._until_busy(0)
        finally:
            self._pool.shutdown(cancel_futures=True)

    def give(self, work: Callable[[], Result]) -> None:
        """Have a piece done, as soon as a hand is free. Raises what an earlier one raised."""
        self._until_busy(self._count - 1)
        self._busy.add(self._pool.submit(work))

    def _until_busy(self, most: int) -> None:
        """Wait until no more than so many hands are busy."""
        while len(self._busy) > most:
            ended, self._busy = wait(self._busy, return_when=FIRST_COMPLETED)
            for piece in ended:
                self._done(piece.result())
