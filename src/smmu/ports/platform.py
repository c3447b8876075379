"""A platform: one set of adapters that keep all the promises, and what it declares about itself."""

from dataclasses import dataclass
from enum import StrEnum

from smmu.ports.gateway import Gateway
from smmu.ports.ledger import Ledger
from smmu.ports.objects import ObjectStore
from smmu.ports.queue import Queue
from smmu.ports.system import Clock, IdSource
from smmu.ports.tasks import TaskRunner, TaskStarter
from smmu.ports.uploads import UploadStore


class Capability(StrEnum):
    """Where platforms differ. Tests and use cases ask for these; nothing asks what a platform is."""

    SERVES_URLS = "serves_urls"  # signed URLs are answered by our own API
    STARTS_TASKS = "starts_tasks"  # there is a `starter`
    FULL_CHECKSUMS = "full_checksums"  # all checksum algorithms of whole objects
    DURABLE = "durable"  # survives the end of the process
    LOCAL_FILES = "local_files"  # sources have a path on this machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The ports of one platform. The orchestrator is wired in `bootstrap`: some are made of these.

    `starter` starts heavy tasks, where the platform's orchestrator does not do that itself.
    """

    name: str
    capabilities: frozenset[Capability]
    uploads: UploadStore
    objects: ObjectStore
    ledger: Ledger
    queue: Queue
    tasks: TaskRunner
    starter: TaskStarter | None
    gateway: Gateway | None
    clock: Clock
    ids: IdSource
