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
from smmu.application.playback import IMAGE, PATH, Elsewhere, Playback, Playlist
from smmu.application.variants import Variants
from smmu.domain.values import MEDIA
from smmu.entrypoints.api.auth import Doorman
from smmu.entrypoints.api.blobs import refusing
from smmu.entrypoints.api.etags import unless_known
from smmu.entrypoints.api.headers import header
from smmu.entrypoints.api.links import Links, id_in
from smmu.entrypoints.api.media import VARIANT
from smmu.entrypoints.api.replies import Reply, reply
from smmu.entrypoints.api.routes import Operation
from smmu.ports.delivery import Cookie
from smmu.wire import moment

_compressed = partial(gzip.compress, compresslevel=6, mtime=0)  # the same bytes each time, as the tag says
_NO_PAGE = {"content-security-policy": "sandbox; default-src 'none'", "referrer-policy": "no-referrer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackRoutes:
    """The routes of playing."""

    playback: Playback
    variants: Variants
    doorman: Doorman
    links: Links

    async def begin(self, request: Request) -> Response:
        """`POST /media/{id}/playback`."""
        owner = await self.doorman.owner(request)
        grant = await self.playback.grant(owner, id_in(request, MEDIA))
        base = self.links.base(request)
        hls, dash, mp4, image = (
            url and self.links.absolute(url, base) for url in (grant.hls, grant.dash, grant.mp4, grant.image)
        )
        told = wire.PlaybackAnswer(
            hls_url=hls, dash_url=dash, mp4_url=mp4, image_url=image, expires_at=moment(grant.expires_at)
        )
        answer = reply(told, headers={"cache-control": "private, no-store"})
        answer.raw_headers += [(b"set-cookie", _set(cookie).encode("latin-1")) for cookie in grant.cookies]
        return answer

    async def serve(self, request: Request) -> Response:
        """`GET` and `HEAD /play/{token}/{path}`."""
        with refusing():
            found = await self.playback.open(request.path_params["token"], request.path_params["path"])
        return self._elsewhere(request, found) if isinstance(found, Elsewhere) else await _here(request, found)

    async def image(self, request: Request) -> Response:
        """`GET` and `HEAD /play/{token}/image`."""
        with refusing():
            leave = await self.playback.admit(request.path_params["token"])
        return self._elsewhere(request, await self.variants.shown(leave, request.query_params))

    def _elsewhere(self, request: Request, found: Elsewhere) -> Response:
        url = self.links.absolute(found.url, self.links.base(request))
        return Reply(status=307, headers={"location": url, **_headers(found.keep_seconds)})


def _set(cookie: Cookie) -> str:
    """For pages of any site that are let in: what a cookie opens says itself until when."""
    where = f"Domain={cookie.domain}; Path={cookie.path}"
    return f"{cookie.name}={cookie.value}; {where}; Secure; HttpOnly; SameSite=None"


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
            refuses=(404, 409, 501),
        ),
        *(
            Operation(
                method=method,
                path=PATH + "{token}/" + IMAGE,
                endpoint=routes.image,
                says="Where a picture of the size that is asked for is. It is made when it is first asked for.",
                gives={307: None},
                refuses=(403, 404, 409, 422, 429, 501, 503),
                parameters=VARIANT,
                secured=False,
            )
            for method in ("GET", "HEAD")
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
