"""`smmu serve`: API, dispatcher and workers on one machine; the API alone where services do the work."""

from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from smmu.entrypoints.cli.options import Data
from smmu.entrypoints.cli.terminal import say

if TYPE_CHECKING:
    from smmu.bootstrap.settings import AwsPlatform, EmbeddedPlatform, InMemoryPlatform


def serve(
    data: Data = None,
    host: Annotated[str, typer.Option(metavar="HOST", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, metavar="PORT", help="0 is any free one.")] = 8000,
) -> None:
    """Run the service on this machine, until it is asked to end.

    All of it, or the API of a deployment on AWS. Whatever else can be set (workers, limits, the address that clients
    see) is a variable SMMU_…, read at the start: docs/settings.md lists them all.
    """
    from smmu.bootstrap.settings import load_settings
    from smmu.entrypoints.server import Address, serve

    settings = load_settings(data=data)
    tokens = _tokens_of(settings.platform)

    def announce(address: Address) -> None:
        say(f"Smart Media Uploader is at {address.url}/ ({tokens})")

    anyio.run(serve, settings, host, port, announce, backend="asyncio", backend_options={"use_uvloop": True})


def _tokens_of(platform: "EmbeddedPlatform | InMemoryPlatform | AwsPlatform") -> str:
    """Where tokens come from. Raises `SettingsError` when none would be believed, or nothing could be played."""
    from smmu.bootstrap.variables import SettingsError

    match platform.kind:
        case "embedded":
            return f"a token: smmu token --owner NAME --data {platform.data}"
        case "inmemory":
            return "tokens: SMMU_PLATFORM__TOKENS"
        case "aws" if platform.identity is None:
            raise SettingsError("SMMU_PLATFORM__IDENTITY__ISSUER is missing: it says whose tokens are believed.")
        case "aws" if platform.signing_key is None:
            raise SettingsError("SMMU_PLATFORM__SIGNING_KEY is missing: playback addresses are signed with it.")
        case "aws":
            return f"tokens: those of {platform.identity.issuer}"
