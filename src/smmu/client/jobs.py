"""Jobs of a server: look, list, cancel, retry, and watch one until it has ended.

Watching reads events and goes on after the last one it has seen, on whatever instance answers. Where events do not
come through (a proxy that holds them back, a server without them) it asks again and again, which costs a 304 each.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from http import HTTPStatus

import anyio
import httpx

from smmu.client.connection import Connection, understood
from smmu.client.errors import refusal
from smmu.client.events import ServerEvent, server_events
from smmu.domain.job import TERMINAL
from smmu.wire import EVENT_STREAM, JobAnswer, JobEvent, JobList

_STREAMS_BROKEN_MAX = 3  # in a row and without an event: then it is polling
_POLL_SECONDS = 1.0
_CLOSING_SECONDS = 5.0
_SILENCE = httpx.Timeout(connect=10.0, read=45.0, write=10.0, pool=10.0)  # three times what keeps a stream warm


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """A job at one moment. `task` is what has just changed, if it was one; at first, what is at work."""

    state: str
    progress: int
    task: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state in TERMINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsClient:
    """The jobs of the owner of the connection's token."""

    connection: Connection

    async def get(self, job_id: str) -> JobAnswer:
        """One job with its tasks."""
        return await self.connection.ask(JobAnswer, "GET", f"/jobs/{job_id}")

    async def list(self, *, state: str | None = None, limit: int = 50, cursor: str | None = None) -> JobList:
        """A page of jobs, the newest first."""
        query = {"limit": str(limit), "state": state, "cursor": cursor}
        told = {name: value for name, value in query.items() if value is not None}
        return await self.connection.ask(JobList, "GET", "/jobs", query=told)

    async def cancel(self, job_id: str) -> JobAnswer:
        """Ask a job to end."""
        return await self.connection.ask(JobAnswer, "POST", f"/jobs/{job_id}/cancel")

    async def retry(self, job_id: str) -> JobAnswer:
        """Open a new attempt of a failed or cancelled job."""
        return await self.connection.ask(JobAnswer, "POST", f"/jobs/{job_id}/retry")

    async def watch(self, job_id: str) -> AsyncGenerator[Glimpse]:
        """How a job is, and what happens to it from now until it has ended; the last glimpse is of its end."""
        watched = _begun(await self.get(job_id))
        yield watched.glimpse()
        broken = 0
        while not watched.is_over and broken < _STREAMS_BROKEN_MAX:
            seen = watched.last_id
            async with aclosing(self._stream(watched)) as glimpses:
                async for glimpse in glimpses:
                    yield glimpse
            broken = 0 if watched.last_id != seen else broken + 1
            if not watched.is_over:
                await self.connection.patience.wait(broken + 1)
        async with aclosing(self._poll(watched)) as glimpses:
            async for glimpse in glimpses:
                yield glimpse

    async def _stream(self, watched: "_Watched") -> AsyncGenerator[Glimpse]:
        """Glimpses from one event stream, until the job or the stream has ended."""
        headers = {**self.connection.identity(), "accept": EVENT_STREAM, "last-event-id": watched.last_id}
        url = f"{self.connection.url}/jobs/{watched.job_id}/events"
        try:
            async with self.connection.http.stream("GET", url, headers=headers, timeout=_SILENCE) as response:
                if not _is_stream(response):
                    return
                async with aclosing(server_events(response.aiter_lines())) as events:
                    async for event in events:
                        if watched.note(event):
                            yield watched.glimpse()
                        if watched.is_over:
                            await _drained(events)
        except httpx.TransportError:
            return

    async def _poll(self, watched: "_Watched") -> AsyncGenerator[Glimpse]:
        """Glimpses from asking, until the job has ended."""
        etag = ""
        while not watched.is_over:
            response = await self.connection.send("GET", f"/jobs/{watched.job_id}", headers={"if-none-match": etag})
            if response.status_code != HTTPStatus.NOT_MODIFIED:
                etag = response.headers.get("etag", "")
                answer = understood(JobAnswer, response)
                watched.state, watched.progress = answer.state, answer.progress
                yield watched.glimpse()
            if not watched.is_over:
                await anyio.sleep(_POLL_SECONDS)


@dataclass(slots=True, kw_only=True)
class _Watched:
    """What is known of a job so far. Events of earlier attempts are history and no news."""

    job_id: str
    attempt: int
    state: str
    progress: int
    last_id: str = ""
    task: str = field(default="")

    @property
    def is_over(self) -> bool:
        return self.state in TERMINAL

    def glimpse(self) -> Glimpse:
        return Glimpse(state=self.state, progress=self.progress, task=self.task)

    def note(self, event: ServerEvent) -> bool:
        """Take in an event; whether it told anything new."""
        self.last_id = event.id or self.last_id
        told = JobEvent.model_validate_json(event.data)
        if told.attempt < self.attempt:
            return False
        self.attempt = told.attempt
        before = self.glimpse()
        if told.type == "task":
            self.task = f"{told.name} {told.state}" if told.state != "running" else f"{told.name} {told.progress} %"
            self.progress = max(self.progress, told.job or 0)
        else:
            self.task = ""
            self.state = told.state or self.state
            self.progress = self.progress if told.progress is None else told.progress
        return self.glimpse() != before


def _begun(known: JobAnswer) -> _Watched:
    """What is to be seen of a job at present. Events before that are no news, where the server says which these are."""
    at_work = (f"{task.name} {task.progress} %" for task in known.tasks if task.state == "running")
    return _Watched(
        job_id=known.job_id,
        attempt=known.attempt,
        state=known.state,
        progress=known.progress,
        last_id="" if known.last_event is None else str(known.last_event),
        task=", ".join(at_work) if known.state == "running" else "",
    )


async def _drained(events: AsyncIterator[ServerEvent]) -> None:
    """Read on until the server closes, as it does after the last event: the connection can then be used again."""
    with anyio.move_on_after(_CLOSING_SECONDS):
        async for _ in events:
            pass


def _is_stream(response: httpx.Response) -> bool:
    if response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND):
        raise refusal(response.status_code, b"")
    return response.is_success and response.headers.get("content-type", "").startswith(EVENT_STREAM)
