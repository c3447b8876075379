"""`make demo`: the product at work, from a file to its renditions, by the same doors that everybody uses.

A real `smmu serve` is started as a process of its own on a free port. The real client uploads over REST and watches
the job. Everything that was made is brought to `demo-data/`; then the server is asked to end, and its data goes.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from rich.console import Console
from rich.table import Table

from smmu.adapters.media.specimen import make_film
from smmu.bootstrap.opening import open_system, verifier_of
from smmu.bootstrap.settings import Settings, load_settings
from smmu.client.client import Client, open_client
from smmu.client.uploader import Wish
from smmu.domain.errors import Refused
from smmu.domain.words import in_bytes
from smmu.entrypoints.cli.boundary import REFUSED, USAGE, Stop, ended
from smmu.entrypoints.cli.terminal import Gauge, Gauges, gauges, note
from smmu.entrypoints.cli.upload import follow
from smmu.entrypoints.exporting import export, require_free
from smmu.entrypoints.spawned import spawned
from smmu.wire import MediaAnswer

OUT = "demo-data"
OWNER = "demo"

_TOKEN_SECONDS = 3_600
_WIDTH = 1_000  # of a page that is no terminal: the table is as wide as what is in it


def main(arguments: list[str]) -> int:
    """Show it at work on the file that is named, or on a film of its own; the exit status."""
    try:
        anyio.run(_demo, chosen(arguments), backend="asyncio")
    except BaseException as error:  # noqa: BLE001 - the boundary: one line and a status, as for every command
        return ended(error)
    return 0


def chosen(arguments: list[str]) -> Path | None:
    """The one file that is named; `None` when none is."""
    if len(arguments) > 1:
        raise Stop(USAGE, "Name one file, or none.")
    if not arguments:
        return None
    file = Path(arguments[0])
    if not file.is_file():
        raise Stop(REFUSED, f"{file}: {'This is not a file.' if file.exists() else 'There is no such file.'}")
    return file


async def _demo(wanted: Path | None) -> None:
    with folder() as hidden:
        data = hidden / "data"
        async with spawned(data, hidden / "server.log") as url:
            note(f"smmu serve is at {url}")
            token = verifier_of(data).issue(OWNER, _TOKEN_SECONDS)
            await show(wanted, hidden, Service(url=url, token=token, settings=load_settings(data=data)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service to show: where it is, who asks, and the settings that open what it keeps."""

    url: str
    token: str
    settings: Settings


async def show(wanted: Path | None, hidden: Path, service: Service) -> None:
    """Take a file through the service, bring what was made beside the folder `hidden`, and tell of it."""
    file = wanted or await _film(hidden / "film.mp4")
    target = await to_thread.run_sync(place_for, file, hidden.parent)
    began = time.monotonic()
    async with open_client(service.url, service.token) as client:
        with gauges() as shown:
            media = await _process(client, file, shown)
    manifest = await _export(service.settings, media.media_id, target, hidden / "made")
    renditions = manifest["renditions"]
    _tell(file, target, renditions)
    seconds = time.monotonic() - began
    note(f"{len(renditions)} renditions of {file.name} in {seconds:.1f} s, in {target.absolute()}")


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for the server, beside what is kept; elsewhere when this one cannot be written."""
    out = Path(OUT)
    try:
        out.mkdir(exist_ok=True)
        hidden = tempfile.mkdtemp(prefix=".demo-", dir=out)
    except OSError:
        out = Path(tempfile.mkdtemp(prefix="smmu-demo-"))
        hidden = tempfile.mkdtemp(prefix=".demo-", dir=out)
    try:
        yield Path(hidden)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def place_for(file: Path, out: Path) -> Path:
    """Where what is made of a file goes: a folder of its name, with a number where another file has that one."""
    names = chain([file.stem], (f"{file.stem}-{number}" for number in count(2)))
    return next(out / name for name in names if _is_free(out / name, file))


def _is_free(target: Path, file: Path) -> bool:
    try:
        require_free(target, file)
    except Refused:
        return False
    return True


async def _film(path: Path) -> Path:
    note("no FILE was given: making a film of 8 seconds, 1280 × 720, with a tone")
    await to_thread.run_sync(make_film, path)
    return path


async def _process(client: Client, file: Path, shown: Gauges) -> MediaAnswer:
    """Upload a file and see its job through."""
    gauge: Gauge = shown.add(file.name)
    done = await client.uploads.upload(
        Wish(path=file), progress=lambda sent, total: gauge.show(sent / max(1, total), "sending")
    )
    await follow(client, done.job_id, gauge)
    job = await client.jobs.get(done.job_id)
    if job.state != "succeeded":
        raise Stop(REFUSED, f"{file.name}: {job.error.message if job.error else job.state}")
    return await client.media.get(done.media_id)


async def _export(settings: Settings, media_id: str, target: Path, aside: Path) -> Mapping[str, Any]:
    """Bring everything that was made out of where it is kept; the manifest, which has the proofs."""
    async with open_system(settings, exclusive=False) as running:
        known = (await running.system.library.get(OWNER, media_id)).value
        return await export(running.system.platform.objects, known, target, aside)


def _tell(file: Path, target: Path, renditions: Sequence[Mapping[str, Any]]) -> None:
    table = Table(title=f"What was made of {file.name}, in {target}")
    for heading in ("rendition", "picture", "seconds", "bytes", "proof", "file"):
        table.add_column(heading, no_wrap=True)
    for made in renditions:
        picture = f"{made['width']} × {made['height']}" if made.get("width") else ""
        seconds = f"{made['duration_s']:.1f}" if made.get("duration_s") else ""
        size = in_bytes(made.get("size_total", made["size"]))
        table.add_row(made["name"], picture, seconds, size, _proven(made["proof"]), made["path"])
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(table)


def _proven(proof: Mapping[str, Any]) -> str:
    checks = proof["checks"]
    held = sum(check["ok"] for check in checks)
    return f"{held} of {len(checks)} hold"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
