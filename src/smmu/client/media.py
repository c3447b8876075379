"""Media of a server: look, list, and bring renditions to this disk, whole and checked or not at all."""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import anyio
import httpx
from anyio import to_thread

from smmu.client.connection import Connection, unreachable
from smmu.client.errors import ClientError, NotUnderstood, refusal
from smmu.client.patience import is_busy, told_to_wait
from smmu.client.uploader import Progress, unheard
from smmu.domain.manifest import FILE_NAME, files_of, is_safe_path
from smmu.domain.plan import Role
from smmu.wire import (
    MediaAnswer,
    MediaList,
    PlaybackAnswer,
    RenditionAnswer,
    RenditionsAnswer,
    RenditionsRequest,
)

_PLAYLISTS = frozenset({Role.HLS, Role.HLS_VIDEO, Role.HLS_AUDIO, Role.DASH})


class Damaged(ClientError):
    """What came is not what the manifest lists."""

    code = "damaged"


def is_whole(rendition: RenditionAnswer) -> bool:
    """Whether its main file, which is all that the REST API gives, is all of it. A playlist only names other files."""
    return rendition.role not in _PLAYLISTS and rendition.size_total in (None, rendition.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaClient:
    """The media of the owner of the connection's token."""

    connection: Connection

    async def get(self, media_id: str) -> MediaAnswer:
        """One media with its newest manifest."""
        return await self.connection.ask(MediaAnswer, "GET", f"/media/{media_id}")

    async def list(self, *, state: str | None = None, limit: int = 50, cursor: str | None = None) -> MediaList:
        """A page of media, the newest first."""
        query = {"limit": str(limit), "state": state, "cursor": cursor}
        told = {name: value for name, value in query.items() if value is not None}
        return await self.connection.ask(MediaList, "GET", "/media", query=told)

    async def playback(self, media_id: str) -> PlaybackAnswer:
        """Addresses at which a player can play it without a token."""
        return await self.connection.ask(PlaybackAnswer, "POST", f"/media/{media_id}/playback")

    async def make(
        self, media_id: str, names: Sequence[str] = (), options: Mapping[str, Any] | None = None
    ) -> RenditionsAnswer:
        """Make renditions again or add some, and nothing else: the job that does. Sent once, however often repeated."""
        wish = RenditionsRequest(names=list(names), options=dict(options or {}))
        key = {"idempotency-key": secrets.token_hex(16)}
        path = f"/media/{media_id}/renditions"
        return await self.connection.ask(RenditionsAnswer, "POST", path, body=wish, headers=key)

    async def search(self, question: str, *, limit: int = 50, cursor: str | None = None) -> MediaList:
        """A page of the media that have all these words, or words that begin so, the newest first."""
        query = {"q": question, "limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        return await self.connection.ask(MediaList, "GET", "/search", query=query)

    async def bring(
        self, media_id: str, rendition: RenditionAnswer, folder: Path, *, progress: Progress = unheard
    ) -> Path:
        """The main file of a rendition under `folder`, at the path that the manifest gives it; as `download`."""
        if not is_safe_path(rendition.path):
            raise NotUnderstood(f"The server wants {rendition.name} at a place outside of the folder: not downloaded.")
        target = folder / rendition.path
        await to_thread.run_sync(partial(target.parent.mkdir, parents=True, exist_ok=True))
        return await self.download(media_id, rendition, target, progress=progress)

    async def bring_manifest(self, media_id: str, folder: Path) -> Path:
        """The manifest at `folder`, of those renditions that are there whole: `smmu verify` checks these."""
        target = folder / FILE_NAME
        aside = target.with_name(f".{FILE_NAME}.part")
        try:
            await self._fetch(media_id, "manifest", aside, unheard)
            await to_thread.run_sync(_keep_what_is_there, aside, folder)
            await to_thread.run_sync(aside.replace, target)
        finally:
            aside.unlink(missing_ok=True)
        return target

    async def download(
        self, media_id: str, rendition: RenditionAnswer, target: Path, *, progress: Progress = unheard
    ) -> Path:
        """The main file of a rendition at `target`, replacing what is there. Raises `ClientError`, `OSError`."""
        aside = target.with_name(f".{target.name}.part")
        try:
            sha256 = await self._fetch(media_id, rendition.name, aside, lambda got: progress(got, rendition.size))
            if sha256 != rendition.sha256:
                raise Damaged(f"{rendition.name} arrived damaged: its checksum is not the one in the manifest.")
            await to_thread.run_sync(aside.replace, target)
        finally:
            aside.unlink(missing_ok=True)
        return target

    async def _fetch(self, media_id: str, name: str, aside: Path, got: Callable[[int], None]) -> str:
        """Its bytes at `aside`, from the beginning each time they break off; their SHA-256."""
        patience, failures = self.connection.patience, 0
        while True:
            url = await self._link(media_id, name)
            try:
                return await self._read(url, aside, got)
            except httpx.TransportError as error:
                failures += 1
                if failures >= patience.tries:
                    raise unreachable("The storage", error) from error
                await patience.wait(failures)
            except httpx.HTTPStatusError as error:
                failures += 1
                again = is_busy(error.response) or error.response.status_code == HTTPStatus.FORBIDDEN
                if not again or failures >= patience.tries:
                    raise refusal(error.response.status_code, b"") from error
                await patience.wait(failures, told_to_wait(error.response))

    async def _link(self, media_id: str, name: str) -> str:
        response = await self.connection.send("GET", f"/media/{media_id}/renditions/{name}")
        return response.headers["location"]

    async def _read(self, url: str, aside: Path, got: Callable[[int], None]) -> str:
        digest, count = hashlib.sha256(), 0
        async with self.connection.http.stream("GET", url) as response, await anyio.open_file(aside, "wb") as file:
            response.raise_for_status()
            got(0)
            async for piece in response.aiter_bytes():
                digest.update(piece)
                await file.write(piece)
                count += len(piece)
                got(count)
        return digest.hexdigest()


def _keep_what_is_there(manifest: Path, folder: Path) -> None:
    """Leave in a manifest what has all its files in the folder, with the sizes that it lists."""
    try:
        document = json.loads(manifest.read_bytes())
        there = [one for one in document["renditions"] if all(_is_there(folder, file) for file in files_of(one))]
    except (ValueError, KeyError, TypeError) as error:
        raise NotUnderstood("The server's manifest is none: the renditions are here, and it is not.") from error
    text = json.dumps({**document, "renditions": there}, indent=2, ensure_ascii=False) + "\n"
    manifest.write_text(text, encoding="utf-8")


def _is_there(folder: Path, file: Mapping[str, Any]) -> bool:
    path = Path(folder, file["path"])
    return is_safe_path(file["path"]) and path.is_file() and path.stat().st_size == int(file["size"])
