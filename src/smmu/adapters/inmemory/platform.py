"""The in-memory platform: all adapters over one `World`. It forgets everything with the world, and needs no threads."""

from smmu.adapters.inmemory.gateway import MemoryGateway
from smmu.adapters.inmemory.ledger import MemoryLedger
from smmu.adapters.inmemory.objects import MemoryObjectStore
from smmu.adapters.inmemory.queue import MemoryQueue
from smmu.adapters.inmemory.search import MemorySearchIndex
from smmu.adapters.inmemory.secrets import MemorySecrets
from smmu.adapters.inmemory.system import AnyioClock, CountingIds
from smmu.adapters.inmemory.tasks import InlineTaskRunner
from smmu.adapters.inmemory.uploads import MemoryUploadStore
from smmu.adapters.inmemory.weather import CALM, Weather
from smmu.adapters.inmemory.world import World
from smmu.domain.limits import PART_BYTES_MIN, Limits
from smmu.ports.platform import Capability, Platform
from smmu.ports.system import Clock, IdSource
from smmu.ports.tasks import TaskStarter

CAPABILITIES = frozenset(
    {Capability.SERVES_URLS, Capability.STARTS_TASKS, Capability.SMALL_TASKS, Capability.FULL_CHECKSUMS}
)


def memory_platform(
    limits: Limits,
    *,
    clock: Clock | None = None,
    ids: IdSource | None = None,
    world: World | None = None,
    weather: Weather = CALM,
    tasks: TaskStarter | None = None,
    part_bytes_min: int = PART_BYTES_MIN,
) -> Platform:
    """Adapters over `world`, a new one unless given: two platforms over one world are two processes of one service."""
    world = world or World()
    clock = clock or AnyioClock()
    tasks = tasks or InlineTaskRunner()
    return Platform(
        name="inmemory",
        capabilities=CAPABILITIES,
        uploads=MemoryUploadStore(world, clock, part_bytes_min),
        objects=MemoryObjectStore(world, clock),
        ledger=MemoryLedger(world, clock, weather),
        queue=MemoryQueue(world, clock, limits.queue_receives_max, weather),
        tasks=tasks,
        starter=tasks,
        gateway=MemoryGateway(world, clock, weather),
        secrets=MemorySecrets(world),
        clock=clock,
        ids=ids or CountingIds(clock),
        search=MemorySearchIndex(world),
    )
