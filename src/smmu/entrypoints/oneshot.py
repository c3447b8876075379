"""Files in, folders out, and no server: the whole product runs once, over a data folder that nobody sees.

That folder is made inside of the one for the results, so that results are moved and not copied, and it goes away
whatever happens. A result's folder appears at once and whole, or not at all. Each file is one upload of one owner and
goes through every check that an upload of a stranger goes through.
"""

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from smmu.application.system import System
from smmu.application.watermarks import watermark_of
from smmu.bootstrap.opening import lines_of, open_system
from smmu.bootstrap.settings import EmbeddedPlatform, Settings
from smmu.domain import job
from smmu.domain.admission import UploadRequest
from smmu.domain.errors import Code, Refused, refuse
from smmu.domain.facts import Kind
from smmu.domain.options import Options
from smmu.domain.shortfalls import in_words
from smmu.domain.sniff import sniff
from smmu.domain.upload import Upload
from smmu.entrypoints.api.metrics import Meter
from smmu.entrypoints.exporting import export, require_free
from smmu.entrypoints.overheard import Overheard
from smmu.ports.errors import Unavailable, WorldError
from smmu.ports.gateway import PATH
from smmu.ports.uploads import SignedPart

OWNER = "local"
_PIECE_BYTES = 1 << 20
_LOOK_SECONDS = 0.1
_CLEANING_SECONDS = 10
_LEAST = Options(preset="preview-only")  # of a picture that is only laid over others
_OF_THE_WORLD = frozenset({Code.WORLD_UNAVAILABLE, Code.DISK_FULL})

