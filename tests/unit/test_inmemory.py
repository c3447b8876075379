"""What the in-memory platform does beyond the contract: S3's limits, crashes, weather, and time that can be foreseen."""

import random
from typing import Any

import anyio
import pytest
import trio.testing

from smmu.adapters.inmemory.platform import memory_platform
from smmu.adapters.inmemory.system import EPOCH, AnyioClock, CountingIds, FixedClock, MemoryTelemetry
from smmu.adapters.inmemory.weather import Weather
from smmu.adapters.inmemory.world import World
from smmu.domain.job import Job
from smmu.domain.limits import PART_BYTES_MIN, Limits
from smmu.domain.values import JOB, is_id
from smmu.ports.about import About
from smmu.ports.errors import Corrupt
from smmu.ports.ledger import Put, Query
from smmu.ports.platform import Platform
from smmu.ports.queue import Topic
from smmu.ports.records import Stored, key_of
from smmu.ports.uploads import PartSlot, StoredPart
from tests.support.delivery import content, deliver
from tests.support.records import OWNER, a_job, a_message

KEY = "raw/ada/upl_1/source"


def platform_in(weather: Weather, world: World | None = None, clock: FixedClock | None = None) -> Platform:
    return memory_platform(Limits(), clock=clock, world=world, weather=weather, part_bytes_min=1)


async def received(platform: Platform) -> list[str]:
    deliveries = await platform.queue.receive(Topic.JOBS, limit=100, lease_seconds=30, wait_seconds=0)
    return [delivery.message.id for delivery in deliveries]


async def test_what_is_durable_survives_the_adapters() -> None:
    world = World()
    before, after = memory_platform(Limits(), world=world), memory_platform(Limits(), world=world)
    await before.ledger.commit([Put(value=a_job(), expect=0)], [a_message()])
    await before.queue.send([a_message()])
    await before.objects.put(KEY, b"x", content_type="video/mp4")
    assert await after.ledger.load(key_of(a_job())) == Stored(a_job(), 1)
    assert list(await after.ledger.outgoing(9)) == [a_message()]
    assert await received(after) == ["m1"]
    assert await content(after, KEY) == b"x"


async def test_a_send_of_one_process_wakes_a_receiver_of_another() -> None:
    world = World()
    one, other = memory_platform(Limits(), world=world), memory_platform(Limits(), world=world)
    async with anyio.create_task_group() as group:
        group.start_soon(one.queue.send, [a_message()])
        with anyio.fail_after(5):
            found = await other.queue.receive(Topic.JOBS, limit=1, lease_seconds=30, wait_seconds=60)
    assert len(found) == 1


async def test_a_part_but_the_last_is_never_smaller_than_s3_allows() -> None:
    platform = memory_platform(Limits())
    with pytest.raises(ValueError, match="parts of"):
        await platform.uploads.begin(KEY, method="multipart", part_size=PART_BYTES_MIN - 1, content_type="video/mp4")
    session = await platform.uploads.begin(KEY, method="multipart", part_size=PART_BYTES_MIN, content_type="video/mp4")
    parts: list[StoredPart] = []
    for number in (1, 2):
        slot = PartSlot(number=number, size=10)
        (signed,) = await platform.uploads.sign(session, [slot], expires_at=platform.clock.now() + 9)
        parts.append(await deliver(platform, signed, bytes(10)))
    with pytest.raises(Corrupt):
        await platform.uploads.complete(session, parts)


@pytest.mark.parametrize("slot", [(0, 1), (10_001, 1), (1, 101), (1, -1)])
async def test_no_url_is_signed_for_a_part_that_cannot_be(slot: tuple[int, int]) -> None:
    platform = platform_in(Weather())
    session = await platform.uploads.begin(KEY, method="multipart", part_size=100, content_type="video/mp4")
    with pytest.raises(ValueError, match="no part"):
        await platform.uploads.sign(session, [PartSlot(number=slot[0], size=slot[1])], expires_at=EPOCH)


# --- weather


