"""`smmu models`: the speech models of this machine. Getting one is an act of its own, and never a side effect."""

from typing import Annotated

import typer

from smmu.entrypoints.cli.boundary import REFUSED, Stop
from smmu.entrypoints.cli.options import Json
from smmu.entrypoints.cli.terminal import counting, gauges, say

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
) -> None:
    """Download a model, check every file of it, and put it where the engine looks."""
    from smmu.adapters.speech.fetching import HUB, fetch
    from smmu.adapters.speech.models import SIZES
    from smmu.bootstrap.settings import load_settings

    if size not in SIZES:
        raise Stop(REFUSED, f"There is no model {size}: there are {', '.join(SIZES)}.")
    folder = load_settings().speech.folder
    with gauges() as shown:
        say(str(fetch(folder, size, counting=counting(shown.add(size), "downloading"), hub=hub or HUB)))
