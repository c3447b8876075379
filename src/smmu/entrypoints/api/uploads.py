"""`/media/upload/…`: begin, look, sign again, complete, abort. No byte of a file passes here."""

import hashlib
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from smmu import wire
from smmu.application.system import System
from smmu.application.uploads import Begun
from smmu.domain import quota
from smmu.domain.errors import Code, Refused, refuse
from smmu.domain.upload import Upload
from smmu.domain.values import UPLOAD, is_id
from smmu.entrypoints.api import views
from smmu.entrypoints.api.auth import Doorman
from smmu.entrypoints.api.bodies import parsed
from smmu.entrypoints.api.idempotency import key_in
from smmu.entrypoints.api.links import Links, id_in
from smmu.entrypoints.api.problems import STATUS_OF_STORED, Problems
from smmu.entrypoints.api.replies import Reply, reply
from smmu.entrypoints.api.routes import Operation, Parameter
from smmu.entrypoints.api.tracing import trace_given, trace_of

_RETRY_AFTER_QUOTA = "60"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRoutes:
    """The routes of uploading."""

    system: System
    doorman: Doorman
    links: Links
    problems: Problems

    async def begin(self, request: Request) -> Response:
        """`POST /media/upload/init`."""
        owner = await self.doorman.owner(request)
        asked = await parsed(request, wire.InitRequest)
        try:
            begun = await self._begun(request, owner, asked)
        except Refused as refusal:
            if refusal.code is not Code.QUOTA_EXCEEDED:
                raise
            return self.problems.answer(refusal, request.scope, headers=await self._quota(owner))
        absolute = partial(self.links.absolute, base=self.links.base(request))
        answer = views.init_answer(begun, self.system.platform.clock.now(), absolute)
        headers = {"location": f"/media/upload/{begun.upload.id}"}
        if begun.replayed:
            headers["idempotent-replayed"] = "true"
        return reply(answer, status=201, headers=headers)

    async def look(self, request: Request) -> Response:
        """`GET /media/upload/{id}`."""
        owner = await self.doorman.owner(request)
        progress = await self.system.uploads.get(owner, id_in(request, UPLOAD))
        return reply(views.upload_answer(progress, self.system.platform.clock.now()))

    async def sign(self, request: Request) -> Response:
        """`POST /media/upload/{id}/parts`."""
        owner = await self.doorman.owner(request)
        upload_id = id_in(request, UPLOAD)
        asked = await parsed(request, wire.PartsRequest)
        try:
            signed = await self.system.uploads.sign(owner, upload_id, asked.numbers)
        except Refused as refusal:
            return self.problems.answer(refusal, request.scope, statuses=STATUS_OF_STORED)
        absolute = partial(self.links.absolute, base=self.links.base(request))
        answer = wire.PartsAnswer(
            upload_id=upload_id,
            parts=views.part_urls(signed, absolute),
            server_time=wire.moment(self.system.platform.clock.now()),
        )
        return reply(answer)

    async def complete(self, request: Request) -> Response:
        """`POST /media/upload/complete`."""
        owner = await self.doorman.owner(request)
        asked = await parsed(request, wire.CompleteRequest)
        try:
            done = await self._completed(owner, asked, trace_given(request))
        except Refused as refusal:
            return self.problems.answer(refusal, request.scope, statuses=STATUS_OF_STORED)
        headers = {"location": f"/jobs/{done.job_id}", "retry-after": "1"}
        return reply(views.complete_answer(done), status=202, headers=headers)

    async def abort(self, request: Request) -> Response:
        """`DELETE /media/upload/{id}`."""
        owner = await self.doorman.owner(request)
        await self.system.uploads.abort(owner, id_in(request, UPLOAD))
        return Reply(status=204)

    async def _begun(self, request: Request, owner: str, asked: wire.InitRequest) -> Begun:
        key = key_in(request, self.system.limits)
        wanted = views.upload_request(asked, self.system.limits)
        if key is None:
            return await self.system.uploads.begin(owner, wanted, trace=trace_of(request))
        fingerprint = hashlib.sha256(asked.model_dump_json().encode()).hexdigest()
        return await self.system.uploads.begin(
            owner, wanted, idempotency_key=key, fingerprint=fingerprint, trace=trace_of(request)
        )

    async def _completed(self, owner: str, asked: wire.CompleteRequest, trace: str) -> Upload:
        if not is_id(UPLOAD, asked.upload_id):
            raise refuse(Code.NOT_FOUND, "There is no such upload.")
        claimed = None if asked.parts is None else [(part.number, part.etag) for part in asked.parts]
        return await self.system.uploads.complete(
            owner, asked.upload_id, claimed=claimed, checksum=views.checksum(asked.checksum), trace=trace
        )

    async def _quota(self, owner: str) -> dict[str, str]:
        """What an owner may hold, and what is left of it (draft-ietf-httpapi-ratelimit-headers)."""
        bounds = quota.bounds(self.system.limits)
        used = await self.system.platform.ledger.counters(owner)
        policies = (
            f'"bytes";q={bounds[quota.BYTES]};qu="content-bytes"',
            f'"open-uploads";q={bounds[quota.OPEN]};qu="concurrent-requests"',
        )
        left = {name: max(0, bounds[name] - used.get(name, 0)) for name in bounds}
        remaining = (f'"bytes";r={left[quota.BYTES]}', f'"open-uploads";r={left[quota.OPEN]}')
        return {
            "retry-after": _RETRY_AFTER_QUOTA,
            "ratelimit-policy": ", ".join(policies),
            "ratelimit": ", ".join(remaining),
        }


def operations(routes: UploadRoutes) -> list[Operation]:
    """What these routes are. Those without an id in their path come first: an id matches any word."""
    return [*_of_all(routes), *_of_one(routes)]


def _of_all(routes: UploadRoutes) -> list[Operation]:
    key = Parameter(
        name="Idempotency-Key",
        place="header",
        says="Repeating a request with the same key answers the same upload, for a day.",
    )
    return [
        Operation(
            method="POST",
            path="/media/upload/init",
            endpoint=routes.begin,
            says="Begin an upload: reserve its quota and sign its first parts.",
            takes=wire.InitRequest,
            gives={201: wire.InitAnswer},
            refuses=(400, 413, 415, 422, 429),
            parameters=(key,),
        ),
        Operation(
            method="POST",
            path="/media/upload/complete",
            endpoint=routes.complete,
            says="All bytes are there: check them and hand them to a job. Repeating it repeats the answer.",
            takes=wire.CompleteRequest,
            gives={202: wire.CompleteAnswer},
            refuses=(400, 404, 409, 410, 413, 422),
        ),
    ]


def _of_one(routes: UploadRoutes) -> list[Operation]:
    return [
        Operation(
            method="GET",
            path="/media/upload/{id}",
            endpoint=routes.look,
            says="Which parts have arrived and which are missing: all that resuming needs.",
            gives={200: wire.UploadAnswer},
            refuses=(404, 409, 410),
        ),
        Operation(
            method="DELETE",
            path="/media/upload/{id}",
            endpoint=routes.abort,
            says="Give an upload up and drop its bytes.",
            gives={204: None},
            refuses=(404, 409, 410, 422),
        ),
        Operation(
            method="POST",
            path="/media/upload/{id}/parts",
            endpoint=routes.sign,
            says="Sign parts again.",
            takes=wire.PartsRequest,
            gives={200: wire.PartsAnswer},
            refuses=(400, 404, 409, 410, 413, 422),
        ),
    ]
