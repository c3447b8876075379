"""One folder and the processes that have it open: who serves it, what each sees of the other, what a start recovers."""

from pathlib import Path

import anyio
import pytest

from smmu.adapters.embedded.platform import open_platform
from smmu.adapters.embedded.secret import FileSecrets
from smmu.domain.limits import Limits
from smmu.ports.errors import Unavailable
from smmu.ports.ledger import Put
from smmu.ports.platform import Platform
from smmu.ports.queue import Message, Topic
from smmu.ports.records import Stored, key_of
from tests.support.records import a_job


def message(name: str, group: str = "ada") -> Message:
    return Message(id=name, topic=Topic.TASKS, body={"n": 1}, group=group)


@pytest.mark.usefixtures("platform")
async def test_a_folder_is_served_by_one_process(folder: Path) -> None:
    with pytest.raises(Unavailable, match="stop it first"):
        async with open_platform(str(folder), Limits(), exclusive=True):
            pass


async def test_an_error_inside_leaves_as_it_is(folder: Path) -> None:
    with pytest.raises(LookupError, match="mine"):
        async with open_platform(str(folder), Limits(), exclusive=True):
            raise LookupError("mine")


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # who runs tests as root may write anywhere
    with pytest.raises(Unavailable, match=f"^{tmp_path} cannot be the data folder: it cannot be read and written$"):
        async with open_platform(str(tmp_path), Limits(), exclusive=True):
            pass


async def test_nobody_works_beside_a_server_that_never_was(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="nothing was ever served from it"):
        async with open_platform(str(tmp_path / "typo"), Limits(), exclusive=False):
            pass
    assert list(tmp_path.iterdir()) == []


async def test_a_worker_beside_the_server_sees_and_is_seen(folder: Path, platform: Platform) -> None:
    await platform.ledger.commit([Put(value=a_job(), expect=0)])
    async with open_platform(str(folder), Limits(), exclusive=False) as worker:
        assert await worker.ledger.load(key_of(a_job())) == Stored(a_job(), 1)
        await worker.ledger.commit([Put(value=a_job(progress=7), expect=1)])
        ref = await worker.objects.put("media/x", b"bytes", content_type="x/y")
    assert await platform.ledger.load(key_of(a_job())) == Stored(a_job(progress=7), 2)
    assert await (await platform.objects.open(ref)).read(0, 10) == b"bytes"


async def test_a_message_of_another_process_is_noticed_soon(folder: Path, platform: Platform) -> None:
    async with (
        open_platform(str(folder), Limits(), exclusive=False) as other,
        anyio.create_task_group() as group,
    ):
        group.start_soon(send_after, other, 0.1)
        with anyio.fail_after(1):
            (delivery,) = await platform.queue.receive(Topic.TASKS, limit=5, lease_seconds=9, wait_seconds=30)
    assert delivery.message == message("m1")


async def send_after(platform: Platform, seconds: float) -> None:
    await anyio.sleep(seconds)
    await platform.queue.send([message("m1")])


async def test_a_message_of_this_process_is_noticed_at_once(platform: Platform) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(send_after, platform, 0.01)
        with anyio.fail_after(0.2):
            assert await platform.queue.receive(Topic.TASKS, limit=5, lease_seconds=9, wait_seconds=30)


async def test_a_fresh_server_owns_nothing_so_all_leases_are_over(folder: Path) -> None:
    async with open_platform(str(folder), Limits(), exclusive=True) as platform:
        await platform.queue.send([message("m1")])
        (held,) = await platform.queue.receive(Topic.TASKS, limit=1, lease_seconds=3_600, wait_seconds=0)
    async with open_platform(str(folder), Limits(), exclusive=False) as worker:
        assert await worker.queue.receive(Topic.TASKS, limit=1, lease_seconds=9, wait_seconds=0) == ()
    async with open_platform(str(folder), Limits(), exclusive=True) as platform:
        (again,) = await platform.queue.receive(Topic.TASKS, limit=1, lease_seconds=9, wait_seconds=0)
        assert again.receives == 2
        assert again.receipt != held.receipt


async def test_groups_take_turns_whenever_they_come(platform: Platform) -> None:
    await platform.queue.send([message(f"ada {number}") for number in range(100)])
    for _ in range(10):
        await platform.queue.receive(Topic.TASKS, limit=1, lease_seconds=60, wait_seconds=0)
    await platform.queue.send([message(f"bob {number}", "bob") for number in range(50)])
    await platform.queue.send([message("cy 0", "cy")])
    served = [
        delivery.message.group
        for _ in range(30)
        for delivery in await platform.queue.receive(Topic.TASKS, limit=1, lease_seconds=60, wait_seconds=0)
    ]
    assert "cy" in served[:3]
    assert 14 <= served.count("bob") <= 16


async def test_two_processes_have_the_same_secret_and_two_folders_have_not(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    secrets = [await FileSecrets(folder).secret("playback") for folder in (tmp_path, tmp_path, tmp_path / "other")]
    assert secrets[0] == secrets[1] != secrets[2]
    assert (tmp_path / "playback.secret").stat().st_mode & 0o777 == 0o600
