"""`/media/…`: look, list, rename, open a rendition, delete every byte."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from smmu import wire
from smmu.application.system import System
from smmu.domain import media
from smmu.domain.media import Media
from smmu.domain.options import IMAGE_FORMATS
from smmu.domain.search import QUESTION_CHARS_MAX
from smmu.domain.values import MEDIA
from smmu.domain.variants import FITS, SIDES
from smmu.entrypoints.api import cursors, views
from smmu.entrypoints.api.auth import Doorman
from smmu.entrypoints.api.bodies import parsed
from smmu.entrypoints.api.etags import of_version, unless_known, version_in
from smmu.entrypoints.api.links import Links, id_in, next_page
from smmu.entrypoints.api.replies import Reply, reply
from smmu.entrypoints.api.routes import IF_NONE_MATCH, PAGING, Operation, Parameter
from smmu.ports.ledger import Page

_STATES = frozenset(media.State) - {media.State.DELETED}
_SIDE = {"type": "integer", "enum": list(SIDES)}
_EMPTY_PAGES_MAX = 10  # deleted media are left out of pages; a whole page of them is not worth an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRoutes:
    """The routes of media."""

    system: System
    doorman: Doorman
    links: Links

    async def look(self, request: Request) -> Response:
        """`GET /media/{id}`."""
        owner = await self.doorman.owner(request)
        stored = await self.system.library.get(owner, id_in(request, MEDIA))
        return unless_known(request, reply(views.media_answer(stored.value)), of_version(stored.version))

    async def list(self, request: Request) -> Response:
        """`GET /media`."""
        owner = await self.doorman.owner(request)
        wanted = cursors.wanted(request, owner, {"state": _STATES}, self.system.limits)
        page = await self._page(owner, wanted)
        query = wanted.query(owner, page.cursor) if page.cursor else {}
        listed = [views.media_summary(item.value) for item in page.items]
        answer = wire.MediaList(media=listed, cursor=query.get("cursor"))
        return reply(answer, headers=next_page("/media", query) if query else None)

    async def search(self, request: Request) -> Response:
        """`GET /search`."""
        owner = await self.doorman.owner(request)
        question = request.query_params.get("q", "")[:QUESTION_CHARS_MAX]
        wanted = cursors.wanted(request, owner, {}, self.system.limits, asked={"q": question})
        page = await self.system.search.find(owner, question, after=wanted.after, limit=wanted.limit)
        query = wanted.query(owner, page.cursor) if page.cursor else {}
        listed = [views.media_summary(item.value) for item in page.items]
        answer = wire.MediaList(media=listed, cursor=query.get("cursor"))
        return reply(answer, headers=next_page("/search", query) if query else None)

    async def change(self, request: Request) -> Response:
        """`PATCH /media/{id}`."""
        owner = await self.doorman.owner(request)
        media_id = id_in(request, MEDIA)
        wish = await parsed(request, wire.MediaPatch)
        stored = await self.system.library.change(
            owner,
            media_id,
            filename=wish.filename,
            metadata=wish.metadata,
            version=await self._version(request, owner, media_id),
        )
        return reply(views.media_answer(stored.value), headers={"etag": of_version(stored.version)})

    async def delete(self, request: Request) -> Response:
        """`DELETE /media/{id}`."""
        owner = await self.doorman.owner(request)
        media_id = id_in(request, MEDIA)
        version = await self._version(request, owner, media_id)
        await self.system.library.delete(owner, media_id, version=version)
        return Reply(status=204)

    async def rendition(self, request: Request) -> Response:
        """`GET /media/{id}/renditions/{name}`."""
        owner = await self.doorman.owner(request)
        name: str = request.path_params["name"]
        link = await self.system.library.link(owner, id_in(request, MEDIA), name)
        url = self.links.absolute(link.url, self.links.base(request))
        return Reply(status=307, headers={"location": url, "cache-control": "private, no-store"})

    async def image(self, request: Request) -> Response:
        """`GET /media/{id}/image`."""
        owner = await self.doorman.owner(request)
        link = await self.system.variants.link(owner, id_in(request, MEDIA), request.query_params)
        url = self.links.absolute(link.url, self.links.base(request))
        return Reply(status=307, headers={"location": url, "cache-control": "private, no-store"})

    async def _version(self, request: Request, owner: str, media_id: str) -> int | None:
        """The one version that the client allows; of several, the one that is there."""
        allowed = version_in(request)
        if allowed is None:
            return None
        if len(allowed) > 1:
            allowed &= {(await self.system.library.get(owner, media_id)).version}
        return max(allowed, default=0)  # 0 is no record's version

    async def _page(self, owner: str, wanted: cursors.Wanted) -> Page[Media]:
        after, state = wanted.after, wanted.filters.get("state")
        page: Page[Media] = Page(items=(), cursor=None)
        for _ in range(_EMPTY_PAGES_MAX):
            page = await self.system.library.page(owner, state=state, after=after, limit=wanted.limit)
            if page.items or page.cursor is None:
                break
            after = page.cursor
        return page


VARIANT = (
    Parameter(name="w", place="query", says="At most so wide.", schema=_SIDE),
    Parameter(name="h", place="query", says="At most so high.", schema=_SIDE),
    Parameter(
        name="fit",
        place="query",
        says="`cover` cuts to what draws the eye, so that both sides are filled.",
        schema={"enum": list(FITS), "default": "contain"},
    ),
    Parameter(
        name="format",
        place="query",
        says="What it is written as.",
        schema={"enum": list(IMAGE_FORMATS), "default": "webp"},
    ),
)


def operations(routes: MediaRoutes) -> list[Operation]:
    """What these routes are."""
    return [*_reading(routes), _searching(routes), *_changing(routes)]


def _searching(routes: MediaRoutes) -> Operation:
    return Operation(
        method="GET",
        path="/search",
        endpoint=routes.search,
        says="Your media with these words in their names, their metadata or in what is said in them, the newest first.",
        gives={200: wire.MediaList},
        refuses=(422,),
        parameters=(
            Parameter(name="q", place="query", says="Words, or their beginnings: all of them have to be there."),
            *PAGING,
        ),
    )


def _reading(routes: MediaRoutes) -> list[Operation]:
    return [
        Operation(
            method="GET",
            path="/media",
            endpoint=routes.list,
            says="Your media, the newest first.",
            gives={200: wire.MediaList},
            refuses=(422,),
            parameters=(
                Parameter(name="state", place="query", says="Only these.", schema={"enum": sorted(_STATES)}),
                *PAGING,
            ),
        ),
        Operation(
            method="GET",
            path="/media/{id}",
            endpoint=routes.look,
            says="A media with its newest manifest.",
            gives={200: wire.MediaAnswer, 304: None},
            refuses=(404,),
            parameters=(IF_NONE_MATCH,),
        ),
        Operation(
            method="GET",
            path="/media/{id}/renditions/{name}",
            endpoint=routes.rendition,
            says="A short-lived address of a rendition's bytes; `source` is the uploaded file.",
            gives={307: None},
            refuses=(404,),
        ),
        _picture(routes),
    ]


def _picture(routes: MediaRoutes) -> Operation:
    return Operation(
        method="GET",
        path="/media/{id}/image",
        endpoint=routes.image,
        says="A short-lived address of a picture in the size that is asked for, made when it is first asked for.",
        gives={307: None},
        refuses=(404, 409, 422, 429, 501, 503),
        parameters=VARIANT,
    )


def _changing(routes: MediaRoutes) -> list[Operation]:
    only_if = Parameter(name="If-Match", place="header", says="The ETag you have seen: 412 if it has changed since.")
    return [
        Operation(
            method="PATCH",
            path="/media/{id}",
            endpoint=routes.change,
            says="Rename a media or replace its metadata.",
            takes=wire.MediaPatch,
            gives={200: wire.MediaAnswer},
            refuses=(400, 404, 412, 413, 422),
            parameters=(only_if,),
        ),
        Operation(
            method="DELETE",
            path="/media/{id}",
            endpoint=routes.delete,
            says="Remove a media and every byte of it. A job still at work is cancelled.",
            gives={204: None},
            refuses=(404, 410, 412),
            parameters=(only_if,),
        ),
    ]
