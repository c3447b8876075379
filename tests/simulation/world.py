"""One simulated world: what is durable, the processes over it, their clients, and the faults that befall them.

Time is virtual and the scheduler's chance is seeded, so the same scenario always has the same log. A process that
crashes is dropped with everything it held; its supervisor starts another one over the same durable world.
"""

import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count

import anyio
import trio.testing
from anyio.abc import TaskGroup
from trio._core import _run as scheduler

from smmu.adapters.inmemory.media import PretendEngine
from smmu.adapters.inmemory.platform import memory_platform
from smmu.adapters.inmemory.system import EPOCH, AnyioClock, CountingIds, MemoryTelemetry
from smmu.adapters.inmemory.tasks import InlineTaskRunner
from smmu.adapters.inmemory.weather import CALM, Weather
from smmu.application.system import System, assemble
from smmu.domain.job import Job
from smmu.domain.limits import Limits
from smmu.domain.task import Task
from smmu.ports.errors import TaskDied, WorldError
from smmu.ports.gateway import Gateway
from smmu.ports.ledger import Ledger
from smmu.ports.media import MediaEngine
from smmu.ports.objects import ObjectStore
from smmu.ports.platform import Platform
from smmu.ports.queue import Queue, Topic
from smmu.ports.speech import SpeechRecognizer
from smmu.ports.tasks import TaskRequest, TaskStarter
from smmu.ports.uploads import UploadStore
from tests.simulation.actors import Api, Client, Wish
from tests.simulation.faults import Call, Crash, Faults, Plan, Process, faulty
from tests.simulation.hints import CHANGING, Hints
from tests.simulation.history import WatchedWorld
from tests.simulation.planted import SOUND, Planted
from tests.simulation.verdict import Acknowledged, is_quiet, verdict

