"""Group commit, its failures and its neighbours: what `database.py` promises to the adapters over it."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from smmu.adapters.embedded import schema
from smmu.adapters.embedded.database import Database, Row
from smmu.ports.errors import Corrupt, Full, Unavailable

INSERT = "INSERT INTO turns (topic, turn) VALUES (?, ?)"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
async def neighbour(database: Database) -> AsyncIterator[sqlite3.Connection]:
    """A connection to the same file as another process would have it."""
    ((_, _, path),) = database.read("PRAGMA database_list")
    connection = sqlite3.connect(path, isolation_level=None)
    yield connection
    connection.close()


def insert(name: str, connection: sqlite3.Connection) -> str:
    connection.execute(INSERT, (name, 1))
    return name


def insert_and_fail(name: str, connection: sqlite3.Connection) -> None:
    insert(name, connection)
    raise LookupError(name)


def names(database: Database) -> set[str]:
    return {name for (name,) in database.read("SELECT topic FROM turns")}


def commits_of(database: Database) -> list[str]:
    seen: list[str] = []
    database._writer.set_trace_callback(lambda sql: seen.append(sql) if sql == "COMMIT" else None)
    return seen


async def test_a_write_answers_and_can_be_read_at_once(database: Database) -> None:
    assert await database.write(partial(insert, "a")) == "a"
    assert names(database) == {"a"}
    assert await database.read_long("SELECT topic FROM turns") == [("a",)]


async def test_writes_that_wait_together_are_committed_together(database: Database) -> None:
    commits = commits_of(database)
    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(database.write, partial(insert, str(number)))
    assert len(names(database)) == 50
    assert len(commits) <= 3


async def test_a_write_that_fails_takes_nobody_with_it(database: Database) -> None:
    failed = []

    async def fail(name: str) -> None:
        with pytest.raises(LookupError, match=name):
            await database.write(partial(insert_and_fail, name))
        failed.append(name)

    async with anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(database.write, partial(insert, f"good {number}"))
            group.start_soon(fail, f"bad {number}")
    assert len(failed) == 4
    assert names(database) == {f"good {number}" for number in range(4)}


async def test_nobody_reads_what_is_not_committed(database: Database) -> None:
    seen: list[set[str]] = []

    def look(connection: sqlite3.Connection) -> None:
        insert("a", connection)
        seen.append(names(database))

    await database.write(look)
    assert seen == [set()]


async def test_a_read_waits_for_no_commit_and_sees_nothing_of_it(database: Database) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def hold(sql: str) -> None:
        if sql == "COMMIT":
            begun.set()
            may_end.wait(10)

    database._writer.set_trace_callback(hold)
    async with anyio.create_task_group() as group:
        group.start_soon(database.write, partial(insert, "a"))
        await to_thread.run_sync(begun.wait, 10)
        assert names(database) == set()
        may_end.set()
    assert names(database) == {"a"}


async def test_a_cancelled_follower_leaves_and_the_others_are_served(database: Database) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(database.write, partial(insert, "leader"))
        await anyio.lowlevel.checkpoint()
        async with anyio.create_task_group() as cancelled:
            for number in range(3):
                cancelled.start_soon(database.write, partial(insert, f"cancelled {number}"))
            await anyio.lowlevel.checkpoint()
            cancelled.cancel_scope.cancel()
        group.start_soon(database.write, partial(insert, "follower"))
    await database.write(partial(insert, "last"))
    assert {"leader", "follower", "last"} <= names(database)


async def test_a_follower_that_is_cancelled_when_it_is_to_lead_hands_over(database: Database) -> None:
    with anyio.fail_after(5):
        for round_ in range(20):
            async with anyio.create_task_group() as group:
                group.start_soon(database.write, partial(insert, f"{round_} first"))
                await anyio.lowlevel.checkpoint()
                scopes = [anyio.CancelScope() for _ in range(5)]
                for number, scope in enumerate(scopes):
                    group.start_soon(write_within, scope, database, f"{round_} {number}")
                await anyio.sleep(0.0002 * round_)
                for scope in scopes[:-1]:
                    scope.cancel()
    assert {f"{round_} 4" for round_ in range(20)} <= names(database)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_leader_that_its_server_breaks_off_takes_only_its_own_group_with_it(database: Database) -> None:
    """A server that has no time left cancels its tasks natively, which no shield of anyio's stops."""
    leader = asyncio.ensure_future(database.write(partial(insert, "leader")))
    await anyio.lowlevel.checkpoint()
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    assert await database.write(partial(insert, "later")) == "later"


async def write_within(scope: anyio.CancelScope, database: Database, name: str) -> None:
    with scope:
        await database.write(partial(insert, name))


