"""`/jobs/…`: look, list, cancel, retry. Polling is cheap: an unchanged job answers 304."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from smmu import wire
from smmu.application.jobs import Seen
from smmu.application.system import System
from smmu.domain import job
from smmu.domain.job import Job
from smmu.domain.values import JOB
from smmu.entrypoints.api import cursors, views
from smmu.entrypoints.api.auth import Doorman
from smmu.entrypoints.api.etags import of_body, unless_known
from smmu.entrypoints.api.links import id_in, next_page
from smmu.entrypoints.api.replies import reply
from smmu.entrypoints.api.routes import IF_NONE_MATCH, PAGING, Operation, Parameter
from smmu.ports.ledger import Page

_STATES = frozenset(job.State)
_RETRY_AFTER = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRoutes:
    """The routes of jobs."""

    system: System
    doorman: Doorman

    async def look(self, request: Request) -> Response:
        """`GET /jobs/{id}`."""
        owner = await self.doorman.owner(request)
        seen = await self.system.jobs.get(owner, id_in(request, JOB))
        answer = reply(views.job_answer(seen), headers=_retry_after(seen))
        return unless_known(request, answer, of_body(answer.body))

    async def list(self, request: Request) -> Response:
        """`GET /jobs`."""
        owner = await self.doorman.owner(request)
        wanted = cursors.wanted(request, owner, {"state": _STATES, "kind": None}, self.system.limits)
        page = await self._page(owner, wanted)
        query = wanted.query(owner, page.cursor) if page.cursor else {}
        jobs = [views.job_summary(item.value) for item in page.items]
        answer = wire.JobList(jobs=jobs, cursor=query.get("cursor"))
        return reply(answer, headers=next_page("/jobs", query) if query else None)

    async def cancel(self, request: Request) -> Response:
        """`POST /jobs/{id}/cancel`."""
        return await self._changed(request, self.system.jobs.cancel)

    async def retry(self, request: Request) -> Response:
        """`POST /jobs/{id}/retry`."""
        return await self._changed(request, self.system.jobs.retry)

    async def _changed(self, request: Request, change: Callable[[str, str], Awaitable[Job]]) -> Response:
        owner = await self.doorman.owner(request)
        job_id = id_in(request, JOB)
        await change(owner, job_id)
        seen = await self.system.jobs.get(owner, job_id)
        headers = {"location": f"/jobs/{job_id}", "retry-after": _RETRY_AFTER}
        return reply(views.job_answer(seen), status=202, headers=headers)

    async def _page(self, owner: str, wanted: cursors.Wanted) -> Page[Job]:
        return await self.system.jobs.page(
            owner,
            state=wanted.filters.get("state"),
            kind=wanted.filters.get("kind"),
            after=wanted.after,
            limit=wanted.limit,
        )


def _retry_after(seen: Seen) -> dict[str, str]:
    return {} if seen.job.state in job.TERMINAL else {"retry-after": _RETRY_AFTER}


def operations(routes: JobRoutes) -> list[Operation]:
    """What these routes are."""
    return [
        Operation(
            method="GET",
            path="/jobs/{id}",
            endpoint=routes.look,
            says="A job with the tasks of its present attempt.",
            gives={200: wire.JobAnswer, 304: None},
            refuses=(404,),
            parameters=(IF_NONE_MATCH,),
        ),
        Operation(
            method="GET",
            path="/jobs",
            endpoint=routes.list,
            says="Your jobs, the newest first. A page may be short, even empty: its cursor says whether there is more.",
            gives={200: wire.JobList},
            refuses=(422,),
            parameters=(
                Parameter(name="state", place="query", says="Only these.", schema={"enum": sorted(_STATES)}),
                Parameter(name="kind", place="query", says="Only jobs of this kind."),
                *PAGING,
            ),
        ),
        Operation(
            method="POST",
            path="/jobs/{id}/cancel",
            endpoint=routes.cancel,
            says="Ask a job to end. Repeating it is fine.",
            gives={202: wire.JobAnswer},
            refuses=(404, 409),
        ),
        Operation(
            method="POST",
            path="/jobs/{id}/retry",
            endpoint=routes.retry,
            says="Open a new attempt of a failed or cancelled job.",
            gives={202: wire.JobAnswer},
            refuses=(404, 409),
        ),
    ]
