"""`/media/{id}/playback` and `/play/…`: addresses to play a media at, and what is below them.

The pass in the address is all the permission there is: players send no headers. A playlist is answered, every other
file is at another address, which the storage answers.
"""

import gzip
from dataclasses import dataclass
from functools import partial

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from smmu import wire
from smmu.application.playback import Elsewhere, Playback, Playlist
from smmu.domain.values import MEDIA
from smmu.entrypoints.api.auth import Doorman
from smmu.entrypoints.api.blobs import refusing
from smmu.entrypoints.api.etags import unless_known
from smmu.entrypoints.api.headers import header
from smmu.entrypoints.api.links import Links, id_in
from smmu.entrypoints.api.replies import Reply, reply
from smmu.entrypoints.api.routes import Operation
from smmu.wire import moment

PATH = "/play/"
_compressed = partial(gzip.compress, compresslevel=6, mtime=0)  # the same bytes each time, as the tag says
_NO_PAGE = {"content-security-policy": "sandbox; default-src 'none'", "referrer-policy": "no-referrer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackRoutes:
    """The routes of playing."""

    playback: Playback
    doorman: Doorman
    links: Links

    async def begin(self, request: Request) -> Response:
        """`POST /media/{id}/playback`."""
        owner = await self.doorman.owner(request)
        grant = await self.playback.grant(owner, id_in(request, MEDIA))
        at = partial(_address, f"{self.links.base(request)}{PATH}{grant.token}/")
        answer = wire.PlaybackAnswer(
            hls_url=at(grant.hls),
            dash_url=at(grant.dash),
            mp4_url=at(grant.mp4),
            expires_at=moment(grant.expires_at),
        )
        return reply(answer, headers={"cache-control": "private, no-store"})

    async def serve(self, request: Request) -> Response:
        """`GET` and `HEAD /play/{token}/{path}`."""
        with refusing():
            found = await self.playback.open(request.path_params["token"], request.path_params["path"])
        return self._elsewhere(request, found) if isinstance(found, Elsewhere) else await _here(request, found)

    def _elsewhere(self, request: Request, found: Elsewhere) -> Response:
        url = self.links.absolute(found.url, self.links.base(request))
        return Reply(status=307, headers={"location": url, **_headers(found.keep_seconds)})


def _address(base: str, path: str | None) -> str | None:
    return None if path is None else base + path


async def _here(request: Request, playlist: Playlist) -> Response:
    headers = {"vary": "accept-encoding", **_headers(playlist.keep_seconds)}
    text, tag = playlist.text, playlist.etag
    if _takes_gzip(request):
        text, tag = await to_thread.run_sync(_compressed, text), f"{tag}-gzip"
        headers["content-encoding"] = "gzip"
    return unless_known(request, Reply(text, content_type=playlist.content_type, headers=headers), f'"{tag}"')


def _takes_gzip(request: Request) -> bool:
    accepted = (header(request, b"accept-encoding") or "").replace(" ", "").lower().split(",")
    return not {"gzip", "gzip;q=1", "gzip;q=1.0"}.isdisjoint(accepted)


def _headers(keep_seconds: int) -> dict[str, str]:
    return {"cache-control": f"private, max-age={keep_seconds}", **_NO_PAGE}


def operations(routes: PlaybackRoutes) -> list[Operation]:
    """What these routes are."""
    return [
        Operation(
            method="POST",
            path="/media/{id}/playback",
            endpoint=routes.begin,
            says="Addresses to play a media at, for a player that sends no token.",
            gives={200: wire.PlaybackAnswer},
            refuses=(404, 409),
        ),
        *(
            Operation(
                method=method,
                path=PATH + "{token}/{path:path}",
                endpoint=routes.serve,
                says="A playlist, or where the bytes of any other file are.",
                gives={200: None, 304: None, 307: None},
                produces="application/octet-stream",
                refuses=(403, 404),
                secured=False,
            )
            for method in ("GET", "HEAD")
        ),
    ]
