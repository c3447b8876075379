"""What a route is here: an endpoint from request to response, and everything its documentation says.

FastAPI's own handler parses, injects, validates and serialises, and its stack of middleware takes as long as a small
use case. `LeanRoute` keeps its routing and leaves the rest out: endpoints parse with the message models themselves.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from smmu.entrypoints.api.metrics import Meter
from smmu.entrypoints.api.problems import Problems
from smmu.entrypoints.api.replies import Receive, Scope, Send
from smmu.entrypoints.api.tracing import take_trace
from smmu.ports.about import About
from smmu.wire import JSON

Endpoint = Callable[[Request], Awaitable[Response]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A query parameter or a header."""

    name: str
    place: str
    says: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


IF_NONE_MATCH = Parameter(
    name="If-None-Match", place="header", says="The ETag of the answer you have: 304 if it is so."
)
PAGING = (
    Parameter(name="cursor", place="query", says="Where the page before ended."),
    Parameter(name="limit", place="query", says="Items of a page.", schema={"type": "integer", "minimum": 1}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path. `gives` are the answers when all is well, `refuses` the statuses of its problems."""

    method: str
    path: str
    endpoint: Endpoint
    says: str
    gives: Mapping[int, type[BaseModel] | None]
    takes: type[BaseModel] | None = None
    takes_bytes: bool = False
    produces: str = JSON
    refuses: Sequence[int] = ()
    parameters: Sequence[Parameter] = ()
    secured: bool = True


class LeanRoute(APIRoute):
    """A route that is answered by `app`, and by nothing around it."""

    def __init__(self, operation: Operation, app: App) -> None:
        super().__init__(
            operation.path,
            operation.endpoint,
            methods=[operation.method],
            name=f"{operation.method} {operation.path}",
            response_model=None,
            include_in_schema=False,
        )
        self.app = app


class Api(FastAPI):
    """FastAPI, with a short cut: addresses without a parameter are found in a table and answered at once.

    Everything else goes through FastAPI's own stack, and so does a method that the table does not have.
    """

    def __init__(self, around: Callable[[App], App], **options: Any) -> None:  # noqa: ANN401 - FastAPI's own
        super().__init__(**options)
        self._around = around
        self._table: dict[tuple[str, str], App] = {}
        # As Starlette does: what FastAPI's own call adds is telemetry, which is looked for in each request.
        self._beyond = around(partial(Starlette.__call__, self))

    def install(self, operations: Sequence[Operation], problems: Problems, meter: Meter) -> None:
        """Make the operations routes, in order: the first that matches answers."""
        for operation in operations:
            app = _asgi(operation, problems, meter)
            self.router.routes.append(LeanRoute(operation, app))
            if "{" not in operation.path:
                self._table[operation.method, operation.path] = self._around(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The table, then FastAPI; whatever is to be around everything is around each."""
        found = self._table.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        await (found or self._beyond)(scope, receive, send)


def _asgi(operation: Operation, problems: Problems, meter: Meter) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with About(trace_id=take_trace(scope).id):
            await answer(scope, receive, send)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        response: Response
        try:
            response = await operation.endpoint(Request(scope, receive, send))
        except ClientDisconnect:
            response = _Nothing()
        except Exception as error:  # noqa: BLE001 - the boundary: a bug answers one request, and is told with its trace
            response = problems.answer(error, scope)
        meter.answered(operation.method, operation.path, response.status_code)
        try:
            await response(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - too late for a problem document: operators hear of it, and the
            problems.note_broken(error, scope)  # server closes a connection whose answer has no end

    return app


class _Nothing(Response):
    """What is said to a client that has gone."""

    def __init__(self) -> None:
        self.status_code = 499  # as nginx counts it

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say nothing."""
