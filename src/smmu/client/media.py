"""Media of a server: look, list, and bring renditions to this disk, whole and checked or not at all."""

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import anyio
import httpx
from anyio import to_thread

from smmu.client.connection import Connection, unreachable
from smmu.client.errors import ClientError, refusal
from smmu.client.patience import is_busy, told_to_wait
from smmu.wire import MediaAnswer, RenditionAnswer

_LINKS_MAX = 3


class Damaged(ClientError):
    """What came is not what the manifest lists."""

    code = "damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaClient:
    """The media of the owner of the connection's token."""

    connection: Connection

    async def get(self, media_id: str) -> MediaAnswer:
        """One media with its newest manifest."""
        return await self.connection.ask(MediaAnswer, "GET", f"/media/{media_id}")

    async def download(self, media_id: str, rendition: RenditionAnswer, target: Path) -> Path:
        """The file of a rendition at `target`, replacing what is there. Raises `ClientError`, `OSError`."""
        aside = target.with_name(f".{target.name}.part")
        try:
            sha256 = await self._fetch(media_id, rendition.name, aside)
            if sha256 != rendition.sha256:
                raise Damaged(f"{rendition.name} arrived damaged: its checksum is not the one in the manifest.")
            await to_thread.run_sync(aside.replace, target)
        finally:
            aside.unlink(missing_ok=True)
        return target

    async def _fetch(self, media_id: str, name: str, aside: Path) -> str:
        """Its bytes at `aside`, from the beginning each time they break off; their SHA-256."""
        patience, failures = self.connection.patience, 0
        while True:
            url = await self._link(media_id, name)
            try:
                return await self._read(url, aside)
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

    async def _read(self, url: str, aside: Path) -> str:
        digest = hashlib.sha256()
        async with self.connection.http.stream("GET", url) as response, await anyio.open_file(aside, "wb") as file:
            response.raise_for_status()
            async for piece in response.aiter_bytes():
                digest.update(piece)
                await file.write(piece)
        return digest.hexdigest()
