"""What a deployment signs with is the same in all of its processes."""

import pytest

from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.secrets import KmsSecrets
from smmu.ports.errors import Denied
from tests.support.aws.resources import make
from tests.support.limits import LIMITS


async def test_two_processes_have_the_same_secret_and_two_deployments_have_not(
    clients: Clients, resources: Resources
) -> None:
    ours, theirs = KmsSecrets(clients, resources), KmsSecrets(clients, resources)
    assert await ours.secret("playback") == await theirs.secret("playback")
    others = await make(clients, LIMITS)
    assert await KmsSecrets(clients, others).secret("playback") != await ours.secret("playback")


async def test_a_process_that_was_told_no_key_has_none(clients: Clients) -> None:
    with pytest.raises(Denied, match="no signing key"):
        await KmsSecrets(clients, Resources()).secret("playback")
