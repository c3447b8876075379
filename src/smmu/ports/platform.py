"""A platform: one set of adapters that keep all the promises, and what it declares about itself."""

from dataclasses import dataclass
from enum import StrEnum

from smmu.ports.gateway import Gateway
from smmu.ports.ledger import Ledger
from smmu.ports.objects import ObjectStore
from smmu.ports.queue import Queue
from smmu.ports.system import Clock, IdSource
from smmu.ports.tasks import TaskRunner
from smmu.ports.uploads import UploadForms, UploadStore


class Capability(StrEnum):
    """Where platforms differ. Tests and use cases ask for these; nothing asks what a platform is."""

    SERVES_URLS = "serves_urls"  # signed URLs are answered by our own API
    STARTS_TASKS = "starts_tasks"  # the task runner starts heavy tasks itself
    FULL_CHECKSUMS = "full_checksums"  # all checksum algorithms of whole objects
    DURABLE = "durable"  # survives the end of the process
    LOCAL_FILES = "local_files"  # sources have a path on this machine
    KEEPS_VERSIONS = "keeps_versions"  # a pinned version can be read after it was overwritten
    POST_FORMS = "post_forms"  # signs HTML forms, which bound a body of unknown size


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The ports of one platform. The orchestrator is wired in `bootstrap`: some are made of these."""

    name: str
    capabilities: frozenset[Capability]
    uploads: UploadStore
    objects: ObjectStore
    ledger: Ledger
    queue: Queue
    tasks: TaskRunner
    gateway: Gateway | None
    clock: Clock
    ids: IdSource
    forms: UploadForms | None = None