LIMITS = Limits(progress_seconds=5.0, completing_seconds=60, chunks_from_seconds=60, chunk_seconds=30)
PAUSE_SECONDS = 100.0  # longer than a lease, a sweep and a new try together
RESTART_SECONDS = 5.0
AFTERMATH_SECONDS = 15.0  # whoever was paused must wake up and try what it was about to do
PATIENCE_SECONDS = 900.0  # T: every acknowledged job has ended within this after the last fault
PROMPT_SECONDS = 30.0  # without any fault a job has: half of the minute after which the sweeper helps
_LOOK_SECONDS = 10.0
_POLL_SECONDS = 5.0
_EVERYTHING = frozenset(Topic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One kind of process: the topics it receives, and what else it does."""

    name: str
    topics: frozenset[Topic] = frozenset()
    api: bool = False
    relay: bool = False
    sweeper: bool = False
    alone: bool = False  # nobody else serves this world: when it starts, every lease is void


FLEET = (
    Role(name="api", api=True),
    Role(name="dispatcher", topics=frozenset({Topic.JOBS, Topic.RUNS}), relay=True),
    Role(name="light-1", topics=frozenset({Topic.TASKS})),
    Role(name="light-2", topics=frozenset({Topic.TASKS})),
    Role(name="heavy-1", topics=frozenset({Topic.HEAVY_TASKS})),
    Role(name="heavy-2", topics=frozenset({Topic.HEAVY_TASKS})),
    Role(name="sweeper", sweeper=True),
)
DOUBLED = (*FLEET, *(replace(role, name=f"{role.name}-2") for role in (FLEET[1], FLEET[-1])))  # dispatcher, sweeper
ONE_MACHINE = (Role(name="machine", topics=_EVERYTHING, api=True, relay=True, sweeper=True, alone=True),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """All that a run depends on."""

    wishes: Sequence[Wish]
    plan: Plan = field(default_factory=dict)
    roles: Sequence[Role] = FLEET
    seed: int = 0
    weather: Weather = CALM
    skews: Mapping[str, float] = field(default_factory=dict)
    limits: Limits = LIMITS
    planted: Planted = SOUND
    lasts_seconds: float = 0.0  # for what takes longer than any client waits
    recognizer: SpeechRecognizer | None = None
    prompt: bool = False  # whether jobs must end soon: in calm weather, when no fault has fired


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a run."""

    violations: Sequence[str]
    calls: Sequence[Call]
    fired: Sequence[Call]
    refusals: Counter[str]
    told: Counter[str]
    dead_letters: int
    refused: int
    jobs: Sequence[Job]
    tasks: Sequence[Task]
    seconds: float

    def __str__(self) -> str:
        plan = "\n".join(f"    {call}" for call in self.fired) or "    no fault at all"
        return "\n".join((*self.violations, "  with the plan", plan))


@dataclass(slots=True, kw_only=True)
class Site:
    """A world while it runs."""

    scenario: Scenario
    world: WatchedWorld = field(default_factory=WatchedWorld)
    api: Api = field(default_factory=Api)
    telemetry: MemoryTelemetry = field(default_factory=MemoryTelemetry)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    lives: "count[int]" = field(default_factory=lambda: count(1))
    weather: Weather = field(init=False)
    faults: Faults = field(init=False)
    hints: Hints = field(init=False)

    def __post_init__(self) -> None:
        chance = random.Random(self.scenario.seed).random
        self.weather = replace(self.scenario.weather, chance=chance)
        self.faults = Faults(plan=self.scenario.plan, pause_seconds=PAUSE_SECONDS, after=self._after)
        self.hints = Hints(self.world, self.scenario.limits)

    def _after(self, name: str) -> None:
        self.violations += self.world.history.broken
        self.world.history.broken.clear()
        if name in CHANGING and self.scenario.planted.hints:
            self.violations += [f"at {anyio.current_time():.3f}: {words}" for words in self.hints.missing()]

    def over(self, clients: Sequence[Client]) -> bool:
        if self.violations:
            return True
        calm_for = anyio.current_time() - self.faults.trouble_until
        quiet = all(client.done for client in clients) and is_quiet(self.world)
        if anyio.current_time() < self.scenario.lasts_seconds:
            return False
        return (quiet and calm_for > AFTERMATH_SECONDS) or calm_for > PATIENCE_SECONDS

    def system(self, process: Process, tasks: TaskStarter) -> System:
        """The product over this world, as one process has it."""
        scenario, seed = self.scenario, next(self.lives)
        clock = AnyioClock(EPOCH + scenario.skews.get(process.name, 0.0))
        inner = memory_platform(
            scenario.limits,
            ids=CountingIds(clock, seed),
            world=self.world,
            weather=self.weather,
            tasks=tasks,
            part_bytes_min=1,
        )
        platform = replace(self._faulty(inner, process), clock=clock)
        engine = faulty(MediaEngine, PretendEngine(), process, self.faults)  # type: ignore[type-abstract] # the wrapper makes it concrete
        system = assemble(platform, engine, scenario.limits, self.telemetry, scenario.recognizer)
        return replace(system, relay=replace(system.relay, poll_seconds=_POLL_SECONDS))

    def _faulty(self, inner: Platform, process: Process) -> Platform:
        planted, faults = self.scenario.planted, self.faults
        ledger, queue = planted.ledger(inner.ledger, self.world), planted.queue(inner.queue)
        assert inner.gateway is not None
        assert inner.starter is not None
        tasks = faulty(TaskStarter, inner.starter, process, faults)  # type: ignore[type-abstract]
        # Each port is abstract to mypy, and concrete once it is wrapped.
        return replace(
            inner,
            uploads=faulty(UploadStore, inner.uploads, process, faults),  # type: ignore[type-abstract]
            objects=faulty(ObjectStore, inner.objects, process, faults),  # type: ignore[type-abstract]
            ledger=faulty(Ledger, ledger, process, faults),  # type: ignore[type-abstract]
            queue=faulty(Queue, queue, process, faults),  # type: ignore[type-abstract]
            tasks=tasks,
            starter=tasks,
            gateway=faulty(Gateway, inner.gateway, process, faults),  # type: ignore[type-abstract]
        )

    async def supervise(self, role: Role) -> None:
        """Start the process, and another one whenever it has died."""
        while True:
            process = Process(role.name)
            self.processes.append(process)
            try:
                with process.scope:
                    await self._live(role, process)
            except* Crash:
                self.telemetry.event("crashed", role=role.name)
            except* Exception as errors:  # noqa: BLE001 - the boundary: no loop may end by itself
                self.violations.append(f"{role.name} died of a bug: {errors.exceptions!r}")
            await anyio.sleep(RESTART_SECONDS)

    async def _live(self, role: Role, process: Process) -> None:
        runner = InlineTaskRunner()
        system = self.system(process, runner)
        if role.alone:
            _free_messages(self.world)
            await _taken_over(system, process)
        async with self._children(role, process, runner), anyio.create_task_group() as group:
            assert system.crew is not None
            for consumer in system.crew.consumers(1, 1):
                if consumer.topic in role.topics:
                    group.start_soon(consumer.run)
            if role.relay:
                group.start_soon(system.relay.run)
            if role.sweeper and "sweeper" not in self.scenario.planted.without:
                group.start_soon(system.sweeper.run)
            if role.api:
                self.api.open(process, system, group)
            try:
                await anyio.sleep_forever()
            finally:
                if role.api:
                    self.api.close()

    @asynccontextmanager
    async def _children(self, role: Role, process: Process, runner: InlineTaskRunner) -> AsyncIterator[None]:
        if Topic.HEAVY_TASKS not in role.topics:
            yield
            return

        async def work(request: TaskRequest) -> None:
            await self._child(process, request)

        async with runner.working(work):
            yield

    async def _child(self, parent: Process, request: TaskRequest) -> None:
        """A heavy task in a process of its own: when it crashes, its parent learns that, and only that."""
        child = Process(f"{parent.name}/child", parent)
        try:
            with child.scope:
                await self.system(child, InlineTaskRunner()).perform(request)
        except* Crash:
            await anyio.lowlevel.checkpoint()  # when the parent is gone as well, there is nobody to tell
        if child.scope.cancel_called:
            raise TaskDied("planned", "crashed" if child.dead else "interrupted")

    async def run(self) -> Report:
        wishes = self.scenario.wishes
        clients = [
            Client(wish=wish, api=self.api, acknowledge=self.acknowledged.append, complain=self.violations.append)
            for wish in wishes
        ]
        async with anyio.create_task_group() as group:
            for role in self.scenario.roles:
                group.start_soon(self.supervise, role)
            for client in clients:
                group.start_soon(client.run)
            while not self.over(clients):  # noqa: ASYNC110 - that nothing is left to do is no one event
                await anyio.sleep(_LOOK_SECONDS)
            report = self._report(clients)
            _end(group, self.processes)
        return report

    def _report(self, clients: Sequence[Client]) -> Report:
        history = self.world.history
        if not self.violations:
            self.violations += verdict(
                self.world, self.acknowledged, EPOCH + anyio.current_time() - self.scenario.limits.upload_seconds
            )
            self.violations += [
                f"a client of {client.wish.owner} waits for ever" for client in clients if not client.done
            ]
            self.violations += self._not_prompt()
        self.violations += [f"a bug: {bug['stack']}" for bug in self.telemetry.named("bug")]
        return Report(
            violations=tuple(dict.fromkeys(self.violations)),
            calls=self.faults.calls,
            fired=self.faults.fired,
            refusals=self.faults.refusals,
            told=Counter(happening.name for happening in self.telemetry.events),
            dead_letters=len(self.world.dead),
            refused=sum(client.refused for client in clients),
            jobs=history.of(Job),
            tasks=history.of(Task),
            seconds=anyio.current_time(),
        )

    def _not_prompt(self) -> list[str]:
        """When nothing goes wrong nobody waits for the sweeper."""
        if self.faults.fired or not self.scenario.prompt:
            return []
        took = {known.id: known.updated_at - known.created_at for known in self.world.history.of(Job)}
        return [
            f"{name} took {seconds:.0f} s, though nothing went wrong"
            for name, seconds in took.items()
            if seconds > PROMPT_SECONDS
        ]


def simulate(scenario: Scenario) -> Report:
    """Run a world to its end and judge it."""
    assert scheduler._ALLOW_DETERMINISTIC_SCHEDULING, "importing Hypothesis makes trio's scheduler replayable"
    scheduler._r.seed(scenario.seed)
    options = {"clock": trio.testing.MockClock(autojump_threshold=0)}

    async def main() -> Report:
        return await Site(scenario=scenario).run()

    return anyio.run(main, backend="trio", backend_options=options)


def _free_messages(world: WatchedWorld) -> None:
    """What the queue of a single machine does when it is opened alone: whoever held a lease is dead."""
    for rows in world.queue.values():
        for row in rows.values():
            if row.receipt is not None:
                row.receipt, row.visible_at = None, AnyioClock().now()


async def _taken_over(system: System, process: Process) -> None:
    """A process that cannot read its own records does not start; it is started again."""
    try:
        await system.sweeper.take_over()
    except WorldError:
        process.die()


def _end(group: TaskGroup, processes: Sequence[Process]) -> None:
    """Stop everything at once: what code does on its way out is no part of what was judged."""
    for process in processes:
        process.dead = True
    group.cancel_scope.cancel()
