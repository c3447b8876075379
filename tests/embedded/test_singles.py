"""Objects that are sent whole: what is left of a session on disk and in the database, which is next to nothing."""

from pathlib import Path

from smmu.adapters.embedded.database import Database
from smmu.adapters.embedded.platform import open_platform
from smmu.adapters.inmemory.system import FixedClock
from smmu.domain.limits import Limits
from smmu.ports.platform import Platform
from smmu.ports.uploads import Session
from tests.support.sessions import KEY, A, names, send

DAY = 24 * 3600


async def begin(platform: Platform, key: str = KEY) -> Session:
    return await platform.uploads.begin(key, method="single", part_size=0, content_type="video/mp4")


def changes(database: Database) -> int:
    return database._writer.total_changes


def ends(database: Database) -> list[str]:
    return [key for (key,) in database.read("SELECT key FROM ended ORDER BY key")]


async def test_only_the_put_writes(folder: Path, platform: Platform) -> None:
    database = platform.uploads._db  # type: ignore[attr-defined] # to see that nothing is written
    before = changes(database)
    session = await begin(platform)
    assert changes(database) == before
    stored = await send(platform, session, 1, A)
    after = changes(database)
    ref = await platform.uploads.complete(session, [stored])
    assert changes(database) == after
    assert names(folder, "objects") == {ref.version}


async def test_bytes_that_come_again_leave_no_second_file(folder: Path, platform: Platform) -> None:
    session = await begin(platform)
    stored = await send(platform, session, 1, A)
    assert await send(platform, session, 1, A) == stored
    ref = await platform.uploads.complete(session, [stored])
    assert (names(folder, "incoming"), names(folder, "objects")) == (set(), {ref.version})


async def test_an_end_is_remembered_for_longer_than_any_url_lives(folder: Path) -> None:
    clock, limits = FixedClock(), Limits()
    async with open_platform(str(folder), limits, exclusive=True, clock=clock) as platform:
        database = platform.uploads._db  # type: ignore[attr-defined] # to see what is remembered
        for key, seconds in (("a", limits.url_seconds_max + DAY), ("b", 1), ("c", 0)):
            await platform.uploads.abort(await begin(platform, key))
            clock.advance(seconds)
        assert ends(database) == ["b", "c"]
