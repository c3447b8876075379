"""`smmu jobs`: look at the jobs of a server, watch one, cancel it or try it again."""

from typing import TYPE_CHECKING, Annotated

import typer

from smmu.entrypoints.cli.asking import ask
from smmu.entrypoints.cli.boundary import REFUSED, Stop
from smmu.entrypoints.cli.options import JobId, Json, Limit, Token, Url
from smmu.entrypoints.cli.terminal import gauges, note, say

if TYPE_CHECKING:
    from smmu.client.client import Client
    from smmu.wire import JobAnswer, JobList, JobSummary

group = typer.Typer(help="Jobs of a server.", rich_markup_mode=None)


@group.command("list")
def list_jobs(
    url: Url,
    token: Token,
    state: Annotated[str | None, typer.Option(metavar="STATE", help="Only jobs in this state.")] = None,
    limit: Limit = 20,
    *,
    json: Json = False,
) -> None:
    """The newest jobs."""

    async def question(client: "Client") -> "JobList":
        return await client.jobs.list(state=state, limit=limit)

    page = ask(url, token, question)
    if json:
        say(page.model_dump_json(indent=2))
        return
    for known in page.jobs:
        say(_line(known))
    if not page.jobs:
        note("no jobs" if state is None else f"no jobs that are {state}")


@group.command("show")
def show(job_id: JobId, url: Url, token: Token, *, json: Json = False) -> None:
    """One job with its tasks."""

    async def question(client: "Client") -> "JobAnswer":
        return await client.jobs.get(job_id)

    _print(ask(url, token, question), as_json=json)


@group.command("watch")
def watch(job_id: JobId, url: Url, token: Token) -> None:
    """Stay until a job has ended; fails if it did."""
    from smmu.entrypoints.cli.upload import follow, tell_warnings

    async def question(client: "Client") -> "JobAnswer":
        with gauges() as shown:
            await follow(client, job_id, shown.add(job_id))
        return await client.jobs.get(job_id)

    ended = ask(url, token, question)
    say(_line(ended))
    tell_warnings(ended, job_id)
    if ended.state != "succeeded":
        raise Stop(REFUSED)


@group.command("cancel")
def cancel(job_id: JobId, url: Url, token: Token) -> None:
    """Ask a job to end."""

    async def question(client: "Client") -> "JobAnswer":
        return await client.jobs.cancel(job_id)

    say(_line(ask(url, token, question)))


@group.command("retry")
def retry(job_id: JobId, url: Url, token: Token) -> None:
    """Try a failed or cancelled job again."""

    async def question(client: "Client") -> "JobAnswer":
        return await client.jobs.retry(job_id)

    say(_line(ask(url, token, question)))


def _print(known: "JobAnswer", *, as_json: bool) -> None:
    if as_json:
        say(known.model_dump_json(indent=2))
        return
    from smmu.entrypoints.cli.upload import tell_warnings

    say(_line(known))
    for task in known.tasks:
        say(f"  {task.name:<24} {task.state:<10} {task.progress:>3} %")
    tell_warnings(known, known.job_id)


def _line(known: "JobSummary") -> str:
    why = f"  {known.error.code}: {known.error.message}" if known.error else ""
    how = f"{known.state:<10} {known.progress:>3} %  attempt {known.attempt}"
    return f"{known.job_id}  {how}  {known.media_id}  {known.filename}{why}"
