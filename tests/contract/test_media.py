"""The promises of `ports/media.py` and `ports/classify.py`, as the pretend engines keep them.

The real engines are tested on real files; what pretends must keep the same promises, or simulations prove nothing.
"""

from dataclasses import dataclass, field

import anyio
import pytest

from smmu.adapters.inmemory.media import REJECT, PretendEngine, pretend_file
from smmu.adapters.inmemory.objects import MemoryObjectStore
from smmu.adapters.inmemory.system import FixedClock
from smmu.adapters.inmemory.world import World
from smmu.domain.errors import Code, Refused
from smmu.domain.facts import Kind, MediaFacts
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import PlannedTask
from smmu.domain.planner import plan
from smmu.domain.sniff import sniff
from smmu.ports.errors import TaskDied
from smmu.ports.objects import Body, Source

ENGINE = PretendEngine(speed=None)


@pytest.fixture
def anyio_backend() -> str:
    """These are of no platform: once is enough."""
    return "asyncio"


@dataclass(slots=True)
class Folder:
    """A sink that keeps what it is given."""

    files: dict[str, tuple[Body, str]] = field(default_factory=dict)

    async def put(self, path: str, body: Body, content_type: str) -> None:
        self.files[path] = (body, content_type)


@dataclass(slots=True)
class Told:
    """The progress that was told."""

    values: list[float] = field(default_factory=list)

    async def __call__(self, value: float) -> None:
        self.values.append(value)


async def source_of(data: bytes) -> Source:
    objects = MemoryObjectStore(World(), FixedClock())
    return await objects.open(await objects.put("k", data, content_type="video/mp4"))


def tasks_of(facts: MediaFacts) -> list[PlannedTask]:
    return [task for stage in plan(facts, Options(), Limits()).stages for task in stage.tasks]


@pytest.mark.parametrize("kind", Kind)
async def test_a_pretend_file_is_what_it_sniffs_as(kind: Kind) -> None:
    data = pretend_file(kind, size=5_000)
    facts, sniffed = await ENGINE.inspect(await source_of(data)), sniff(data)
    assert sniffed is not None
    assert (facts.kind, facts.container, facts.size_bytes) == (kind, sniffed.container, 5_000)


async def test_facts_are_what_the_file_tells() -> None:
    facts = await ENGINE.inspect(await source_of(pretend_file(duration_s=12.5, width=640, height=360, audio=False)))
    assert facts.video is not None
    assert (facts.duration_s, facts.video.width, facts.video.height, facts.audio) == (12.5, 640, 360, ())


async def test_any_other_bytes_are_a_clip_that_follows_from_them() -> None:
    first, again, other = [await ENGINE.inspect(await source_of(data)) for data in (b"one", b"one", b"other")]
    assert first == again
    assert (first.kind, first.duration_s) != (other.kind, other.duration_s)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (REJECT + b"x", Code.REJECTED_NOT_MEDIA),
        (pretend_file(refuse=Code.REJECTED_TRUNCATED), Code.REJECTED_TRUNCATED),
    ],
)
async def test_a_file_at_fault_is_refused_with_its_code(data: bytes, code: Code) -> None:
    with pytest.raises(Refused) as refusal:
        await ENGINE.inspect(await source_of(data))
    assert refusal.value.code is code


async def test_a_decoder_that_dies_says_of_what() -> None:
    source = await source_of(pretend_file(dies="out_of_memory"))
    with pytest.raises(TaskDied) as death:
        await ENGINE.inspect(source)
    assert death.value.cause == "out_of_memory"


async def test_a_renderer_that_dies_leaves_nothing() -> None:
    source = await source_of(pretend_file(dies_rendering="crashed"))
    folder = Folder()
    with pytest.raises(TaskDied):
        await ENGINE.render(source, tasks_of(await ENGINE.inspect(source))[0], folder, Told())
    assert folder.files == {}


@pytest.mark.parametrize("kind", Kind)
async def test_every_rendition_owed_is_made_proven_and_stored(kind: Kind) -> None:
    source = await source_of(pretend_file(kind))
    for task in tasks_of(await ENGINE.inspect(source)):
        folder = Folder()
        renditions = await ENGINE.render(source, task, folder, Told())
        assert [rendition.name for rendition in renditions] == [spec.name for spec in task.renditions]
        assert all(rendition.proof.ok for rendition in renditions)
        files = [file for rendition in renditions for file in rendition.files]
        assert {file.path for file in files} == set(folder.files)
        sizes = {path: len(body) for path, (body, _) in folder.files.items() if isinstance(body, bytes)}
        assert sizes == {file.path: file.size for file in files}


async def test_rendering_again_makes_the_same() -> None:
    source = await source_of(pretend_file())
    task = tasks_of(await ENGINE.inspect(source))[0]
    first, second = Folder(), Folder()
    assert await ENGINE.render(source, task, first, Told()) == await ENGINE.render(source, task, second, Told())
    assert first == second


async def test_progress_never_goes_back_and_ends_at_one() -> None:
    told = Told()
    source = await source_of(pretend_file())
    await ENGINE.render(source, tasks_of(await ENGINE.inspect(source))[0], Folder(), told)
    assert told.values == sorted(told.values)
    assert (told.values[0], told.values[-1]) == (0.0, 1.0)


async def test_rendering_takes_time_in_proportion() -> None:
    engine = PretendEngine(speed=100.0)
    source = await source_of(pretend_file(duration_s=10))
    started = anyio.current_time()
    await engine.render(source, tasks_of(await engine.inspect(source))[0], Folder(), Told())
    assert 0.09 < anyio.current_time() - started < 1
