"""The AWS platform: what a deployment's infrastructure has made, and the adapters over it.

Nothing is made here, nothing runs here, and opening it asks AWS nothing. Runs are seen through by Step Functions, so
this platform needs no crew: Lambda functions and ECS tasks call the application (`entrypoints/lambdas`, `worker`).
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from smmu.adapters.aws.account import Account, Resources, open_clients, open_service
from smmu.adapters.aws.cookies import SignedCookies
from smmu.adapters.aws.ledger import DynamoLedger
from smmu.adapters.aws.models import model_store
from smmu.adapters.aws.objects import S3ObjectStore
from smmu.adapters.aws.orchestrator import SfnOrchestrator
from smmu.adapters.aws.pictures import FunctionPictures, patience_of
from smmu.adapters.aws.queue import SqsQueue
from smmu.adapters.aws.rekognition import RekognitionClassifier
from smmu.adapters.aws.search import DynamoSearchIndex
from smmu.adapters.aws.secrets import KmsSecrets
from smmu.adapters.aws.tasks import EcsTaskRunner
from smmu.adapters.aws.transcribe import TranscribeRecognizer
from smmu.adapters.aws.uploads import S3UploadStore
from smmu.domain.limits import Limits
from smmu.ports.platform import Capability, Platform, Scope
from smmu.ports.system import Clock, IdSource

CAPABILITIES = frozenset(
    {Capability.DURABLE, Capability.ORCHESTRATES, Capability.KEEPS_VERSIONS, Capability.POST_FORMS}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """That Amazon Transcribe recognises speech; `language` is what is spoken, or `None` to find out.

    `scope` is what all of it is for, where that is known.
    """

    language: str | None = None
    scope: Scope | None = None


@asynccontextmanager
async def open_platform(
    account: Account,
    resources: Resources,
    *,
    limits: Limits,
    clock: Clock,
    ids: IdSource,
    speech: Speech | None = None,
    classifies: bool = False,
) -> AsyncIterator[Platform]:
    """The platform of one deployment, until the block ends. `classifies`: Amazon Rekognition looks at pictures."""
    async with open_clients(account) as clients, AsyncExitStack() as stack:
        recognizer, classifier = None, None
        if classifies:
            classifier = RekognitionClassifier(await stack.enter_async_context(open_service(account, "rekognition")))
        if speech is not None:
            transcribe = await stack.enter_async_context(open_service(account, "transcribe"))
            recognizer = TranscribeRecognizer(
                clients, transcribe, resources, ids, scope=speech.scope, language=speech.language
            )
        pictures, renders = None, frozenset[Capability]()
        if resources.render_function:
            client = await stack.enter_async_context(open_service(account, "lambda", patience=patience_of(limits)))
            pictures, renders = FunctionPictures(client, resources), frozenset({Capability.SMALL_TASKS})
        uploads, distribution = S3UploadStore(clients, resources, clock), resources.distribution
        yield Platform(
            name="aws",
            capabilities=CAPABILITIES | renders,
            uploads=uploads,
            objects=S3ObjectStore(clients, resources, clock),
            ledger=DynamoLedger(clients, resources, clock),
            queue=SqsQueue(clients, resources, clock),
            tasks=EcsTaskRunner(clients, resources),
            starter=None,
            gateway=None,
            secrets=KmsSecrets(clients, resources),
            clock=clock,
            ids=ids,
            forms=uploads,
            orchestrator=SfnOrchestrator(clients, resources),
            delivery=None if distribution is None else SignedCookies(clients, distribution),
            recognizer=recognizer,
            classifier=classifier,
            pictures=pictures,
            models=model_store(clients, resources, clock),
            search=DynamoSearchIndex(clients, resources),
        )