Show = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one file: a `folder` with its `manifest`, or why not. `world_failed`: not the file's fault.

    `warnings` are what is missing of it, in sentences.
    """

    file: Path
    folder: Path | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    message: str = ""
    world_failed: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Processor:
    """Turns files into folders under `out`, which grow under `staging`, with the same wishes for all."""

    system: System
    out: Path
    staging: Path
    options: Options
    overheard: Overheard

    async def process(self, file: Path, name: str, show: Show) -> Outcome:
        """Make the folder `name` of a file. What goes wrong with the file or the world is its outcome."""
        try:
            ended, manifest = await self._process(file, self.out / name, show)
        except Refused as error:
            return Outcome(file=file, code=error.code, message=error.message)
        except (WorldError, OSError) as error:
            words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return Outcome(file=file, code=Code.WORLD_UNAVAILABLE, message=words, world_failed=True)
        return Outcome(file=file, folder=self.out / name, manifest=manifest, warnings=self._warnings(ended))

    async def with_watermark(self, show: Show) -> "Processor":
        """The same, with the picture that is wished over videos taken in as every picture is.

        Raises what is wrong with it or with the world.
        """
        wish = self.options.watermark
        if wish is None:
            return self
        file = Path(wish.image)
        size = _size_of(file)
        await to_thread.run_sync(_require_picture, file, self.system.limits.sniff_bytes)
        done = await self._send(file, size, _LEAST)
        self._require_success(await self._until_over(done.job_id, show))
        options = replace(self.options, watermark=replace(wish, image=done.media_id))
        await watermark_of(self.system.uploads.store, self.system.platform.objects, OWNER, options)
        return replace(self, options=options)

    async def _process(self, file: Path, target: Path, show: Show) -> tuple[job.Job, dict[str, Any]]:
        size = _size_of(file)
        show(0.0, "reading")
        await to_thread.run_sync(require_free, target, file)
        done = await self._send(file, size, self.options)
        try:
            ended = await self._until_over(done.job_id, show)
            self._require_success(ended)
            made = (await self.system.library.get(OWNER, done.media_id)).value
            manifest = await export(self.system.platform.objects, made, target, self.staging / done.media_id)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLEANING_SECONDS):
                await self.system.library.delete(OWNER, done.media_id)  # its bytes were moved, or nobody wants them
        show(1.0, "done")
        return ended, manifest

    def _require_success(self, ended: job.Job) -> None:
        """Raise what a job failed of. Where that was a policy without an answer, whoever runs this may know why."""
        if ended.state is job.State.SUCCEEDED:
            return
        if ended.error is None:
            raise refuse(Code.JOB_CANCELLED, "The job was cancelled.")
        words = self.overheard.of(ended.id).get("policy", "")
        if words or ended.error.code in _OF_THE_WORLD:
            raise Unavailable(words or ended.error.message)
        raise refuse(ended.error.code, ended.error.message)

    def _warnings(self, ended: job.Job) -> tuple[str, ...]:
        """What it lacks; of a hook that gave no answer, what it said instead."""
        heard = self.overheard.of(ended.id)
        return tuple(heard.get(one.subject) or in_words(one) for one in ended.warnings)

    async def _send(self, file: Path, size: int, options: Options) -> Upload:
        """An upload as any other, but that its bytes take no network."""
        uploads = self.system.uploads
        request = UploadRequest(filename=file.name, size=size, options=options)
        begun = (await uploads.begin(OWNER, request)).upload
        for number in range(1, begun.layout.number_max + 1):
            (part,) = await uploads.sign(OWNER, begun.id, [number])
            await self._send_part(file, part, begun.layout.offset_of(number))
        return await uploads.complete(OWNER, begun.id)

    async def _send_part(self, file: Path, part: SignedPart, offset: int) -> None:
        gateway = self.system.platform.gateway
        assert gateway is not None, "the embedded platform serves its own URLs"  # noqa: S101 - or we have a bug
        token = part.url.rpartition(PATH)[2]
        await gateway.receive(token, part.size, _pieces(file, offset, part.size or 0))

    async def _until_over(self, job_id: str, show: Show) -> job.Job:
        while True:
            seen = await self.system.jobs.get(OWNER, job_id)
            if seen.job.state in job.TERMINAL:
                return seen.job
            at_work = sorted({task.name for task in seen.tasks if task.state == "running"})
            show(seen.job.progress / 100, ", ".join(at_work) or str(seen.job.state))
            await anyio.sleep(_LOOK_SECONDS)


@asynccontextmanager
async def processing(settings: Settings, out: Path, options: Options) -> AsyncIterator[Processor]:
    """A processor with everything that it needs running beside it. Raises `OSError` when `out` cannot be written."""
    with _hidden_folder(out) as hidden:
        platform = EmbeddedPlatform(kind="embedded", data=hidden / "data")
        mine = settings.model_copy(update={"platform": platform})
        overheard = Overheard(lines_of(mine, "process") if settings.debug else Meter())  # which shows nothing by itself
        opened = open_system(mine, inline=True, telemetry=overheard)
        async with opened as running, anyio.create_task_group() as group:
            group.start_soon(_serve, running.system, mine)
            yield Processor(running.system, out, hidden, options, overheard)
            group.cancel_scope.cancel()


async def _serve(system: System, settings: Settings) -> None:
    await system.serve(light=settings.workers.light, heavy=settings.workers.heavy)


@contextmanager
def _hidden_folder(out: Path) -> Iterator[Path]:
    if out.is_file():
        raise refuse(Code.INVALID_REQUEST, f"{out} is a file, and results need a folder: choose another --out.")
    out.mkdir(parents=True, exist_ok=True)
    hidden = Path(tempfile.mkdtemp(prefix=".smmu-", dir=out))
    try:
        yield hidden
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


async def _pieces(file: Path, offset: int, length: int) -> AsyncIterator[bytes]:
    async with await anyio.open_file(file, "rb") as source:
        await source.seek(offset)
        while length > 0 and (piece := await source.read(min(length, _PIECE_BYTES))):
            length -= len(piece)
            yield piece


def _size_of(file: Path) -> int:
    """The size of what is a file; refuses whatever else a path may name."""
    if not file.exists():
        raise refuse(Code.NOT_FOUND, "There is no such file.")
    if not file.is_file():
        raise refuse(Code.INVALID_REQUEST, "This is not a file: name the files themselves.")
    return file.stat().st_size


def _require_picture(file: Path, sniff_bytes: int) -> None:
    """Refuse as a watermark what its first bytes say to be a film or a sound, before anything is made of it."""
    with file.open("rb") as source:
        found = sniff(source.read(sniff_bytes))
    if found is not None and found.kind not in (None, Kind.IMAGE):
        raise refuse(Code.INVALID_WATERMARK, f"This is {found.label}, and no picture: name one that is.")