async def test_in_bad_weather_messages_come_twice_late_and_out_of_order() -> None:
    chance = random.Random(7).random
    clock = FixedClock()
    weather = Weather(chance=chance, queue_duplicates=0.3, queue_reorders=1.0, queue_delays=0.3)
    platform = platform_in(weather, clock=clock)
    names = [f"m{number:02}" for number in range(30)]
    await platform.queue.send([a_message(name) for name in names])
    at_once = await received(platform)
    clock.advance(weather.queue_delay_seconds_max)
    found = at_once + await received(platform)
    assert set(found) == set(names)
    assert len(found) > len(names)
    assert len(at_once) < len(found)
    assert at_once != sorted(at_once)


async def test_in_bad_weather_what_is_due_is_known_late_but_is_known() -> None:
    clock = FixedClock()
    platform = platform_in(Weather(chance=lambda: 0.5, due_lags=1.0), clock=clock)
    await platform.ledger.commit([Put(value=a_job(), expect=0, due_at=0.0)])
    assert await platform.ledger.due(EPOCH, 10) == []
    clock.advance(5)
    assert list(await platform.ledger.due(EPOCH, 10)) == [key_of(a_job())]


async def test_in_bad_weather_pages_are_short_and_together_whole() -> None:
    platform = platform_in(Weather(chance=random.Random(3).random, short_pages=0.9))
    names = [f"job_{number}" for number in range(9)]
    kinds = {name: "image" if number % 3 else "video" for number, name in enumerate(names)}
    await platform.ledger.commit([Put(value=a_job(name, kind=kinds[name]), expect=0) for name in names])
    found: list[str] = []
    sizes: list[int] = []
    cursor: str | None = None
    while not sizes or cursor is not None:
        page = await platform.ledger.query(Query(type=Job, owner=OWNER, kind="video", after=cursor, limit=3))
        cursor = page.cursor
        found += [item.value.id for item in page.items]
        sizes.append(len(page.items))
    assert found == [name for name in names if kinds[name] == "video"]
    assert 0 in sizes


async def test_in_bad_weather_a_late_put_makes_a_single_object_anew_and_the_pin_notices() -> None:
    platform = platform_in(Weather(late_single_puts=True))
    session = await platform.uploads.begin(KEY, method="single", part_size=0, content_type="video/mp4")
    slot = PartSlot(number=1, size=3)
    (signed,) = await platform.uploads.sign(session, [slot], expires_at=platform.clock.now() + 9)
    ref = await platform.uploads.complete(session, [await deliver(platform, signed, b"one")])
    await platform.uploads.abort(session)
    await deliver(platform, signed, b"two")
    assert await content(platform, KEY) == b"two"
    info = await platform.objects.stat(KEY)
    assert info is not None
    assert info.ref != ref


# --- time and chance


def test_time_on_the_event_loop_can_be_virtual() -> None:
    clock = AnyioClock()

    async def sleep_long() -> float:
        before = clock.now()
        await anyio.sleep(86_400)
        return clock.now() - before

    options: dict[str, Any] = {"clock": trio.testing.MockClock(autojump_threshold=0)}
    assert anyio.run(sleep_long, backend="trio", backend_options=options) == pytest.approx(86_400)


def test_the_same_seed_makes_the_same_ids() -> None:
    first, second, third = (CountingIds(FixedClock(), seed) for seed in (1, 1, 2))
    ids = [first.new(JOB) for _ in range(3)]
    assert ids == [second.new(JOB) for _ in range(3)]
    assert len({*ids, third.new(JOB)}) == 4
    assert all(is_id(JOB, name) for name in ids)


def test_telemetry_keeps_what_it_is_told() -> None:
    telemetry = MemoryTelemetry()
    telemetry.event("job_failed", job_id="job_1")
    with About(owner="ada", job_id="job_0"):
        telemetry.event("job_failed", job_id="job_2")
    telemetry.flush()
    assert telemetry.named("job_failed") == [{"job_id": "job_1"}, {"owner": "ada", "job_id": "job_2"}]
