"""`smmu token`: a token for the embedded platform."""

from typing import Annotated

import typer

from smmu.entrypoints.cli.options import Data
from smmu.entrypoints.cli.terminal import note, say


def token(
    owner: Annotated[str, typer.Option(metavar="NAME", help="Whose token it is.")],
    ttl: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="How long it is valid, and 30 s more: clocks differ.")
    ] = 3600,
    data: Data = None,
) -> None:
    """Print a token for an owner of a data folder."""
    from smmu.bootstrap.opening import verifier_of
    from smmu.bootstrap.settings import EmbeddedPlatform, load_settings
    from smmu.bootstrap.variables import SettingsError

    platform = load_settings(data=data).platform
    if not isinstance(platform, EmbeddedPlatform):
        raise SettingsError("Tokens are made for the embedded platform only: set SMMU_PLATFORM__KIND to embedded.")
    if not owner.strip():
        raise typer.BadParameter("an owner has a name.", param_hint="--owner")
    new = not platform.data.exists()
    token = verifier_of(platform.data).issue(owner, ttl)
    if new:
        note(f"{platform.data} is new: the token is valid where it is served (smmu serve --data)")
    say(token)
