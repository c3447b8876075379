"""One SQLite file: group commit for writes, cheap reads on the event loop, several processes at once.

Storage: `{data}/smmu.db` in WAL mode with `synchronous=FULL`: what `write` has answered survives a power cut.

Costs, and the shape that follows from them (CPython, a disk that syncs in 0.1–10 ms). A point read takes about 10 µs;
a hop to a thread and back ten times that. So point reads and the statements of a transaction run on the event loop's
thread, and only what waits for the disk does not: the COMMIT, and reads of unknown length. Running statements in a
thread of their own would also let the loop and that thread fight for the interpreter lock at every statement.

Group commit: whoever finds nobody committing leads. It takes everything that waits, runs it in one transaction, commits
once and wakes the others; what has come meanwhile is the next group. One sync serves them all. Most work succeeds, so
a group is run as it is at first; if anything in it fails, all of it is undone and run again, each in a savepoint.

It refuses to know what is stored: the ports' adapters beside it do.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Generic, TypeVar

import anyio
from anyio import to_thread

from smmu.adapters.embedded.errors import translating
from smmu.adapters.embedded.schema import migrate
from smmu.ports.errors import Unavailable

R = TypeVar("R")
Row = tuple[Any, ...]
Values = Sequence[Any] | Mapping[str, Any]  # by place, or by name
Work = Callable[[sqlite3.Connection], R]

_GROUP_MAX = 128  # a bound on how long one group can hold up the event loop
_BUSY_SECONDS = 10.0  # other processes commit in milliseconds; a checkpoint of theirs may take longer
_RETRY_SECONDS_MIN, _RETRY_SECONDS_MAX = 0.001, 0.02
_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -16000",
    "PRAGMA journal_size_limit = 67108864",
)


class _Item(Generic[R]):
    """One caller's work. It is awake when it is settled, or when its caller is to lead the next group."""

    def __init__(self, work: Work[R]) -> None:
        self.work = work
        self.awake = False
        self.settled = False
        self._woken: anyio.Event | None = None
        self.error: Exception | None = None
        self._result: list[R] = []

    def run(self, connection: sqlite3.Connection) -> None:
        with translating():
            self._result = [self.work(connection)]

    def settle(self, error: Exception | None) -> None:
        if not self.settled:
            self.error = self.error or error
            self.settled = True
            self.wake()

    def wake(self) -> None:
        self.awake = True
        if self._woken is not None:
            self._woken.set()

    async def sleep(self) -> None:
        """Until it is awake. An event costs more than a short statement, and whoever leads at once needs none."""
        self._woken = anyio.Event()
        await self._woken.wait()

    def outcome(self) -> R:
        if self.error is not None:
            raise self.error
        return self._result[0]


