"""`smmu upload`: the client, parallel and resumable, with a bar for each file, and on wish its job to the end."""

import shlex
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from smmu.entrypoints.cli.boundary import REFUSED, WORLD_FAILED, Stop, explained
from smmu.entrypoints.cli.options import Files, Token, Url
from smmu.entrypoints.cli.terminal import Gauge, Gauges, complain, counting, gauges, note, say
from smmu.entrypoints.cli.wishes import Wishes, flags_of, wishing

if TYPE_CHECKING:
    from smmu.client.client import Client
    from smmu.wire import JobAnswer

_FILES_AT_ONCE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asks for."""

    url: str
    token: str
    parallel: int
    watch: bool
    resume: str | None
    wishes: Wishes


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for, for each file, and what it takes to do it."""

    asked: Asked
    client: "Client"
    shown: Gauges
    turns: anyio.CapacityLimiter
    statuses: list[int]


@wishing
def upload(
    files: Files,
    url: Url,
    token: Token,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Stay until the jobs have ended.")] = False,
    parallel: Annotated[int, typer.Option(min=1, max=64, metavar="N", help="Parts of a file at once.")] = 4,
    resume: Annotated[
        str | None, typer.Option(metavar="UPLOAD_ID", help="Go on with an upload that was broken off.")
    ] = None,
    wishes: Wishes,
) -> None:
    """Send files to a server. Prints of each its media and its job, which smmu media and smmu jobs take."""
    if resume is not None and len(files) != 1:
        raise typer.BadParameter("an upload is of one file: name one.", param_hint="--resume")
    if resume is not None and wishes:
        words = f"an upload keeps the wishes that it began with: leave out {flags_of(wishes)}."
        raise typer.BadParameter(words, param_hint="--resume")
    asked = Asked(url=url, token=token, parallel=parallel, watch=watch, resume=resume, wishes=wishes)
    statuses = anyio.run(_upload, asked, files, backend="asyncio")
    if any(statuses):
        failed = sum(map(bool, statuses))
        raise Stop(max(statuses), f"{failed} of {len(files)} files failed" if len(files) > 1 else "")


async def _upload(asked: Asked, files: Sequence[Path]) -> list[int]:
    from smmu.client.client import open_client

    statuses = [0] * len(files)
    turns = anyio.CapacityLimiter(_FILES_AT_ONCE)
    with gauges() as shown:
        async with (
            open_client(asked.url, asked.token, parallel=asked.parallel) as client,
            anyio.create_task_group() as group,
        ):
            order = Order(asked, client, shown, turns, statuses)
            for at, file in enumerate(files):
                group.start_soon(_one, order, file, at)
    return statuses


async def _one(order: Order, file: Path, at: int) -> None:
    """One file from here to its job; what goes wrong with it does not stop the others."""
    async with order.turns:
        try:
            await _send(order, file)
        except Exception as error:  # noqa: BLE001 - the boundary of one file, told as at the boundary of all
            words, order.statuses[at] = explained(error)
            if words:
                complain(f"{file}: {words.removeprefix(f'{file}: ')}")


async def _send(order: Order, file: Path) -> None:
    from smmu.client.uploader import Wish

    _require_file(file)
    gauge = order.shown.add(file.name)
    upload_id = order.asked.resume or ""

    def opened(known: str, parts: int) -> None:
        nonlocal upload_id
        upload_id = known
        if parts > 1 and not order.asked.resume:  # said before it is needed: a power cut asks nobody
            note(f"{file}: should this be broken off, go on with {_resuming(order.asked, file, upload_id)}")

    try:
        wish = Wish(path=file, resume=order.asked.resume, options=order.asked.wishes)
        done = await order.client.uploads.upload(wish, progress=counting(gauge, "sending"), opened=opened)
    except (anyio.get_cancelled_exc_class(), Exception) as error:
        if upload_id and _is_broken_off(error):
            note(f"{file}: go on with {_resuming(order.asked, file, upload_id)}")
        raise
    gauge.show(1.0, "sent")
    if order.asked.watch:
        try:
            await _watch(order.client, done.job_id, gauge, str(file))
        except (anyio.get_cancelled_exc_class(), Exception) as error:
            if _is_broken_off(error):
                watching = shlex.join(["smmu", "jobs", "watch", done.job_id, "--url", order.asked.url])
                note(f"{file}: {done.job_id} goes on without you: {watching}")
            raise
    say(f"{file}: {done.media_id} {done.job_id}")


def _resuming(asked: Asked, file: Path, upload_id: str) -> str:
    """The command that goes on. The token is not in it: a terminal is no place for one."""
    return shlex.join(["smmu", "upload", str(file), "--url", asked.url, "--resume", upload_id])


def _is_broken_off(error: BaseException) -> bool:
    """Whether somebody interrupted us, or the world did: then the same may be gone on with."""
    return not isinstance(error, Exception) or explained(error)[1] == WORLD_FAILED


async def _watch(client: "Client", job_id: str, gauge: Gauge, file: str) -> None:
    await follow(client, job_id, gauge)
    ended = await client.jobs.get(job_id)
    if ended.error is not None:
        raise Stop(REFUSED, f"job {job_id} failed: {ended.error.message}")
    if ended.state != "succeeded":
        raise Stop(REFUSED, f"job {job_id} is {ended.state}")
    tell_warnings(ended, file)


async def follow(client: "Client", job_id: str, gauge: Gauge) -> None:
    """Show a job until it has ended."""
    async with aclosing(client.jobs.watch(job_id)) as glimpses:
        async for glimpse in glimpses:
            gauge.show(glimpse.progress / 100, "job" if glimpse.task else glimpse.state, glimpse.task)


def tell_warnings(ended: "JobAnswer", what: str) -> None:
    """Say what a job lacks although it has succeeded."""
    from smmu.domain.plan import Decision
    from smmu.domain.shortfalls import in_words

    for one in ended.warnings:
        note(f"{what}: {in_words(Decision(subject=one.subject, choice=one.choice, reason=one.reason))}")


def _require_file(file: Path) -> None:
    if not file.exists():
        raise Stop(REFUSED, "There is no such file.")
    if not file.is_file():
        raise Stop(REFUSED, "This is not a file: name the files themselves.")
