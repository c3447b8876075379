"""One SQLite file: group commit for writes, cheap reads on the event loop, several processes at once.

Storage: `{data}/smmu.db` in WAL mode with `synchronous=FULL`: what `write` has answered survives a power cut.

Costs, and the shape that follows from them (CPython, a disk that syncs in 0.1–10 ms). A point read takes about 10 µs;
a hop to a thread and back ten times that. So point reads and the statements of a transaction run on the event loop's
thread, and only what waits for the disk does not: the COMMIT, and reads of unknown length. Running statements in a
thread of their own would also let the loop and that thread fight for the interpreter lock at every statement.

Group commit: whoever comes first leads a group. While the group before it is being committed it gathers whoever comes;
then it runs all their work in one transaction, commits once, and wakes them. One sync serves them all. A group that has
nobody before it still waits for the event loop to turn: who was woken by the same commit is about to write again, and
without that wait groups of one and of all others take turns, which doubles the syncs and leaves the loop idle in each.
Most work succeeds, so a group is run as it is at first; if anything in it fails, all of it is undone and run again,
each in a savepoint.

It refuses to know what is stored: the ports' adapters beside it do.
"""

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import anyio
import anyio.lowlevel
from anyio import to_thread

from smmu.adapters.embedded.checkpoints import LOG_PAGES_MAX, Checkpoints
from smmu.adapters.embedded.errors import translated, translating
from smmu.adapters.embedded.schema import migrate
from smmu.ports.errors import Unavailable

R = TypeVar("R")
Row = tuple[Any, ...]
Values = Sequence[Any] | Mapping[str, Any]  # by place, or by name
Work = Callable[[sqlite3.Connection], R]

_GROUP_MAX = 128  # a bound on how long one group can hold up the event loop
_GATHERING_TURNS = 2  # from what was read of a socket to here
_BUSY_SECONDS = 10.0  # other processes commit in milliseconds; a checkpoint of theirs may take longer
_RETRY_SECONDS_MIN, _RETRY_SECONDS_MAX = 0.001, 0.02
_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -16000",
    "PRAGMA journal_size_limit = 67108864",
    f"PRAGMA wal_autocheckpoint = {LOG_PAGES_MAX}",
)


class _Item(Generic[R]):
    """One caller's work, and what came of it."""

    def __init__(self, work: Work[R]) -> None:
        self.work = work
        self.error: Exception | None = None
        self.result: list[R] = []

    def run(self, connection: sqlite3.Connection) -> None:
        self.result = [self.work(connection)]


class _Group:
    """Work that is committed together. `error` is what all of it has failed of, when it is done."""

    def __init__(self) -> None:
        self.items: list[_Item[Any]] = []
        self.done = anyio.Event()
        self.error: Exception | None = None

    def outcome(self, item: _Item[R]) -> R:
        if error := item.error or self.error:
            raise error
        return item.result[0]


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
        self._checkpoints = Checkpoints(partial(_connect, path))
        self._gathering: _Group | None = None
        self._changing = False
        self._turn = anyio.Lock()
        self._closed = False
        self._one_commit = anyio.CapacityLimiter(1)
        self._one_long_read = anyio.CapacityLimiter(1)

    def read(self, sql: str, values: Values = ()) -> list[Row]:
        """The rows of a query that is known to be short. Sees every write that was answered."""
        # The writer still knows the pages that it has changed; the reader reads them again after each commit. But what
        # is not durable yet nobody may see, and while COMMIT is on its thread the writer would make the loop wait.
        connection = self._reader if self._changing else self._writer
        try:  # entering and leaving `translating` takes half as long as a point read
            return connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise translated(error) from error

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
        item, group = _Item(work), self._gathering
        if group is not None and len(group.items) < _GROUP_MAX:
            group.items.append(item)
            await group.done.wait()
        else:
            group = self._gathering = _Group()
            group.items.append(item)
            await self._lead(group)
        return group.outcome(item)

    async def close(self) -> None:
        """Take no more work, and let go of the file once the work that was taken is done."""
        self._closed = True
        with anyio.CancelScope(shield=True):  # bounded as every commit is
            async with self._turn:  # after every group that has a leader
                await to_thread.run_sync(self._checkpoints.close)
                for connection in (self._long_reader, self._reader, self._writer):
                    await to_thread.run_sync(connection.close)

    async def _lead(self, group: _Group) -> None:
        """Commit a group once the ones before it are; until then, it gathers."""
        try:
            # Shielded, because half a commit would be known to nobody; bounded by _BUSY_SECONDS and one sync for each.
            with anyio.CancelScope(shield=True):
                async with self._turn:
                    for _ in range(_GATHERING_TURNS):
                        await anyio.lowlevel.checkpoint()
                    self._close_to_others(group)
                    await self._commit(group.items)
        except Exception as error:  # noqa: BLE001 - everyone in the group is told, and raises it
            group.error = error
        except BaseException:
            group.error = Unavailable("the commit was broken off")
            raise
        finally:
            self._close_to_others(group)
            group.done.set()

    def _close_to_others(self, group: _Group) -> None:
        if self._gathering is group:
            self._gathering = None

    async def _commit(self, items: list[_Item[Any]]) -> None:
        try:
            with translating():
                await self._begin()
                self._changing = True
                await self._run(items)
                await to_thread.run_sync(self._writer.execute, "COMMIT", limiter=self._one_commit)
                self._checkpoints.committed(self._writer.total_changes)
        finally:
            self._changing = False
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")

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

    async def _run(self, items: list[_Item[Any]]) -> None:
        """Run all of a group in the transaction. Work that fails leaves nothing behind, and takes nobody with it."""
        try:
            for item in items:
                item.run(self._writer)
        except Exception:  # noqa: BLE001 - which one it was, and of what, is found out one by one
            if self._writer.in_transaction:  # SQLite itself may have given it up
                self._writer.execute("ROLLBACK")
            await self._begin()
            self._run_apart(items)

    def _run_apart(self, items: list[_Item[Any]]) -> None:
        for item in items:
            self._writer.execute("SAVEPOINT item")
            try:
                with translating():
                    item.run(self._writer)
            except Exception as error:
                if not self._writer.in_transaction:  # SQLite itself gave the whole transaction up
                    raise
                self._writer.execute("ROLLBACK TO item")
                item.error = error
            self._writer.execute("RELEASE item")


def _connect(path: str, *, read_only: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    with ExitStack() as opened:
        opened.enter_context(closing(connection))
        for setting in _SETTINGS:
            _set(connection, setting)
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        opened.pop_all()
    return connection


def _set(connection: sqlite3.Connection, setting: str) -> None:
    """Set one, asking again as `_begin` does: of a lock on the way to WAL SQLite tells at once, whatever its timeout.

    That is the first moment of a data folder, with several processes that begin at it.
    """
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute(setting)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        else:
            return
        time.sleep(_RETRY_SECONDS_MAX)  # noqa: TID251 - nobody is served before the database is open
