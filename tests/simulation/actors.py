"""Who acts in a simulated world: the clients, and the processes that serve them.

A client is outside of every process: what it asks is done inside the API's, and when that dies no answer comes. It
repeats what it was not answered, as a real one does, and looks at its job seldom, because looking costs time.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

from smmu.application.remaking import Once
from smmu.application.system import System
from smmu.application.uploads import Begun, Progress
from smmu.domain import job, upload
from smmu.domain.admission import UploadRequest
from smmu.domain.errors import Code, Refused
from smmu.domain.job import Job
from smmu.domain.remaking import Wish as Renditions
from smmu.domain.upload import Upload
from smmu.domain.values import Checksum
from smmu.ports.errors import Unavailable, WorldError
from smmu.ports.gateway import PATH
from tests.simulation.faults import Process
from tests.simulation.verdict import Acknowledged

R = TypeVar("R")

ANSWER_SECONDS = 30.0  # a client waits no longer for an answer
AGAIN_SECONDS = 3.0
LOOK_SECONDS = 10.0
STRANGER = "mallory"


@dataclass(slots=True)
class Answer(Generic[R]):
    """What comes back over the network, if anything does."""

    done: anyio.Event = field(default_factory=anyio.Event)
    value: R | None = None
    error: Exception = field(default_factory=lambda: Unavailable("no answer came"))

    def get(self) -> R:
        if self.value is None:
            raise self.error
        return self.value


@dataclass(slots=True)
class Api:
    """The way to whichever process serves the API just now."""

    _served: tuple[Process, System, TaskGroup] | None = None

    def open(self, process: Process, system: System, group: TaskGroup) -> None:
        self._served = process, system, group

    def close(self) -> None:
        self._served = None

    async def ask(self, use: Callable[[System], Awaitable[R]]) -> R:
        """Have it done, or `Unavailable`: then it may have been done all the same."""
        if self._served is None or self._served[0].gone:
            raise Unavailable("nobody listens")
        process, system, group = self._served
        answer: Answer[R] = Answer()
        group.start_soon(self._do, process, use, system, answer)
        with anyio.move_on_after(ANSWER_SECONDS):
            await answer.done.wait()
        return answer.get()

    async def _do(
        self, process: Process, use: Callable[[System], Awaitable[R]], system: System, answer: Answer[R]
    ) -> None:
        try:
            value = await use(system)
            answer.value = None if process.gone else value
        except Exception as error:  # noqa: BLE001 - every error is an answer; the client knows which are bugs
            answer.error = error
        finally:
            answer.done.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one client wants: a file processed, perhaps cancelled or deleted after a while, perhaps tried again."""

    data: bytes
    filename: str = "a.mp4"
    content_type: str = "video/mp4"
    owner: str = "alice"
    begin_after: float = 0.0
    size_told: bool = True
    key: str | None = None
    checksum: Checksum | None = None
    cancel_after: float | None = None
    retries: int = 0
    delete_after: float | None = None
    again: tuple[str, ...] = ()  # renditions that are made once more, each asked for by a rival at the same time
    cancel_again_after: float | None = None
    quota_asks: int = 0  # how often it asks again when its owner's quota is used up


