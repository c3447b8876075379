"""A deployment whose services are a test: it asks as they do, and says how machines of elsewhere stopped."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.adapters.inmemory.platform import memory_platform
from smmu.adapters.inmemory.system import FixedClock, MemoryTelemetry
from smmu.application.heavy import machine_request
from smmu.application.invocations import Invocation, Machine
from smmu.application.messages import request_in
from smmu.application.system import System, assemble
from smmu.bootstrap.embedding import send
from smmu.domain.admission import UploadRequest
from smmu.domain.limits import Limits
from smmu.domain.pipeline import Weight
from smmu.domain.task import Task
from smmu.ports.classify import Classifier
from smmu.ports.errors import NotFound
from smmu.ports.orchestrator import Orchestrator, RunRequest, RunStatus
from smmu.ports.platform import Capability
from smmu.ports.policy import Policy
from smmu.ports.queue import Topic
from smmu.ports.records import Key
from smmu.ports.speech import SpeechRecognizer
from smmu.ports.tasks import Exit, TaskRunner, TaskStatus

OWNER = "ada"
DETAIL = "CannotPullContainerError: 123456789012.dkr.ecr: i/o timeout"  # as services explain themselves to operators
FILE = pretend_file(size=2_000)


@dataclass(slots=True)
class Ledgerless(Orchestrator):
    """A service that remembers which runs it was asked for."""

    runs: dict[str, str] = field(default_factory=dict)

    async def start(self, request: RunRequest) -> None:
        self.runs.setdefault(request.name, "running")

    async def cancel(self, request: RunRequest) -> None:
        self.runs[request.name] = "cancelled"

    async def describe(self, request: RunRequest) -> RunStatus | None:
        state: Any = self.runs.get(request.name)
        return RunStatus(name=request.name, state=state) if state else None


@dataclass(slots=True)
class Machines(TaskRunner):
    """Machines of elsewhere: how each stopped is what a test says."""

    ended: dict[str, Exit] = field(default_factory=dict)
    began: set[str] = field(default_factory=set)

    async def inspect(self, handle: str) -> TaskStatus:
        if handle not in self.began:
            raise NotFound("no such machine")
        return TaskStatus(exit=self.ended.get(handle), detail=DETAIL)

    async def stop(self, handle: str) -> None:
        self.ended[handle] = Exit.INTERRUPTED


@dataclass(slots=True, kw_only=True)
class Deployment:
    system: System
    runs: Ledgerless
    machines: Machines
    clock: FixedClock
    run: RunRequest

    def asked(self, does: str, given: Mapping[str, Any] | None = None, **changed: Any) -> Invocation:
        fields: dict[str, Any] = {
            "owner": OWNER,
            "job_id": self.run.job_id,
            "attempt": self.run.attempt,
            "path": f"job.{does}",
            "does": does,
            "name": does,
            "weight": Weight.LIGHT,
            "seconds_max": 300,
            "given": given or {},
        }
        return Invocation(**(fields | changed))

    async def inspect(self) -> Any:
        return await self.system.invocations.perform(self.asked("inspect"))

    async def opened(self) -> Task:
        """The file's first heavy task, opened."""
        return await self.system.invocations.open(self.rendering(await self.inspect()))

    def rendering(self, plan: Mapping[str, Any], number: int = 0) -> Invocation:
        given = {"plan": plan["ref"], "task": plan["stages"][0]["tasks"][number]}
        path = f"job.tasks[{number}]"
        return self.asked("render", given, path=path, weight=Weight.HEAVY, seconds_max=6 * 3600)

    async def rendered(self, plan: Mapping[str, Any]) -> list[list[Any]]:
        """Every planned task done, as workers elsewhere do them."""
        given = []
        for number in range(len(plan["stages"][0]["tasks"])):
            known = await self.system.invocations.open(self.rendering(plan, number))
            await self.system.worker.perform(OWNER, known.record_id, len(known.failures))
            given.append(await self.collected(known))
        return [given]

    async def record(self, known: Task) -> Task:
        stored = await self.system.platform.ledger.load(Key(Task, OWNER, known.record_id))
        assert stored is not None
        return stored.value

    async def collected(self, known: Task) -> Any:
        wanted = machine_request(known)
        machine = Machine(tries=wanted.tries, handle=wanted.handle)
        return await self.system.invocations.collect(OWNER, known.record_id, machine)


async def deployed(
    policy: Policy | None = None,
    classifier: Classifier | None = None,
    limits: Limits | None = None,
    recognizer: SpeechRecognizer | None = None,
) -> Deployment:
    """A deployment whose one job has been dispatched."""
    clock, runs, machines = FixedClock(), Ledgerless(), Machines()
    limits = limits or Limits()
    inner = memory_platform(limits, clock=clock, part_bytes_min=1)
    able = inner.capabilities | {Capability.ORCHESTRATES}
    platform = replace(inner, orchestrator=runs, tasks=machines, starter=None, capabilities=able)
    told = MemoryTelemetry()
    system = assemble(
        platform, PretendEngine(speed=None), limits, told, recognizer, policy=policy, classifier=classifier
    )
    run = await _dispatched(system)
    return Deployment(system=system, runs=runs, machines=machines, clock=clock, run=run)


async def _dispatched(system: System) -> RunRequest:
    request = UploadRequest(filename="clip.mp4", size=len(FILE), content_type="video/mp4")
    begun = await system.uploads.begin(OWNER, request)
    for part in begun.parts:
        await send(system, part, FILE)
    await system.uploads.complete(OWNER, begun.upload.id)
    await system.relay.once()
    (delivery,) = await system.platform.queue.receive(Topic.JOBS, limit=10, lease_seconds=30, wait_seconds=0)
    run = request_in(delivery.message)
    await system.jobs.dispatch(run)
    return run
