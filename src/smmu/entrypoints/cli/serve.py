"""`smmu serve`: API, page, dispatcher and workers on one machine."""

from typing import Annotated

import anyio
import typer

from smmu.entrypoints.cli.options import Data
from smmu.entrypoints.cli.terminal import say


def serve(
    data: Data = None,
    host: Annotated[str, typer.Option(metavar="HOST", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, metavar="PORT", help="0 is any free one.")] = 8000,
) -> None:
    """Run the whole service on this machine, until it is asked to end.

    Whatever else can be set (workers, limits, the address that clients see) is a variable SMMU_…, read at the start:
    docs/settings.md lists them all.
    """
    from smmu.bootstrap.settings import EmbeddedPlatform, load_settings
    from smmu.entrypoints.server import Address, serve

    settings = load_settings(data=data)
    platform = settings.platform
    tokens = "tokens: SMMU_PLATFORM__TOKENS"
    if isinstance(platform, EmbeddedPlatform):
        tokens = f"a token: smmu token --owner NAME --data {platform.data}"

    def announce(address: Address) -> None:
        say(f"Smart Media Uploader is at {address.url}/ ({tokens})")

    anyio.run(serve, settings, host, port, announce, backend="asyncio", backend_options={"use_uvloop": True})
