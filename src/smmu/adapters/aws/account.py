"""Which account, region and resources a deployment uses, and the clients that talk to them.

Nothing here is created: what a deployment is made of is made by its infrastructure, and named to us.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.httpxsession import HttpxSession
from aiobotocore.session import AioSession

from smmu.adapters.aws.sessions import Narrowed, OpenClient, narrowed_session
from smmu.ports.queue import Topic

_CONNECT_SECONDS = 5
# Longer than SQS's long polls, and short enough that a connection which died in silence while a Lambda sandbox was
# frozen costs a part of a function's time and not all of it.
_READ_SECONDS = 25
_CONNECTIONS_MAX = 50
_TRIES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where the services are. `endpoint` is for a stand-in of AWS on this machine; AWS itself needs none.

    `credentials` are (key id, secret) for such a stand-in; elsewhere the SDK finds a role's own. Where `narrowed` is
    given, they are used for nothing but to begin its session, and all clients act with the rights of that.
    """

    region: str
    endpoint: str | None = None
    credentials: tuple[str, str] | None = field(default=None, repr=False)
    narrowed: Narrowed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A distribution of CloudFront before the processed bucket: its address, and how browsers are let in."""

    url: str
    cookie_domain: str
    public_key_id: str  # CloudFront's name for the public half of the signing key
    signing_key: str  # the private half: the ARN of a key of KMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a deployment's resources are called, "" for what it has not. `queues` has the URLs, by topics received.

    An adapter is made of `Clients`, `Resources` and, where it tells time, a `Clock`, and takes from them what it needs.
    """

    raw_bucket: str = ""
    processed_bucket: str = ""
    jobs_table: str = ""
    uploads_table: str = ""
    media_table: str = ""
    models_bucket: str = ""  # of speech models
    queues: Mapping[Topic, str] = field(default_factory=lambda: MappingProxyType({}))
    dead_letters: str = ""  # the queue's URL
    state_machine: str = ""  # its ARN
    cluster: str = ""
    distribution: Distribution | None = None
    signing_key: str = ""  # of KMS, for HMAC: its ARN
    render_function: str = ""  # its name


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """One client for each service, opened together. They are safe to share between tasks."""

    s3: Any
    dynamodb: Any
    sqs: Any
    stepfunctions: Any
    ecs: Any
    kms: Any


@asynccontextmanager
async def open_clients(account: Account) -> AsyncIterator[Clients]:
    """The clients of an account, until the block ends. Opening them asks nobody anything."""
    open_client = _opener(account)
    async with AsyncExitStack() as stack:

        async def client(service: str) -> Any:  # noqa: ANN401 - the SDK makes its clients' types at run time
            return await stack.enter_async_context(open_client(service))

        yield Clients(
            s3=await client("s3"),
            dynamodb=await client("dynamodb"),
            sqs=await client("sqs"),
            stepfunctions=await client("stepfunctions"),
            ecs=await client("ecs"),
            kms=await client("kms"),
        )


@asynccontextmanager
async def open_service(account: Account, service: str, *, patience: int | None = None) -> AsyncIterator[Any]:
    """The client of one more service, which only some deployments use, until the block ends.

    `patience`: so many seconds it waits for an answer, and asks once, because what it asks for is long work.
    """
    async with _opener(account, patience)(service) as client:
        yield client


def _opener(account: Account, patience: int | None = None) -> OpenClient:
    """Opens a client of a service, with the rights that the account says."""

    def of(session: AioSession, arguments: Mapping[str, Any]) -> OpenClient:
        return lambda service: session.create_client(service, **arguments)

    own = of(_session(), _arguments(account, patience))
    if account.narrowed is None:
        return own
    session = narrowed_session(_session(), own, account.narrowed)
    return of(session, _arguments(replace(account, credentials=None), patience))


@cache
def _session() -> AioSession:
    """One for the process: it keeps the services' descriptions, which take long to read."""
    return AioSession()


def _arguments(account: Account, patience: int | None) -> dict[str, Any]:
    key_id, secret = account.credentials or (None, None)
    return {
        "region_name": account.region,
        "endpoint_url": account.endpoint,
        "verify": not (account.endpoint or "").startswith("http:"),  # no certificates to read: 20 ms for each client
        "aws_access_key_id": key_id,
        "aws_secret_access_key": secret,
        "config": _configuration(account, patience),
    }


def _configuration(account: Account, patience: int | None) -> AioConfig:
    """HTTPX, because it runs on anyio; signature 4 with the region's own host, because the default is neither."""
    return AioConfig(
        http_session_cls=HttpxSession,
        signature_version="v4",
        s3={"addressing_style": "path" if account.endpoint else "virtual"},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=patience or _READ_SECONDS,
        max_pool_connections=_CONNECTIONS_MAX,
        retries={"mode": "standard", "total_max_attempts": 1 if patience else _TRIES},
    )
