"""Takes committed messages to the queue as soon as the jobs table's stream tells of them.

What fails is raised: the stream comes again with the same records, split until only the bad ones fail. Whatever is
lost here all the same, the sweeper finds in the table.
"""

from typing import Any

from smmu.adapters.aws.rows import message_in
from smmu.application.system import System
from smmu.entrypoints.lambdas.warm import handler


async def relay(system: System, event: Any) -> None:  # noqa: ANN401 - JSON
    """Deliver the messages among a batch of the stream's records."""
    found = [message_in(record) for record in event["Records"]]
    await system.relay.deliver([message for message in found if message is not None])


handle = handler(relay, "relay")