@dataclass(slots=True, kw_only=True)
class Client:
    """One client, from the first byte to the end of its job."""

    wish: Wish
    api: Api
    acknowledge: Callable[[Acknowledged], None]
    complain: Callable[[str], None]
    done: bool = False
    refused: int = 0  # how often it was told that the quota is used up

    async def run(self) -> None:
        await anyio.sleep(self.wish.begin_after)
        try:
            sent = await self._send()
            if sent is not None:
                await self._follow(sent)
        except (Refused, WorldError) as error:
            self.complain(f"a client of {self.wish.owner} was told {error!r}")
        self.done = True

    async def ask(self, use: Callable[[System], Awaitable[R]]) -> R:
        while True:
            try:
                return await self.api.ask(use)
            except WorldError as error:
                if not error.retryable:
                    raise
                await anyio.sleep(AGAIN_SECONDS)
            except Refused:
                raise
            except Exception as error:  # noqa: BLE001 - the boundary: what the API would answer with 500
                self.complain(f"the API answered with a bug: {error!r}")
                await anyio.sleep(AGAIN_SECONDS)

    async def _send(self) -> Upload | None:
        wish = self.wish
        size = len(wish.data) if wish.size_told else None
        request = UploadRequest(
            filename=wish.filename, size=size, content_type=wish.content_type, checksum=wish.checksum
        )
        begun = await self._begin(request)
        while begun is not None:
            known = await self.ask(lambda system: system.uploads.get(wish.owner, begun.upload.id))
            if known.upload.state in upload.TERMINAL - {upload.State.COMPLETED}:
                self.complain(f"{known.upload.id} is {known.upload.state}, and nobody asked for that")
                return None
            await self._parts(known)
            completed = await self._complete(begun.upload.id)
            if completed is not None:
                return completed
            await anyio.sleep(AGAIN_SECONDS)
        return None

    async def _begin(self, request: UploadRequest) -> Begun | None:
        """Begin, or give up when there is no room for as long as the client asks for some."""
        wish = self.wish
        while True:
            try:
                return await self.ask(
                    lambda system: system.uploads.begin(wish.owner, request, idempotency_key=wish.key)
                )
            except Refused as refused:
                if refused.code is not Code.QUOTA_EXCEEDED or not wish.quota_asks:
                    raise
                self.refused += 1
            if self.refused >= wish.quota_asks:
                return None
            await anyio.sleep(LOOK_SECONDS)

    async def _parts(self, known: Progress) -> None:
        """Send what is missing; whatever goes wrong, the next look at the upload tells what still is."""
        owner, upload_id = self.wish.owner, known.upload.id
        cut, data = known.upload.layout, self.wish.data
        for number in known.missing:
            piece = data[cut.offset_of(number) :][: cut.part_size]
            try:
                [signed] = await self.ask(lambda system, n=number: system.uploads.sign(owner, upload_id, [n]))  # type: ignore[misc] # a default of a lambda has no type
                await self.api.ask(lambda system, url=signed.url, body=piece: _put(system, url, body))  # type: ignore[misc] # as above
            except (Refused, WorldError):
                return

    async def _complete(self, upload_id: str) -> Upload | None:
        wish = self.wish
        try:
            completed = await self.api.ask(lambda system: system.uploads.complete(wish.owner, upload_id))
        except WorldError:
            return None
        except Refused as refused:
            if refused.code in (Code.UPLOAD_INCOMPLETE, Code.UPLOAD_COMPLETING):
                return None
            raise
        self.acknowledge(
            Acknowledged(
                owner=wish.owner,
                upload_id=upload_id,
                job_id=completed.job_id,
                media_id=completed.media_id,
                size=len(wish.data),
            )
        )
        return completed

    async def _follow(self, sent: Upload) -> None:
        await self._nobody_else(sent)
        if self.wish.cancel_after is not None:
            await anyio.sleep(self.wish.cancel_after)
            await self._try(lambda system: system.jobs.cancel(self.wish.owner, sent.job_id))
        if self.wish.delete_after is not None:
            await anyio.sleep(self.wish.delete_after)
            await self._delete(sent.media_id)
        if self.wish.delete_after is not None:
            await self._ended(sent.job_id)
        elif await self._succeeded(sent.job_id):
            async with anyio.create_task_group() as rivals:
                for name in self.wish.again:
                    rivals.start_soon(self._again, sent.media_id, name)

    async def _succeeded(self, job_id: str) -> bool:
        """Whether a job has, at last, after as many retries as the client has patience for."""
        for _ in range(self.wish.retries):
            if (await self._ended(job_id)).state is job.State.SUCCEEDED:
                return True
            await self._try(lambda system: system.jobs.retry(self.wish.owner, job_id))
        return (await self._ended(job_id)).state is job.State.SUCCEEDED

    async def _again(self, media_id: str, name: str) -> None:
        """Ask until it is this one's turn, then follow the job to its end, perhaps by way of a cancellation."""
        job_id = await self._remade(media_id, name)
        if self.wish.cancel_again_after is not None:
            await anyio.sleep(self.wish.cancel_again_after)
            await self._try(lambda system: system.jobs.cancel(self.wish.owner, job_id))
        await self._succeeded(job_id)

    async def _remade(self, media_id: str, name: str) -> str:
        owner, wish, once = self.wish.owner, Renditions(names=(name,)), Once(key=f"{media_id}/{name}", fingerprint=name)
        while True:
            try:
                made = await self.ask(lambda system: system.remaking.begin(owner, media_id, wish, once=once))
            except Refused as refused:
                if refused.code is not Code.MEDIA_BUSY:
                    raise
            else:
                return made.job.id
            await anyio.sleep(LOOK_SECONDS)

    async def _delete(self, media_id: str) -> None:
        """Ask until it is told to be gone: repeating it when the answer was lost says that there is none."""
        owner = self.wish.owner
        try:
            await self.ask(lambda system: _deleted(system, owner, media_id))
            await self.ask(lambda system: system.library.get(owner, media_id))
        except Refused as refused:
            if refused.code is Code.NOT_FOUND:
                return
            raise
        self.complain(f"{media_id} was deleted, and is there")

    async def _ended(self, job_id: str) -> Job:
        while True:
            seen = (await self.ask(lambda system: system.jobs.get(self.wish.owner, job_id))).job
            if seen.state in job.TERMINAL:
                return seen
            await anyio.sleep(LOOK_SECONDS)

    async def _try(self, use: Callable[[System], Awaitable[Job]]) -> None:
        """Ask for what may come too late: being refused is an answer."""
        try:
            await self.ask(use)
        except Refused as refused:
            if refused.code not in (Code.JOB_NOT_CANCELLABLE, Code.JOB_NOT_RETRYABLE, Code.MEDIA_BUSY):
                raise

    async def _nobody_else(self, sent: Upload) -> None:
        """Another owner learns nothing, not even that it exists."""
        uses: tuple[Callable[[System], Awaitable[object]], ...] = (
            lambda system: system.jobs.get(STRANGER, sent.job_id),
            lambda system: system.uploads.get(STRANGER, sent.id),
            lambda system: system.library.get(STRANGER, sent.media_id),
            lambda system: system.jobs.cancel(STRANGER, sent.job_id),
        )
        for use in uses:
            try:
                await self.ask(use)
            except Refused as refused:
                if refused.code is Code.NOT_FOUND:
                    continue
            self.complain(f"{STRANGER} learned something of {sent.id}")


async def _deleted(system: System, owner: str, media_id: str) -> bool:
    await system.library.delete(owner, media_id)
    return True


async def _put(system: System, url: str, body: bytes) -> object:
    assert system.platform.gateway is not None
    return await system.platform.gateway.receive(url.removeprefix(PATH), len(body), _Body(body))


@dataclass(slots=True)
class _Body:
    """A request's body, in one chunk. An iterator rather than a generator: a crash leaves nothing to close."""

    data: bytes
    read: bool = False

    def __aiter__(self) -> "_Body":
        return self

    async def __anext__(self) -> bytes:
        if self.read:
            raise StopAsyncIteration
        self.read = True
        return self.data
