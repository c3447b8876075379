"""`POST /media/{id}/renditions`: make some of them again, or some that are not there, without the rest."""

import hashlib
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from smmu import wire
from smmu.application.remaking import Once
from smmu.application.system import System
from smmu.domain.remaking import Wish
from smmu.domain.values import MEDIA
from smmu.entrypoints.api import views
from smmu.entrypoints.api.auth import Doorman
from smmu.entrypoints.api.bodies import parsed
from smmu.entrypoints.api.idempotency import key_in
from smmu.entrypoints.api.links import id_in
from smmu.entrypoints.api.replies import reply
from smmu.entrypoints.api.routes import Operation, Parameter
from smmu.entrypoints.api.tracing import trace_of

_RETRY_AFTER = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenditionRoutes:
    """The route of renditions that are made later."""

    system: System
    doorman: Doorman

    async def make(self, request: Request) -> Response:
        """`POST /media/{id}/renditions`."""
        owner = await self.doorman.owner(request)
        media_id = id_in(request, MEDIA)
        asked = await parsed(request, wire.RenditionsRequest)
        key = key_in(request, self.system.limits)
        told = f"{media_id}/renditions {asked.model_dump_json()}"
        once = None if key is None else Once(key=key, fingerprint=hashlib.sha256(told.encode()).hexdigest())
        wish = Wish(names=tuple(asked.names), options=asked.options)
        made = await self.system.remaking.begin(owner, media_id, wish, once=once, trace=trace_of(request))
        headers = {"location": f"/jobs/{made.job.id}", "retry-after": _RETRY_AFTER}
        if made.replayed:
            headers["idempotent-replayed"] = "true"
        return reply(views.renditions_answer(made.job), status=202, headers=headers)


def operations(routes: RenditionRoutes) -> list[Operation]:
    """What this route is."""
    key = Parameter(
        name="Idempotency-Key",
        place="header",
        says="Repeating a request with the same key answers the same job, for a day.",
    )
    return [
        Operation(
            method="POST",
            path="/media/{id}/renditions",
            endpoint=routes.make,
            says="Make renditions again, or add some, without the rest: a new job on the same file.",
            takes=wire.RenditionsRequest,
            gives={202: wire.RenditionsAnswer},
            refuses=(400, 404, 409, 413, 422),
            parameters=(key,),
        )
    ]
