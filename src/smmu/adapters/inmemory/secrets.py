"""`MemorySecrets`: derived from the one secret that a world has."""

import hmac
from dataclasses import dataclass

from anyio.lowlevel import checkpoint

from smmu.adapters.inmemory.world import World
from smmu.ports.secrets import Secrets


@dataclass(frozen=True, slots=True)
class MemorySecrets(Secrets):
    """The secrets of one world."""

    world: World

    async def secret(self, purpose: str) -> bytes:
        """See the port."""
        await checkpoint()
        return hmac.digest(self.world.secret, purpose.encode(), "sha256")