async def test_waiting_for_another_process_holds_up_nobody_else(
    database: Database, neighbour: sqlite3.Connection
) -> None:
    neighbour.execute("BEGIN IMMEDIATE")
    neighbour.execute(INSERT, ("theirs", 1))
    async with anyio.create_task_group() as group:
        group.start_soon(database.write, partial(insert, "ours"))
        await anyio.sleep(0.05)
        assert names(database) == set()
        neighbour.execute("COMMIT")
    assert names(database) == {"ours", "theirs"}


async def test_a_lock_that_is_never_let_go_is_unavailable(
    database: Database, neighbour: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smmu.adapters.embedded.database._BUSY_SECONDS", 0.05)
    neighbour.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="busy"):
        await database.write(partial(insert, "a"))
    neighbour.execute("ROLLBACK")
    assert await database.write(partial(insert, "b")) == "b"


async def test_no_room_fails_the_write_and_leaves_nothing_of_it(database: Database) -> None:
    ((pages,),) = database.read("PRAGMA page_count")
    database._writer.execute(f"PRAGMA max_page_count = {pages}")
    large = "x" * 100_000
    with pytest.raises(Full):
        await database.write(partial(insert, large))
    assert names(database) == set()
    database._writer.execute(f"PRAGMA max_page_count = {pages + 1000}")
    await database.write(partial(insert, large))
    assert names(database) == {large}


async def test_after_the_end_nothing_is_taken(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "other.db"))
    await database.close()
    with pytest.raises(Unavailable, match="closed"):
        await database.write(partial(insert, "a"))


def test_what_is_no_database_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "no.db"
    path.write_bytes(b"these are not the pages you are looking for" * 100)
    with pytest.raises(Corrupt):
        Database(str(path))


# --- the schema


async def test_data_of_a_newer_program_is_left_alone(tmp_path: Path, neighbour: sqlite3.Connection) -> None:
    neighbour.execute(f"PRAGMA user_version = {len(schema.STEPS) + 1}")
    with pytest.raises(Corrupt, match="newer"):
        Database(str(tmp_path / "smmu.db"))


def test_steps_are_taken_in_order_and_once() -> None:
    steps = ("CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y; INSERT INTO a VALUES (1, 2)")
    connection = sqlite3.connect(":memory:", isolation_level=None)
    schema.migrate(connection, steps[:1])
    schema.migrate(connection, steps)
    schema.migrate(connection, steps)
    assert connection.execute("SELECT x, y FROM a").fetchall() == [(1, 2)]
    connection.close()


def test_a_step_that_fails_leaves_the_form_before_it() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(connection, ("CREATE TABLE a (x)", "nonsense"))
    assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchall() == [(0,)]
    connection.close()


# --- checkpoints


def fill(rows: int, connection: sqlite3.Connection) -> None:
    connection.executemany("INSERT INTO garbage VALUES (?)", [(f"{number:080}",) for number in range(rows)])


async def test_what_is_in_the_log_comes_to_its_place_beside_the_commits(tmp_path: Path) -> None:
    path, others = tmp_path / "smmu.db", {*threading.enumerate()}
    database = Database(str(path))
    before = path.stat().st_size
    await database.write(partial(fill, 5_000))  # 400 KB: fewer pages than those after which a commit would do it
    with anyio.fail_after(30):
        while path.stat().st_size < before + 400_000:  # noqa: ASYNC110 - another thread's work
            await anyio.sleep(0.01)
    await database.close()
    assert "smmu-checkpoints" not in {thread.name for thread in threading.enumerate() if thread not in others}


async def test_a_commit_stands_where_no_thread_can_be_had_for_checkpoints(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    await database.write(partial(fill, 10))  # the threads of commits are there from here on
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        await database.write(lambda connection: connection.execute("DELETE FROM garbage").rowcount)
        await database.write(partial(fill, 2_000))
    assert database.read("SELECT count(*) FROM garbage") == [(2_000,)]


# --- several processes


COUNT = """
import anyio, sys
from smmu.adapters.embedded.database import Database, Row
from smmu.adapters.embedded.ledger import SqliteLedger
from smmu.ports.ledger import Count

async def main():
    database = Database(sys.argv[1])
    ledger = SqliteLedger(database)
    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(count, ledger)
    await database.close()

async def count(ledger):
    for _ in range(25):
        await ledger.commit([Count(owner="ada", deltas={"n": 1})])

anyio.run(main)
"""


def test_a_folder_can_be_opened_while_another_process_makes_it(tmp_path: Path) -> None:
    path = str(tmp_path / "smmu.db")
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")  # of this lock SQLite tells whoever sets WAL at once, without its timeout
    letting_go = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    letting_go.start()

    async def opened() -> list[Row]:
        database = Database(path)
        try:
            return database.read("PRAGMA journal_mode")
        finally:
            await database.close()

    try:
        assert anyio.run(opened) == [("wal",)]
    finally:
        letting_go.join()
        other.close()


def test_processes_that_commit_at_once_lose_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "smmu.db")
    processes = [subprocess.Popen([sys.executable, "-c", COUNT, path]) for _ in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT value FROM counters").fetchall() == [(300,)]
    connection.close()
