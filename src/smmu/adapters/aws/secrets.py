"""`KmsSecrets`: derived from a key of KMS for HMAC, which never leaves it.

A MAC of the purpose is the same whoever asks for it, and only this deployment's API may ask. So nothing has to be
written down, handed over or rotated by hand, and no other process can sign what the API signs.

IAM: `kms:GenerateMac` on the deployment's signing key. Requests: one for each purpose in the life of a process.
"""

from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.errors import translating
from smmu.ports.errors import Denied
from smmu.ports.secrets import Secrets

_ALGORITHM = "HMAC_SHA_256"


class KmsSecrets(Secrets):
    """The secrets of one deployment."""

    def __init__(self, clients: Clients, resources: Resources) -> None:
        self._kms = clients.kms
        self._key = resources.signing_key
        self._known: dict[str, bytes] = {}

    async def secret(self, purpose: str) -> bytes:
        """See the port."""
        if purpose not in self._known:
            self._known[purpose] = await self._derived(purpose)
        return self._known[purpose]

    async def _derived(self, purpose: str) -> bytes:
        if not self._key:
            raise Denied("this process was told no signing key")
        with translating("the signing key"):
            told = await self._kms.generate_mac(KeyId=self._key, MacAlgorithm=_ALGORITHM, Message=purpose.encode())
        return bytes(told["Mac"])
