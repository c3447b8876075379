"""Opens the AWS platform from the names of a deployment's resources. The SDK is an extra: it is loaded when needed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from smmu.adapters.embedded.system import RandomIds
from smmu.bootstrap.classifier import SERVICE
from smmu.domain.limits import Limits
from smmu.ports.platform import Platform, Scope
from smmu.ports.queue import Topic
from smmu.ports.system import Clock

if TYPE_CHECKING:
    from smmu.bootstrap.classifier import Labels
    from smmu.bootstrap.settings import AwsPlatform
    from smmu.bootstrap.speech import Speech


@asynccontextmanager
async def aws_platform(
    named: "AwsPlatform",
    limits: Limits,
    clock: Clock,
    *,
    speech: "Speech",
    labels: "Labels",
    scope: Scope | None = None,
) -> AsyncIterator[Platform]:
    """The platform, until the block ends. Opening it asks AWS nothing.

    With a scope, and where workers have a role to act as, all that is done is done as that role narrowed to the scope.
    """
    from smmu.adapters.aws import platform as aws  # noqa: PLC0415 - the SDK is an extra of its own
    from smmu.adapters.aws.account import Account, Distribution, Resources  # noqa: PLC0415 - the SDK is an extra of its own
    from smmu.adapters.aws.sessions import Narrowed  # noqa: PLC0415 - as above

    resources = Resources(
        raw_bucket=named.raw_bucket,
        processed_bucket=named.processed_bucket,
        jobs_table=named.jobs_table,
        uploads_table=named.uploads_table,
        media_table=named.media_table,
        models_bucket=named.models_bucket or "",
        queues={Topic.JOBS: named.jobs_queue},
        dead_letters=named.dead_letters,
        state_machine=named.state_machine,
        cluster=named.cluster,
        distribution=None if named.delivery is None else Distribution(**named.delivery.model_dump()),
        signing_key=named.signing_key or "",
        render_function=named.render_function or "",
    )
    role = named.worker_role
    narrowed = None if scope is None or role is None else Narrowed(role=role, scope=scope)
    account = Account(region=named.region, endpoint=named.endpoint, narrowed=narrowed)
    chosen = aws.Speech(language=speech.language, scope=scope) if speech.engine == "transcribe" else None
    ids, classifies = RandomIds(clock), labels.engine == SERVICE
    opening = aws.open_platform(
        account, resources, limits=limits, clock=clock, ids=ids, speech=chosen, classifies=classifies
    )
    async with opening as platform:
        yield platform
