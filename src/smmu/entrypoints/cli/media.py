"""`smmu media`: look at the media of a server, and download what was made of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smmu.entrypoints.cli.asking import ask
from smmu.entrypoints.cli.boundary import REFUSED, Stop
from smmu.entrypoints.cli.options import Json, Limit, MediaId, Token, Url
from smmu.entrypoints.cli.terminal import counting, gauges, note, say

if TYPE_CHECKING:
    from smmu.client.client import Client
    from smmu.wire import MediaAnswer, MediaList, MediaSummary, PlaybackAnswer, RenditionAnswer

_MANY = "HLS and DASH are many files, and so is a storyboard: smmu media play has addresses, and the MP4 is one file"

group = typer.Typer(help="Media of a server, and what was made of them.", rich_markup_mode=None)


@group.command("list")
def list_media(
    url: Url,
    token: Token,
    state: Annotated[str | None, typer.Option(metavar="STATE", help="Only media in this state.")] = None,
    limit: Limit = 20,
    *,
    json: Json = False,
) -> None:
    """The newest media."""

    async def question(client: "Client") -> "MediaList":
        return await client.media.list(state=state, limit=limit)

    page = ask(url, token, question)
    _say_page(page, "no media" if state is None else f"no media that are {state}", json=json)


@group.command("search")
def search_media(
    words: Annotated[
        list[str], typer.Argument(metavar="WORD...", help="Words, or their beginnings: all have to be there.")
    ],
    url: Url,
    token: Token,
    limit: Limit = 20,
    *,
    json: Json = False,
) -> None:
    """Media by their names, their metadata and what is said in them."""

    async def question(client: "Client") -> "MediaList":
        return await client.media.search(" ".join(words), limit=limit)

    page = ask(url, token, question)
    _say_page(page, "no media with these words", json=json)


@group.command("show")
def show(media_id: MediaId, url: Url, token: Token, *, json: Json = False) -> None:
    """One media with its renditions."""
    from smmu.domain.words import in_bytes

    async def question(client: "Client") -> "MediaAnswer":
        return await client.media.get(media_id)

    known = ask(url, token, question)
    if json:
        say(known.model_dump_json(indent=2))
        return
    say(_line(known))
    for made in known.manifest.renditions if known.manifest else ():
        say(f"  {made.name:<24} {in_bytes(made.size_total or made.size):>10}  {made.content_type}")


@group.command("play")
def play(media_id: MediaId, url: Url, token: Token, *, json: Json = False) -> None:
    """Addresses to play a media at, in a browser or a player. Whoever has them may use them until they expire."""

    async def question(client: "Client") -> "PlaybackAnswer":
        return await client.media.playback(media_id)

    known = ask(url, token, question)
    if json:
        say(known.model_dump_json(indent=2))
        return
    named = {"hls": known.hls_url, "dash": known.dash_url, "mp4": known.mp4_url, "image": known.image_url}
    for name, address in named.items():
        if address is not None:
            say(f"{name:<5} {address}")
    if known.image_url is not None:
        note("with ?w= and h= (how large at most), fit=cover and format=jpeg, avif or webp")
    note(f"until {known.expires_at:%Y-%m-%d %H:%M} UTC")


@group.command("download")
def download(
    media_id: MediaId,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Renditions. Without one: all that are a single file."),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", help="The media gets a folder of its id in here, laid out as its manifest says."),
    ] = Path("smmu-out"),
    *,
    url: Url,
    token: Token,
) -> None:
    """Bring renditions here. Each is checked, and whole or not at all; their manifest comes too, for smmu verify."""

    async def question(client: "Client") -> None:
        chosen = _chosen(await client.media.get(media_id), names or [])
        with gauges() as shown:
            for made in chosen:
                progress = counting(shown.add(made.name), "downloading")
                say(f"{made.name}: {await client.media.bring(media_id, made, out / media_id, progress=progress)}")
            say(f"manifest: {await client.media.bring_manifest(media_id, out / media_id)}")

    ask(url, token, question)


def _chosen(known: "MediaAnswer", names: Sequence[str]) -> Sequence["RenditionAnswer"]:
    """The renditions of these names, or all that can be had; what cannot is refused, or told of."""
    from smmu.client.media import is_whole

    if known.manifest is None:
        raise Stop(REFUSED, f"There is nothing to download: {known.media_id} is {known.state}.")
    there = {made.name: made for made in known.manifest.renditions}
    for name in names:
        if name not in there:
            raise Stop(REFUSED, f"There is no rendition {name}: there are {', '.join(there)}.")
        if not is_whole(there[name]):
            raise Stop(REFUSED, f"{name} cannot be downloaded: {_MANY}.")
    left = [name for name, made in there.items() if not is_whole(made)]
    if left and not names:
        note(f"left out: {', '.join(left)} ({_MANY})")
    return [there[name] for name in names] or [made for made in there.values() if is_whole(made)]


def _say_page(page: "MediaList", nothing: str, *, json: bool) -> None:
    if json:
        say(page.model_dump_json(indent=2))
        return
    for known in page.media:
        say(_line(known))
    if not page.media:
        note(nothing)


def _line(known: "MediaSummary") -> str:
    why = f"  {known.error.code}: {known.error.message}" if known.error else ""
    return f"{known.media_id}  {known.state:<10} {known.content_type}  {known.filename}{why}"
