"""Everything wired over one platform: the use cases, and the crew that keeps them moving where no service does.

This is what an embedder holds. It chooses no adapters (that is `bootstrap`) and starts nothing by itself.
"""

from dataclasses import dataclass, replace

from smmu.application.attic import Attic
from smmu.application.completion import Completion
from smmu.application.crew import Crew
from smmu.application.gate import Gate
from smmu.application.heavy import Heavy
from smmu.application.interpreter import Interpreter
from smmu.application.invocations import Invocations
from smmu.application.jobs import Jobs
from smmu.application.labelling import Labelling
from smmu.application.library import Library
from smmu.application.pictures import EnginePictures
from smmu.application.playback import Playback
from smmu.application.publication import Publication
from smmu.application.relay import Relay
from smmu.application.remaking import Remaking
from smmu.application.runs import LedgerOrchestrator
from smmu.application.search import Search
from smmu.application.signal import Signal
from smmu.application.steps import Steps
from smmu.application.store import Store
from smmu.application.sweep import Sweeper
from smmu.application.uploads import Uploads
from smmu.application.variants import Variants
from smmu.application.worker import Worker
from smmu.domain.limits import Limits
from smmu.ports.classify import Classifier
from smmu.ports.media import MediaEngine
from smmu.ports.objects import ObjectStore
from smmu.ports.orchestrator import Orchestrator
from smmu.ports.platform import Capability, Platform
from smmu.ports.policy import Policy
from smmu.ports.speech import SpeechRecognizer
from smmu.ports.system import Telemetry
from smmu.ports.tasks import TaskRequest, TaskStarter


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One running product. `serve` is for whoever wants its jobs done here; without it, use cases only record.

    `crew` is `None` on a platform whose services do the work: they call `invocations`, `relay` and `sweeper`, and
    `worker` and `pictures` where something else than this process does that.
    """

    platform: Platform
    limits: Limits
    telemetry: Telemetry
    uploads: Uploads
    jobs: Jobs
    library: Library
    remaking: Remaking
    playback: Playback
    pictures: EnginePictures
    variants: Variants
    search: Search
    worker: Worker
    invocations: Invocations
    relay: Relay
    sweeper: Sweeper
    crew: Crew | None = None

    async def serve(self, *, light: int = 2, heavy: int = 2) -> None:
        """Do the work until cancelled, `light` and `heavy` tasks at once. Ends at once where services do it."""
        if self.crew is not None:
            await self.crew.serve(light=light, heavy=heavy)

    async def perform(self, request: TaskRequest) -> None:
        """Do one heavy task here, as an isolated worker does."""
        await self.worker.perform(request.owner, request.record_id, request.tries)


def assemble(
    platform: Platform,
    engine: MediaEngine,
    limits: Limits,
    telemetry: Telemetry,
    recognizer: SpeechRecognizer | None = None,
    *,
    policy: Policy | None = None,
    classifier: Classifier | None = None,
) -> System:
    """Wire everything over a platform.

    Without a `recognizer` nothing is transcribed, without a `policy` all that can be processed is, and without a
    `classifier` nobody says what is to be seen.
    """
    if Capability.SMALL_TASKS not in platform.capabilities:
        limits = replace(limits, small_seconds_max=0)
    clock, objects, signal = platform.clock, platform.objects, Signal()
    store = Store(ledger=platform.ledger, limits=limits, ring=signal.ring, heard=platform.topics)
    runs = LedgerOrchestrator(store=store, clock=clock)
    orchestrator: Orchestrator = platform.orchestrator or runs
    jobs = Jobs(store=store, objects=objects, orchestrator=orchestrator, clock=clock, telemetry=telemetry)
    completion = Completion(store=store, storage=platform.uploads, objects=objects, clock=clock, telemetry=telemetry)
    search = Search(store=store, objects=objects, index=platform.search)
    library = Library(store=store, objects=objects, jobs=jobs, search=search, clock=clock)
    steps = _steps(jobs, engine, search, telemetry)
    labelling = _labelling(classifier, objects, telemetry, limits)
    steps = replace(steps, recognizer=recognizer, gate=_gate(policy, telemetry), labelling=labelling)
    pictures = EnginePictures(objects=objects, engine=engine, limits=limits)
    worker = Worker(store=store, steps=steps, clock=clock, telemetry=telemetry)
    variants = _variants(platform, library, pictures, limits, telemetry)
    system = System(
        platform=platform,
        limits=limits,
        telemetry=telemetry,
        uploads=Uploads(store=store, storage=platform.uploads, completion=completion, clock=clock, ids=platform.ids),
        jobs=jobs,
        library=library,
        remaking=Remaking(store=store, jobs=jobs, library=library, recognizer=recognizer, ids=platform.ids),
        playback=_playback(platform, library, limits, made=variants.maker is not None),
        pictures=pictures,
        variants=variants,
        search=search,
        worker=worker,
        invocations=Invocations(store=store, worker=worker, tasks=platform.tasks, clock=clock),
        relay=Relay(ledger=platform.ledger, queue=platform.queue, signal=signal, telemetry=telemetry),
        sweeper=_sweeper(platform, jobs, completion, library, worker),
    )
    return system if platform.orchestrator else replace(system, crew=_crew(system, store, runs))


def _steps(jobs: Jobs, engine: MediaEngine, search: Search, telemetry: Telemetry) -> Steps:
    """What the pipeline's tasks do, without what only some deployments have."""
    store, objects, clock = jobs.store, jobs.objects, jobs.clock
    publication = Publication(store=store, objects=objects, search=search, clock=clock, telemetry=telemetry)
    return Steps(jobs=jobs, objects=objects, engine=engine, publication=publication, clock=clock, limits=store.limits)


