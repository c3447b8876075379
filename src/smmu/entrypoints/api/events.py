"""`GET /jobs/{id}/events`: a job's history and what happens next, as server-sent events.

Events are stored with sequence numbers, so a client that was cut off goes on where it was, on any API instance. The
stream ends after the job's last event, when the token ends, and when the server does; an answer of 204 tells a browser
that it need not come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import anyio
from starlette.requests import Request
from starlette.responses import Response

from smmu import wire
from smmu.application.system import System
from smmu.domain import job
from smmu.domain.errors import Code, refuse
from smmu.domain.events import JobEvent
from smmu.domain.values import JOB
from smmu.entrypoints.api.auth import Doorman
from smmu.entrypoints.api.drain import Drain
from smmu.entrypoints.api.headers import header
from smmu.entrypoints.api.links import id_in
from smmu.entrypoints.api.replies import Reply, Send
from smmu.entrypoints.api.routes import Operation, Parameter
from smmu.entrypoints.api.streams import Stream
from smmu.ports.errors import WorldError

POLL_SECONDS = 0.5  # an event is at most this late, and one query
HEARTBEAT_SECONDS = 15.0
_BATCH = 100
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-accel-buffering", b"no"),  # a proxy that buffers would make every event late
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRoutes:
    """The route of events."""

    system: System
    doorman: Doorman
    drain: Drain
    heartbeat_seconds: float = HEARTBEAT_SECONDS

    async def follow(self, request: Request) -> Response:
        """`GET /jobs/{id}/events`."""
        principal = await self.doorman.principal(request)
        job_id = id_in(request, JOB)
        after = _after(request)
        known = (await self.system.jobs.get(principal.owner, job_id)).job
        if known.state in job.TERMINAL and after >= known.events:
            return Reply(status=204)
        history = History(self.system, principal.owner, job_id)
        return EventStream(history, after, principal.expires_at, self.drain, self.heartbeat_seconds)


@dataclass(frozen=True, slots=True)
class History:
    """The events of one job."""

    system: System
    owner: str
    job_id: str

    async def next(self, after: int) -> Sequence[JobEvent]:
        """What has happened since; nothing while the ledger cannot be asked: the next time will do."""
        try:
            return await self.system.jobs.events(self.owner, self.job_id, after, _BATCH)
        except WorldError as error:
            if not error.retryable:
                raise
            return ()

    async def is_over(self, last: JobEvent) -> bool:
        """Whether nothing follows this event. A job that was retried has had an end before."""
        if last.type != "state" or last.data.get("state") not in job.TERMINAL:
            return False
        known = (await self.system.jobs.get(self.owner, self.job_id)).job
        return known.state in job.TERMINAL and known.events <= last.seq

    def now(self) -> float:
        """Unix seconds."""
        return self.system.platform.clock.now()


class EventStream(Stream):
    """Events from `after` on, with a comment now and then so that nobody thinks the line dead."""

    def __init__(self, history: History, after: int, until: float, drain: Drain, heartbeat_seconds: float) -> None:
        super().__init__(200, _HEADERS)
        self._history, self._after, self._until = history, after, until
        self._drain, self._heartbeat_seconds = drain, heartbeat_seconds

    async def pieces(self, send: Send) -> None:
        """Send events until the last one, the token's end or the server's."""
        await _send(send, "retry: 1000\n\n")
        async with anyio.create_task_group() as group:
            group.start_soon(self._end_with_server, group.cancel_scope)
            await self._follow(send)
            group.cancel_scope.cancel()

    async def _follow(self, send: Send) -> None:
        beat_at = self._history.now() + self._heartbeat_seconds
        while self._history.now() < self._until:
            found = await self._history.next(self._after)
            if found:
                await _send(send, "".join(map(_frame, found)))
                self._after = found[-1].seq
                if await self._history.is_over(found[-1]):
                    return
            elif self._history.now() >= beat_at:
                await _send(send, ": still here\n\n")
            if found or self._history.now() >= beat_at:
                beat_at = self._history.now() + self._heartbeat_seconds
            if len(found) < _BATCH:
                await anyio.sleep(POLL_SECONDS)

    async def _end_with_server(self, scope: anyio.CancelScope) -> None:
        await self._drain.wait()
        scope.cancel()


async def _send(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


def _frame(event: JobEvent) -> str:
    data = wire.job_event(event).model_dump_json(exclude_none=True)
    return f"id: {event.seq}\nevent: {event.type}\ndata: {data}\n\n"


def _after(request: Request) -> int:
    """The last event the client has. The header is newer: a browser repeats the address it began with."""
    text = header(request, b"last-event-id") or request.query_params.get("after") or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):  # noqa: PLR2004 - as a record's id counts
        raise refuse(Code.INVALID_REQUEST, "The last event is named by its number: a whole number from 0.", "/after")
    return int(text)


def operations(routes: EventRoutes) -> list[Operation]:
    """What this route is."""
    return [
        Operation(
            method="GET",
            path="/jobs/{id}/events",
            endpoint=routes.follow,
            says="What has happened to a job and what happens next, as server-sent events; 204 when all is told.",
            gives={200: wire.JobEvent, 204: None},
            produces=wire.EVENT_STREAM,
            refuses=(404, 422),
            parameters=(
                Parameter(name="Last-Event-ID", place="header", says="Go on after this event."),
                Parameter(name="after", place="query", says="As Last-Event-ID.", schema={"type": "integer"}),
            ),
        )
    ]
