"""`smmu sweep` and `smmu redrive`: what operators do by hand to a data folder, while it is served or not."""

import anyio

from smmu.entrypoints.cli.options import Data
from smmu.entrypoints.cli.terminal import say

_BATCH = 1_000


def sweep(data: Data = None) -> None:
    """Look once after what is overdue. That is every record past its deadline, and storage that no upload owns."""
    looked, stuck = anyio.run(_sweep, data)
    say(f"{looked} records looked at, {stuck} of them could not be put right")


def redrive(data: Data = None) -> None:
    """Send every message that was given up on once more."""
    say(f"{anyio.run(_redrive, data)} messages sent again")


async def _sweep(data: Data) -> tuple[int, int]:
    from smmu.bootstrap.opening import open_system
    from smmu.bootstrap.settings import load_settings

    async with open_system(load_settings(data=data), exclusive=False) as running:
        found = await running.system.sweeper.once(_BATCH)
        await running.system.sweeper.sweep_orphans()
    return found


async def _redrive(data: Data) -> int:
    from smmu.bootstrap.opening import open_system
    from smmu.bootstrap.settings import load_settings

    sent = 0
    async with open_system(load_settings(data=data), exclusive=False) as running:
        while batch := await running.system.platform.queue.redrive(_BATCH):
            sent += batch
    return sent