class Database:
    """The database of one data folder, as this process sees it. Used from one event loop."""

    def __init__(self, path: str) -> None:
        with translating(), ExitStack() as opened:
            Path(path).touch(0o600)  # SQLite gives the files beside it the same mode
            self._writer = opened.enter_context(closing(_connect(path)))
            migrate(self._writer)
            self._writer.execute("PRAGMA busy_timeout = 0")  # waiting is done here, not with the loop held up
            self._reader = opened.enter_context(closing(_connect(path, read_only=True)))
            self._long_reader = opened.enter_context(closing(_connect(path, read_only=True)))
            opened.pop_all()  # `close` closes them from here on
        self._waiting: deque[_Item[Any]] = deque()
        self._led = False
        self._closed = False
        self._one_commit = anyio.CapacityLimiter(1)
        self._one_long_read = anyio.CapacityLimiter(1)

    def read(self, sql: str, values: Values = ()) -> list[Row]:
        """The rows of a query that is known to be short. Sees every write that was answered."""
        with translating():
            return self._reader.execute(sql, values).fetchall()

    async def read_long(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query that may scan: on a thread, one at a time."""
        with translating():
            return await to_thread.run_sync(
                lambda: self._long_reader.execute(sql, values).fetchall(), limiter=self._one_long_read
            )

    async def write(self, work: Work[R]) -> R:
        """What `work` answers, once its statements are durable; if it raises, none of them happened.

        `work` runs on the event loop's thread inside a transaction: it is short, and does nothing but statements. It
        may run twice, the first time for nothing. A cancelled caller's work may still be committed.
        """
        if self._closed:
            raise Unavailable("the database is closed")
        return await self._write(work)

    async def close(self) -> None:
        """Take no more work, and let go of the file once the work that was taken is done."""
        self._closed = True
        with anyio.CancelScope(shield=True):  # bounded as every commit is
            await self._write(_nothing)
            for connection in (self._long_reader, self._reader, self._writer):
                await to_thread.run_sync(connection.close)

    async def _write(self, work: Work[R]) -> R:
        item = _Item(work)
        self._waiting.append(item)
        if self._led:
            await self._follow(item)
        if not item.settled:
            await self._lead()
        return item.outcome()

    async def _follow(self, item: _Item[Any]) -> None:
        try:
            await item.sleep()
        except BaseException:
            self._leave(item)
            raise

    def _leave(self, item: _Item[Any]) -> None:
        """The caller is cancelled: its work need not be done, and if it was to lead, another must."""
        if item in self._waiting:
            self._waiting.remove(item)
            if item.awake:
                self._hand_over()

    async def _lead(self) -> None:
        """Commit the next group. A leader's own item is the first that waits, so it is always in it."""
        self._led = True
        group = [self._waiting.popleft() for _ in range(min(_GROUP_MAX, len(self._waiting)))]
        try:
            # Shielded, because half a commit would be known to nobody; bounded by _BUSY_SECONDS and one sync.
            with anyio.CancelScope(shield=True):
                await self._commit(group)
        finally:
            self._settle(group, Unavailable("the commit was broken off"))
            self._hand_over()

    def _hand_over(self) -> None:
        self._led = bool(self._waiting)
        if self._led:
            self._waiting[0].wake()

    async def _commit(self, group: list[_Item[Any]]) -> None:
        try:
            with translating():
                await self._begin()
                await self._run(group)
                await to_thread.run_sync(self._writer.execute, "COMMIT", limiter=self._one_commit)
        except Exception as error:  # noqa: BLE001 - everyone in the group is told, and raises it
            self._settle(group, error)
        else:
            self._settle(group, None)

    def _settle(self, group: list[_Item[Any]], error: Exception | None) -> None:
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")
        for item in group:
            item.settle(error)

    async def _begin(self) -> None:
        """Take the write lock. Other processes hold it for milliseconds, so waiting for it is asking again."""
        waited, pause = 0.0, _RETRY_SECONDS_MIN
        while True:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or waited > _BUSY_SECONDS:
                    raise
            else:
                return
            await anyio.sleep(pause)
            waited, pause = waited + pause, min(2 * pause, _RETRY_SECONDS_MAX)

    async def _run(self, group: list[_Item[Any]]) -> None:
        """Run all of a group in the transaction. Work that fails leaves nothing behind, and takes nobody with it."""
        try:
            for item in group:
                item.run(self._writer)
        except Exception:  # noqa: BLE001 - which one it was, and of what, is found out one by one
            if self._writer.in_transaction:  # SQLite itself may have given it up
                self._writer.execute("ROLLBACK")
            await self._begin()
            self._run_apart(group)

    def _run_apart(self, group: list[_Item[Any]]) -> None:
        for item in group:
            self._writer.execute("SAVEPOINT item")
            try:
                item.run(self._writer)
            except Exception as error:
                if not self._writer.in_transaction:  # SQLite itself gave the whole transaction up
                    raise
                self._writer.execute("ROLLBACK TO item")
                item.error = error
            self._writer.execute("RELEASE item")


def _nothing(connection: sqlite3.Connection) -> None:
    """Work that is done when all that came before it is."""


def _connect(path: str, *, read_only: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    with ExitStack() as opened:
        opened.enter_context(closing(connection))
        for setting in _SETTINGS:
            connection.execute(setting)
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        opened.pop_all()
    return connection
