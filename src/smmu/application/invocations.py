"""Tasks as an orchestrator that is a service asks for them: open one, do a light one, collect what a heavy one gave.

Each call may be repeated, doubled or late. The task's record decides, as it does for workers that take messages: a
try is claimed once, and what has ended is answered again and not done again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smmu.application.heavy import told_of
from smmu.application.store import Store, until_settled
from smmu.application.worker import Worker
from smmu.domain import job, task
from smmu.domain.errors import WORDS, Code
from smmu.domain.job import Job
from smmu.domain.pipeline import Weight
from smmu.domain.task import State, Task
from smmu.ports.errors import NotFound
from smmu.ports.system import Clock
from smmu.ports.tasks import Exit, TaskRunner


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """A task of a run, as the pipeline names it. `path` is its place in the pipeline value; `given` what it takes."""

    owner: str
    job_id: str
    attempt: int
    path: str
    does: str
    name: str
    weight: Weight
    seconds_max: int
    given: Mapping[str, Any]
    trace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a try of a heavy task was started as: try number `tries`, under the runner's `handle`.

    `function` is how the function ended that a small task was given to: "" where it ended well, else the error. `None`:
    there was none. Where it could not be had the try may have been given to a machine after all.
    """

    tries: int
    handle: str
    function: str | None = None


class TaskFailed(Exception):
    """The try ended with `error`, the name that the pipeline's rules match."""

    def __init__(self, error: str, message: str, task_id: str) -> None:
        super().__init__(message)
        self.error = error
        self.task_id = task_id


class Held(Exception):
    """Another worker is at it under a lease: ask again later, start nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocations:
    """What a service's runs ask of the application."""

    store: Store
    worker: Worker
    tasks: TaskRunner
    clock: Clock

    async def open(self, asked: Invocation) -> Task:
        """The task, queued for its next try; as it is when it was done, or is being done, already.

        Raises `TaskFailed` with `job_cancelled` when its job does not want it any more.
        """
        opened = task.opened(
            owner=asked.owner,
            job_id=asked.job_id,
            attempt=asked.attempt,
            path=asked.path,
            does=asked.does,
            name=asked.name,
            weight=asked.weight,
            given=asked.given,
            seconds_max=asked.seconds_max,
            now=self.clock.now(),
            trace=asked.trace,
        )
        return await until_settled(lambda: self._open(opened))

    async def perform(self, asked: Invocation) -> Any:  # noqa: ANN401 - a JSON value
        """Do a light task here; what it gives. Raises `TaskFailed`, and `Held` when another does it."""
        opened = await self.open(asked)
        if opened.state is State.QUEUED:
            await self.worker.perform(opened.owner, opened.record_id, len(opened.failures))
        return await self._outcome(opened.owner, opened.record_id, None)

    async def collect(self, owner: str, record_id: str, machine: Machine) -> Any:  # noqa: ANN401 - a JSON value
        """What a heavy task gave, once its machine has stopped. Raises `TaskFailed`, and `Held` while it goes on.

        A worker that ended without a word is given one: how its machine stopped is the error.
        """
        return await self._outcome(owner, record_id, machine)

    async def _open(self, opened: Task) -> Task:
        stored = await self.store.find(Task, opened.owner, opened.record_id)
        if stored is not None and stored.value.state is State.SUCCEEDED:
            return stored.value
        await self._require_wanted(opened)
        if stored is None:
            await self.store.commit([self.store.put(opened)])
            return opened
        known, now = stored.value, self.clock.now()
        if task.lease_lost(known, now):
            known = task.fail(known, Code.INTERRUPTED, "Its worker was not heard of any more.", now)
        if known.state is State.FAILED:
            known = task.requeue(known, now, now)
            await self.store.commit([self.store.put(known, stored.version)])
        return known

    async def _require_wanted(self, opened: Task) -> None:
        stored = await self.store.find(Job, opened.owner, opened.job_id)
        if stored is None or stored.value.attempt != opened.attempt or not _at_work(stored.value):
            raise TaskFailed(Code.JOB_CANCELLED, "The job does not want this task any more.", opened.id)

    async def _outcome(self, owner: str, record_id: str, machine: Machine | None) -> Any:  # noqa: ANN401 - JSON
        known = (await self.store.get(Task, owner, record_id)).value
        if known.state in (State.QUEUED, State.RUNNING):
            known = await self._settled(known, machine)
        if known.state is State.SUCCEEDED:
            return known.output
        if known.state is State.CANCELLED:
            raise TaskFailed(Code.JOB_CANCELLED, "The task was cancelled.", known.id)
        last = known.failures[-1]
        raise TaskFailed(last.error, last.message, known.id)

    async def _settled(self, known: Task, machine: Machine | None) -> Task:
        """A task that nobody has ended, ended by what became of its worker; `Held` while that may still go on."""
        error, words, detail = await self._cause(known, machine)
        await self.worker.bury(known.owner, known.record_id, len(known.failures), error, words, detail=detail)
        after = (await self.store.get(Task, known.owner, known.record_id)).value
        if after.state in (State.QUEUED, State.RUNNING):
            raise Held(f"task {known.id} has begun another try")
        return after

    async def _cause(self, known: Task, machine: Machine | None) -> tuple[str, str, str]:
        """The error, what its owner is told, and what operators are."""
        if task.lease_lost(known, self.clock.now()):
            return Code.INTERRUPTED, "Its worker was not heard of any more.", ""
        if machine is None or machine.tries != len(known.failures):
            raise Held(f"task {known.id} is {known.state}")
        try:
            status = await self.tasks.inspect(machine.handle)
        except NotFound:
            return _without_machine(known, machine)
        if status.exit in (None, Exit.DONE):
            raise Held(f"task {known.id} is {known.state}")
        return *told_of(status.exit), status.detail


def _without_machine(known: Task, machine: Machine) -> tuple[str, str, str]:
    """Why a try failed that no machine ever had; `Held` where a function ended well, so that another has it."""
    if machine.function is None:
        return Code.WORLD_UNAVAILABLE, "No machine could be had for it.", ""
    if not machine.function:
        raise Held(f"task {known.id} is {known.state}")
    code = Code(machine.function) if machine.function in frozenset(Code) else Code.CRASHED
    return code, WORDS.get(code, WORDS[Code.CRASHED]), f"the function ended with {machine.function}"


def _at_work(known: Job) -> bool:
    return known.state in job.ACTIVE and known.state is not job.State.CANCELLING
