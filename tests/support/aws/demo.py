"""`make demo-aws`: the product at work on AWS's platform, on this machine and with a stand-in of AWS.

The same file, the same client and the same table as `make demo`. Beneath are our functions in Lambda's runtime, our
state machine, our workers as the containers that it starts, and the API behind an issuer's tokens.
"""

import os
import sys
from pathlib import Path

import anyio

from smmu.bootstrap.settings import load_settings
from smmu.entrypoints.cli.boundary import ended
from smmu.entrypoints.cli.terminal import note
from smmu.entrypoints.demo import OWNER, Service, chosen, folder, show
from tests.support.aws.cloud import deployed


def main(arguments: list[str]) -> int:
    """Show it on the file that is named, or on a film of its own; the exit status."""
    try:
        _demo(chosen(arguments))
    except BaseException as error:  # noqa: BLE001 - the boundary: one line and a status, as for every command
        return ended(error)
    return 0


def _demo(wanted: Path | None) -> None:
    with folder() as hidden:
        note("bringing up a deployment: buckets, tables, queues, functions, state machine, cluster, API")
        with deployed(hidden) as cloud:
            os.environ.clear()
            os.environ.update(cloud.environment)
            service = Service(url=cloud.url, token=cloud.token(OWNER), settings=load_settings())
            note(f"the API is at {cloud.url}, the stand-in of AWS at {cloud.account.endpoint}")
            anyio.run(show, wanted, hidden, service, backend="asyncio")
            calls = ", ".join(f"{name} {function.invocations}" for name, function in cloud.functions.items())
            note(f"invocations: {calls}; containers: {len(cloud.containers.known)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
