"""Opens the AWS platform from the names of a deployment's resources. The SDK is an extra: it is loaded when needed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from smmu.adapters.embedded.system import RandomIds
from smmu.ports.platform import Platform
from smmu.ports.queue import Topic
from smmu.ports.system import Clock

if TYPE_CHECKING:
    from smmu.bootstrap.settings import AwsPlatform


@asynccontextmanager
async def aws_platform(named: "AwsPlatform", clock: Clock) -> AsyncIterator[Platform]:
    """The platform, until the block ends. Opening it asks AWS nothing."""
    from smmu.adapters.aws.account import Account, Resources  # noqa: PLC0415 - the SDK is an extra of its own
    from smmu.adapters.aws.platform import open_platform  # noqa: PLC0415 - as above

    resources = Resources(
        raw_bucket=named.raw_bucket,
        processed_bucket=named.processed_bucket,
        jobs_table=named.jobs_table,
        uploads_table=named.uploads_table,
        media_table=named.media_table,
        queues={Topic.JOBS: named.jobs_queue},
        dead_letters=named.dead_letters,
        state_machine=named.state_machine,
        cluster=named.cluster,
    )
    account = Account(region=named.region, endpoint=named.endpoint)
    async with open_platform(account, resources, clock=clock, ids=RandomIds(clock)) as platform:
        yield platform
