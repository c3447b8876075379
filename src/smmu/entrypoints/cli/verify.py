"""`smmu verify`: what `smmu process` made, checked again from outside by decoding it."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from smmu.entrypoints.cli.boundary import REFUSED, Stop
from smmu.entrypoints.cli.options import Json
from smmu.entrypoints.cli.terminal import complain, say

if TYPE_CHECKING:
    from smmu.entrypoints.verifying import Verdict


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with a manifest.json and what it lists.")],
    *,
    json: Json = False,
) -> None:
    """Check a folder's renditions. Every file is as listed, every picture and sound decodes, or the status is 1."""
    verdicts = anyio.run(_verify, folder, backend="asyncio")
    failed = [verdict for verdict in verdicts if verdict.message]
    if json:
        say(json_format.dumps({"renditions": [_document(verdict) for verdict in verdicts]}, indent=2))
    else:
        for verdict in failed:
            complain(f"{verdict.name}: {verdict.message}.")
        if not failed:
            say(f"{folder}: {len(verdicts)} renditions are as the manifest says")
    if failed:
        raise Stop(REFUSED, "" if json else f"{len(failed)} of {len(verdicts)} renditions are not what they should be")


async def _verify(folder: Path) -> list["Verdict"]:
    import tempfile

    from smmu.adapters.media.engine import PyavEngine
    from smmu.bootstrap.settings import load_settings
    from smmu.entrypoints.verifying import Verifier

    with tempfile.TemporaryDirectory(prefix="smmu-") as scratch:
        verifier = Verifier(folder, PyavEngine(load_settings().limits, scratch))
        return [verdict async for verdict in verifier.verdicts()]


def _document(verdict: "Verdict") -> dict[str, object]:
    return {"name": verdict.name, "ok": not verdict.message, "message": verdict.message}
