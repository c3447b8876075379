"""`smmu process`: one-shot, no server: validate, process, write renditions and `manifest.json`."""

import json as json_format
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import anyio
import typer

from smmu.entrypoints.cli.boundary import REFUSED, WORLD_FAILED, Stop
from smmu.entrypoints.cli.options import Files, Json
from smmu.entrypoints.cli.terminal import Gauges, complain, gauges, note, say
from smmu.entrypoints.cli.wishes import Wishes, wishing

if TYPE_CHECKING:
    from smmu.entrypoints.oneshot import Outcome, Processor

_OUT = (
    "Each FILE gets a folder of its name in here. What an earlier run made of the same bytes is replaced. A folder "
    "with anything else in it, such as the results of another file, is left as it is, and that FILE refused."
)


@wishing
def process(
    files: Files,
    out: Annotated[Path, typer.Option(metavar="DIR", help=_OUT)] = Path("smmu-out"),
    *,
    json: Json = False,
    wishes: Wishes,
) -> None:
    """Validate and process files on this machine, without a server. Goes on past a bad file."""
    outcomes = anyio.run(_process, files, out, wishes, backend="asyncio")
    if json:
        say(json_format.dumps({"results": [_document(outcome) for outcome in outcomes]}, indent=2))
    else:
        _report(outcomes)
    failed = [outcome for outcome in outcomes if outcome.folder is None]
    if failed:
        named = ", ".join(str(outcome.file) for outcome in failed)
        words = f"{len(failed)} of {len(outcomes)} files could not be processed: {named}" if len(outcomes) > 1 else ""
        raise Stop(WORLD_FAILED if any(outcome.world_failed for outcome in failed) else REFUSED, words)


async def _process(files: Sequence[Path], out: Path, wishes: Wishes) -> list["Outcome"]:
    from smmu.bootstrap.settings import load_settings
    from smmu.domain.options import parse_options
    from smmu.entrypoints.asked import until_asked
    from smmu.entrypoints.oneshot import processing

    settings, options = load_settings(), parse_options(wishes)
    with gauges() as shown:
        async with until_asked() as asked, processing(settings, out, options) as processor:
            run = _Run(await _marking(processor, shown), shown, anyio.CapacityLimiter(settings.workers.heavy))
            async with anyio.create_task_group() as group:
                for file, name in zip(files, folder_names(files), strict=True):
                    group.start_soon(run.one, file, name)
    if asked.number:
        raise Stop(asked.status, "interrupted: what was finished is kept, nothing else is left")
    return [run.outcomes[name] for name in folder_names(files)]


async def _marking(processor: "Processor", shown: Gauges) -> "Processor":
    """The processor with its watermark; without it none of the files is what was asked for."""
    from smmu.domain.errors import Refused

    wish = processor.options.watermark
    if wish is None:
        return processor
    try:
        return await processor.with_watermark(shown.add(wish.image).show)
    except Refused as error:
        raise Stop(REFUSED, f"--watermark {wish.image}: {error.message}") from None


@dataclass(frozen=True, slots=True)
class _Run:
    """Files beside each other, as many at once as have their turn."""

    processor: "Processor"
    shown: Gauges
    turns: anyio.CapacityLimiter
    outcomes: dict[str, "Outcome"] = field(default_factory=dict)

    async def one(self, file: Path, name: str) -> None:
        async with self.turns:
            gauge = self.shown.add(str(file))
            outcome = self.outcomes[name] = await self.processor.process(file, name, gauge.show)
        if outcome.folder is None:
            complain(f"{file}: {outcome.message}")
        for words in outcome.warnings:
            note(f"{file}: {words}")


def folder_names(files: Sequence[Path]) -> list[str]:
    """A folder for each file: its name without the ending, and with a number where that is taken."""
    names: list[str] = []
    for file in files:
        stem = file.stem or file.name or "file"
        name, number = stem, 1
        while name in names:
            number += 1
            name = f"{stem}-{number}"
        names.append(name)
    return names


def _report(outcomes: Sequence["Outcome"]) -> None:
    for outcome in outcomes:
        if outcome.folder is not None:
            say(f"{outcome.file}: {len(outcome.manifest['renditions'])} renditions in {outcome.folder}")


def _document(outcome: "Outcome") -> dict[str, Any]:
    if outcome.folder is None:
        return {"file": str(outcome.file), "ok": False, "code": outcome.code, "message": outcome.message}
    folder = outcome.folder
    made = {"folder": str(folder), "manifest": str(folder / "manifest.json"), "warnings": list(outcome.warnings)}
    return {"file": str(outcome.file), "ok": True, **made}
