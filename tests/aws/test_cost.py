"""What a job asks of AWS is bounded by its kind, and does not grow with its file but for parts and chunks.

docs/cost.md has the numbers and their price; these are the laws behind them.
"""

from collections import Counter
from pathlib import Path

import anyio
import pytest

from smmu.domain.limits import MIB, Limits
from tests.support.aws.cloud import Cloud
from tests.support.aws.metering import Taken, idle, left_alone, metered
from tests.support.media import clip, photo, song

pytestmark = [pytest.mark.slow, pytest.mark.served, pytest.mark.timeout(300)]

_ROOM = 3  # who meets another writer looks and writes again
_NEWS = ("dynamodb:GetItem", "dynamodb:TransactWriteItems")  # each news is one of these, a query, and mostly a write
_PROGRESS = ("dynamodb:Query", "dynamodb:PutItem")
_NEWS_OF_A_TASK = 1 + 10 + 1  # it began, each tenth of it (SMMU_LIMITS__PROGRESS_PERCENT), it ended


@pytest.fixture(scope="module")
def jobs(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Taken]:
    """What jobs took, by their files' names."""
    folder = tmp_path_factory.mktemp("files")
    files = [
        photo(folder / "photo.jpg", size=(2600, 1950)),
        photo(folder / "large photo.jpg", size=(4000, 3000)),
        song(folder / "song.mp3", seconds=10),
        clip(folder / "film.mp4", seconds=4, size=(640, 360)),
        clip(folder / "long film.mp4", seconds=24, size=(640, 360)),
    ]
    return {path.stem: anyio.run(metered, cloud, path) for path in files}


def fixed(taken: Taken) -> Counter[str]:
    """The requests that are no news of progress: how many of those there are depends on how long the work takes."""
    told = taken.requests["dynamodb:Query"]
    others = {name: count for name, count in taken.requests.items() if name not in _PROGRESS}
    return Counter({name: count - told * (name in _NEWS) for name, count in others.items()})


def grown(small: Taken, large: Taken) -> dict[str, int]:
    """By how many requests the larger one differs, where that is more than chance."""
    one, other = fixed(small), fixed(large)
    changes = {name: other[name] - one[name] for name in {*one, *other}}
    return {name: change for name, change in changes.items() if abs(change) > _ROOM}


@pytest.mark.parametrize(
    ("name", "records", "storage"),
    [("photo", 34, 35), ("song", 34, 33), ("film", 46, 56), ("long film", 46, 65)],
)
def test_a_kind_of_media_has_its_bounds(jobs: dict[str, Taken], name: str, records: int, storage: int) -> None:
    asked, taken = fixed(jobs[name]), jobs[name]
    assert sum(count for what, count in asked.items() if what.startswith("dynamodb:")) <= records + _ROOM
    assert taken.of("s3").total() <= storage
    assert (taken.of("sqs").total(), taken.of("states").total()) == (1, 1)
    assert not taken.of("ecs")


@pytest.mark.parametrize(("small", "large"), [("photo", "large photo"), ("film", "long film")])
def test_a_larger_file_takes_the_same_way(jobs: dict[str, Taken], small: str, large: str) -> None:
    one, other = jobs[small], jobs[large]
    assert one.transitions == other.transitions
    assert len(one.machines) == len(other.machines)
    assert {name: calls for name, (calls, _) in one.invocations.items()} == {
        name: calls for name, (calls, _) in other.invocations.items()
    }


def test_a_larger_photo_asks_for_nothing_more(jobs: dict[str, Taken]) -> None:
    assert grown(jobs["photo"], jobs["large photo"]) == {}


def test_a_longer_film_asks_for_more_segments_and_nothing_else(jobs: dict[str, Taken]) -> None:
    more = grown(jobs["film"], jobs["long film"])
    assert set(more) <= {"s3:PutObject"}
    assert more["s3:PutObject"] <= 3 * 4  # two rungs and their sound, four segments of 6 s


def test_news_of_progress_are_few_however_long_the_work_takes(jobs: dict[str, Taken]) -> None:
    for taken in jobs.values():
        tasks = len(taken.machines) + 2  # inspect and publish
        assert taken.requests["dynamodb:Query"] <= tasks * _NEWS_OF_A_TASK + _ROOM
        beats = sum(machine.seconds for machine in taken.machines) / Limits().heartbeat_seconds
        assert taken.requests["dynamodb:PutItem"] <= tasks * _NEWS_OF_A_TASK + beats + _ROOM


async def test_an_upload_in_parts_asks_once_more_for_each_part_and_chunk(cloud: Cloud, tmp_path: Path) -> None:
    large = song(tmp_path / "long.wav", seconds=101 * MIB / 96_000)
    taken = await metered(cloud, large)
    asked = taken.of("s3")
    assert asked["UploadPart"] == -(-large.stat().st_size // (16 * MIB))
    assert (asked["CreateMultipartUpload"], asked["ListParts"], asked["CompleteMultipartUpload"]) == (1, 1, 1)
    assert asked["GetObject"] <= 3 * large.stat().st_size / (4 * MIB)
    assert asked["HeadObject"] <= 10


def test_an_idle_sweep_asks_each_shard_once_and_storage_only_when_told_to(cloud: Cloud) -> None:
    assert idle(cloud).requests == {"dynamodb:Query": 16}
    assert idle(cloud, orphans=True).requests == {"dynamodb:Query": 16, "s3:ListMultipartUploads": 1}


async def test_between_two_sweeps_an_idle_system_asks_for_nothing(cloud: Cloud) -> None:
    assert (await left_alone(cloud, 2.0)).requests == {}