def _sweeper(platform: Platform, jobs: Jobs, completion: Completion, library: Library, worker: Worker) -> Sweeper:
    store, clock, telemetry = jobs.store, platform.clock, jobs.telemetry
    return Sweeper(
        store=store,
        jobs=jobs,
        orchestrator=jobs.orchestrator,
        completion=completion,
        library=library,
        attic=Attic(store=store, objects=platform.objects, clock=clock, telemetry=telemetry),
        worker=worker,
        storage=platform.uploads,
        clock=clock,
        telemetry=telemetry,
    )


def _gate(policy: Policy | None, telemetry: Telemetry) -> Gate | None:
    return None if policy is None else Gate(policy=policy, telemetry=telemetry)


def _labelling(
    classifier: Classifier | None, objects: ObjectStore, telemetry: Telemetry, limits: Limits
) -> Labelling | None:
    if classifier is None:
        return None
    return Labelling(classifier=classifier, objects=objects, telemetry=telemetry, seconds=limits.classify_seconds)


def _playback(platform: Platform, library: Library, limits: Limits, *, made: bool) -> Playback:
    return Playback(
        library=library,
        objects=platform.objects,
        secrets=platform.secrets,
        delivery=platform.delivery,
        made=made,
        clock=platform.clock,
        limits=limits,
    )


def _variants(
    platform: Platform, library: Library, pictures: EnginePictures, limits: Limits, telemetry: Telemetry
) -> Variants:
    return Variants(
        library=library,
        objects=platform.objects,
        maker=pictures if platform.orchestrator is None else platform.pictures,
        clock=platform.clock,
        telemetry=telemetry,
        limits=limits,
    )


def _crew(system: System, store: Store, runs: LedgerOrchestrator) -> Crew:
    """Who does what no service of the platform does."""
    return Crew(
        queue=system.platform.queue,
        limits=system.limits,
        telemetry=system.telemetry,
        jobs=system.jobs,
        interpreter=Interpreter(store=store, jobs=system.jobs, runs=runs, clock=system.platform.clock),
        worker=system.worker,
        heavy=Heavy(store=store, tasks=_starter(system.platform), worker=system.worker),
        relay=system.relay,
        sweeper=system.sweeper,
    )


def _starter(platform: Platform) -> TaskStarter:
    if platform.starter is None:
        raise ValueError(f"{platform.name} has neither an orchestrator that starts tasks nor a starter of them")
    return platform.starter
