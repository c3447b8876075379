"""`smmu models`: the speech models of this machine, and of a deployment. Getting one is an act of its own, always."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from smmu.entrypoints.cli.boundary import REFUSED, Stop
from smmu.entrypoints.cli.options import Json
from smmu.entrypoints.cli.terminal import counting, gauges, note, say

if TYPE_CHECKING:
    from smmu.bootstrap.settings import Settings
    from smmu.entrypoints.cli.terminal import Gauge

group = typer.Typer(help="Speech models on this machine.", rich_markup_mode=None)


@group.command("list")
def list_models(*, json: Json = False) -> None:
    """The models there are to get, and which of them are here."""
    import json as json_format

    from smmu.adapters.speech.models import SIZES, present
    from smmu.bootstrap.settings import load_settings

    folder = load_settings().speech.folder
    here = present(folder)
    names = [*SIZES, *(name for name in here if name not in SIZES)]
    if json:
        rows = [{"name": name, "megabytes": SIZES.get(name, (None, None))[1], "here": name in here} for name in names]
        say(json_format.dumps({"folder": str(folder), "models": rows}, indent=2))
        return
    for name in names:
        size = f"{SIZES[name][1]:>5} MB" if name in SIZES else " " * 8
        say(f"{name:<10} {size}  {'here' if name in here else 'smmu models fetch ' + name}")
    say(f"folder: {folder}")


@group.command("fetch")
def fetch_model(
    size: Annotated[str, typer.Argument(metavar="SIZE", help="Which: see smmu models list.")],
    hub: Annotated[str | None, typer.Option("--from", metavar="URL", help="A mirror of the models' hub.")] = None,
    *,
    deploy: Annotated[bool, typer.Option("--deploy", help="And put it where a deployment's workers look.")] = False,
) -> None:
    """Download a model, and put it where the engine looks. Every file of it is checked.

    With --deploy it is then put into the bucket of the deployment that the settings name.
    """
    from smmu.adapters.speech.fetching import HUB, fetch
    from smmu.adapters.speech.models import SIZES
    from smmu.bootstrap.settings import load_settings

    if size not in SIZES:
        raise Stop(REFUSED, f"There is no model {size}: there are {', '.join(SIZES)}.")
    settings = load_settings()
    with gauges() as shown:
        gauge = shown.add(size)
        got = partial(fetch, settings.speech.folder, size, counting=counting(gauge, "downloading"), hub=hub or HUB)
        found = anyio.run(_deployed, settings, got, gauge) if deploy else got()
    say(str(found))


async def _deployed(settings: "Settings", got: Callable[[], Path], gauge: "Gauge") -> Path:
    """Get a model, and put it into the deployment's bucket, which is looked for first."""
    from smmu.adapters.speech.kept import keep
    from smmu.bootstrap.opening import open_system

    async with open_system(settings, exclusive=False) as running:
        models = running.system.platform.models
        if models is None:
            words = "These settings name no bucket for models: SMMU_PLATFORM__MODELS_BUCKET does, on the platform aws."
            raise Stop(REFUSED, words)
        found = got()  # nothing else runs here meanwhile
        if not await keep(models, found, counting(gauge, "sending")):
            note(f"{found.name} is there already")
    return found
