"""`smmu media redo` and `smmu media add`: some renditions of a media later, and nothing else of it."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from smmu.entrypoints.cli.asking import ask
from smmu.entrypoints.cli.boundary import REFUSED, USAGE, Stop
from smmu.entrypoints.cli.options import MediaId, Token, Url
from smmu.entrypoints.cli.terminal import gauges, note, say
from smmu.entrypoints.cli.wishes import Wishes, wishing_more

if TYPE_CHECKING:
    from smmu.client.client import Client

Watch = Annotated[bool, typer.Option("--watch", help="Stay until the job has ended; fails if it did.")]


def redo(
    media_id: MediaId,
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Renditions, as smmu media show has them: 720p, poster, mp4.")
    ],
    url: Url,
    token: Token,
    *,
    watch: Watch = False,
) -> None:
    """Make renditions again. The others stay as they are, and so does the media until the new ones are there."""
    _make(media_id, names, {}, url=url, token=token, watch=watch)


@wishing_more
def add(
    media_id: MediaId,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Only these. Without one: all that the options add.")
    ] = None,
    *,
    url: Url,
    token: Token,
    watch: Watch = False,
    no_watermark: Annotated[bool, typer.Option("--no-watermark", help="Without the film's watermark.")] = False,
    wishes: Wishes,
) -> None:
    """Make what was not asked for before. Rungs, codecs, formats, widths, or what another preset has.

    Another watermark, or none, is for all that shows one: that is made again.
    """
    if no_watermark and "watermark" in wishes:
        raise Stop(USAGE, "--no-watermark: a watermark is laid over or taken away, not both: leave out one of the two.")
    wishes = {**wishes, "watermark": None} if no_watermark else wishes
    _make(media_id, names or [], wishes, url=url, token=token, watch=watch)


def _make(media_id: str, names: list[str], wish: Wishes, *, url: str, token: str, watch: bool) -> None:
    from smmu.entrypoints.cli.upload import follow, tell_warnings

    async def question(client: "Client") -> tuple[str, str]:
        job_id = (await client.media.make(media_id, names, wish)).job_id
        if not watch:
            return job_id, ""
        with gauges() as shown:
            await follow(client, job_id, shown.add(media_id))
        ended = await client.jobs.get(job_id)
        tell_warnings(ended, media_id)
        return job_id, "" if ended.state == "succeeded" else ended.error.message if ended.error else ended.state

    job_id, complaint = ask(url, token, question)
    say(job_id)
    if complaint:
        raise Stop(REFUSED, complaint)
    if not watch:
        note(f"{shlex.join(['smmu', 'jobs', 'watch', job_id, '--url', url])} says when it is done")
