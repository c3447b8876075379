"""A platform: one set of adapters that keep all the promises, and what it declares about itself."""

from dataclasses import dataclass
from enum import StrEnum

from smmu.ports.classify import Classifier
from smmu.ports.delivery import Delivery
from smmu.ports.gateway import Gateway
from smmu.ports.ledger import Ledger
from smmu.ports.objects import ObjectStore
from smmu.ports.orchestrator import Orchestrator
from smmu.ports.pictures import PictureMaker
from smmu.ports.queue import Queue, Topic
from smmu.ports.search import SearchIndex
from smmu.ports.secrets import Secrets
from smmu.ports.speech import SpeechRecognizer
from smmu.ports.system import Clock, IdSource
from smmu.ports.tasks import TaskRunner, TaskStarter
from smmu.ports.uploads import UploadForms, UploadStore


class Capability(StrEnum):
    """Where platforms differ. Tests and use cases ask for these; nothing asks what a platform is."""

    SERVES_URLS = "serves_urls"  # signed URLs are answered by our own API
    STARTS_TASKS = "starts_tasks"  # there is a `starter`
    FULL_CHECKSUMS = "full_checksums"  # all checksum algorithms of whole objects
    DURABLE = "durable"  # survives the end of the process
    LOCAL_FILES = "local_files"  # sources have a path on this machine
    ORCHESTRATES = "orchestrates"  # a service sees runs through: nobody here advances them or waits for tasks
    KEEPS_VERSIONS = "keeps_versions"  # a pinned version can be read after it was overwritten
    SMALL_TASKS = "small_tasks"  # does small tasks without a machine for each
    POST_FORMS = "post_forms"  # signs HTML forms, which bound a body of unknown size


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One attempt of an owner's job: what a worker is for.

    A platform that can narrow a worker's rights opens for it with no more than this: the owner's records, to read what
    the owner sent, and to read and write what that attempt makes. Attempt 0 is none: a picture is made for its owner.
    """

    owner: str
    job_id: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The ports of one platform.

    `orchestrator` is `None` where runs are records of the ledger like all others; there a `starter` starts heavy tasks.
    `delivery` is `None` where nothing but signed URLs and the `gateway` hand out bytes.
    `recognizer` is a service of the platform that recognises speech, where a deployment chose that.
    `classifier` is a service of the platform that says what is in pictures, where a deployment chose that.
    `pictures` makes pictures on request, where this process does not and a deployment has something that does.
    `models` keeps speech models for workers, where a deployment has a place for them (adapters/speech/kept.py).
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
    secrets: Secrets
    search: SearchIndex
    clock: Clock
    ids: IdSource
    forms: UploadForms | None = None
    orchestrator: Orchestrator | None = None
    delivery: Delivery | None = None
    recognizer: SpeechRecognizer | None = None
    classifier: Classifier | None = None
    pictures: PictureMaker | None = None
    models: ObjectStore | None = None

    @property
    def topics(self) -> frozenset[Topic]:
        """What somebody receives here."""
        return frozenset({Topic.JOBS}) if Capability.ORCHESTRATES in self.capabilities else frozenset(Topic)
