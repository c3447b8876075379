"""The HTTP API as one ASGI application over a system. It decides nothing: use cases do."""

from collections.abc import Sequence
from functools import cache, partial
from http import HTTPStatus

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from smmu.application.system import System
from smmu.entrypoints.api import blobs, events, health, jobs, media, openapi, playback, renditions, uploads
from smmu.entrypoints.api.auth import Doorman
from smmu.entrypoints.api.drain import Drain
from smmu.entrypoints.api.health import Ready, ledger_answers
from smmu.entrypoints.api.links import Links
from smmu.entrypoints.api.metrics import Meter
from smmu.entrypoints.api.problems import Problems
from smmu.entrypoints.api.routes import Api, App, Operation
from smmu.ports.identity import TokenVerifier

TITLE, VERSION = "Smart Media Uploader", "1"
_EXPOSED = (
    "ETag",
    "Location",
    "Link",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "Idempotent-Replayed",
    "X-Request-Id",
    "Content-Range",
    "Accept-Ranges",
)
_CORS_SECONDS = 3000


def create_app(
    system: System,
    verifier: TokenVerifier,
    *,
    public_url: str | None = None,
    ready: Ready | None = None,
    origins: Sequence[str] = (),
    meter: Meter | None = None,
    heartbeat_seconds: float = events.HEARTBEAT_SECONDS,
) -> FastAPI:
    """The API over a system. It starts no loops: whoever wants jobs done here runs `system.serve()` beside it.

    `origins` are the web origins whose pages may call it. `meter` is shown at `/metrics`: give the one that the system
    was assembled with. `app.state.drain.begin()` ends streams before a server stops (see `server.DrainingServer`).
    """
    meter, drain = meter or Meter(), Drain()
    problems, doorman, links = Problems(system.telemetry), Doorman(verifier), Links(public_url)
    operations = [
        *uploads.operations(uploads.UploadRoutes(system=system, doorman=doorman, links=links, problems=problems)),
        *_blobs(system, problems),
        *jobs.operations(jobs.JobRoutes(system=system, doorman=doorman)),
        *events.operations(
            events.EventRoutes(system=system, doorman=doorman, drain=drain, heartbeat_seconds=heartbeat_seconds)
        ),
        *media.operations(media.MediaRoutes(system=system, doorman=doorman, links=links)),
        *renditions.operations(renditions.RenditionRoutes(system=system, doorman=doorman)),
        *playback.operations(
            playback.PlaybackRoutes(playback=system.playback, variants=system.variants, doorman=doorman, links=links)
        ),
        *health.operations(health.HealthRoutes(ready=ready or ledger_answers(system), meter=meter, drain=drain)),
    ]
    app = _bare(problems, operations, meter, origins)
    app.state.drain = drain
    return app


def _blobs(system: System, problems: Problems) -> list[Operation]:
    gateway = system.platform.gateway
    return [] if gateway is None else blobs.operations(blobs.BlobRoutes(gateway=gateway, problems=problems))


def _bare(problems: Problems, operations: list[Operation], meter: Meter, origins: Sequence[str]) -> Api:
    around = partial(_for_pages_of, origins) if origins else _as_it_is
    app = Api(around, title=TITLE, version=VERSION, openapi_url=None, redirect_slashes=False)
    described = cache(partial(openapi.document, TITLE, VERSION, operations))
    app.openapi = described  # type: ignore[method-assign] # FastAPI's documented way to replace it
    app.install([*operations, openapi.serving(described)], problems, meter)
    _refuse_by_problems(app, problems, meter)
    return app


def _refuse_by_problems(app: FastAPI, problems: Problems, meter: Meter) -> None:
    async def refuse(request: Request, error: Exception) -> Response:
        answer = problems.answer(error, request.scope, headers=_allowed_methods(app, request, error))
        meter.answered("-", "-", answer.status_code)
        return answer

    app.add_exception_handler(HTTPException, refuse)
    app.add_exception_handler(Exception, refuse)


def _allowed_methods(app: FastAPI, request: Request, error: Exception) -> dict[str, str]:
    """All methods of a path: routing names those of the first route that has it."""
    if not isinstance(error, HTTPException) or error.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
        return {}
    found = {
        method
        for route in app.router.routes
        if route.matches(request.scope)[0] is Match.PARTIAL
        for method in getattr(route, "methods", None) or ()
    }
    return {"Allow": ", ".join(sorted(found))}


def _as_it_is(app: App) -> App:
    return app


def _for_pages_of(origins: Sequence[str], app: App) -> App:
    """Lets pages of other origins in. Credentials go with a named origin, never with `*`."""
    return CORSMiddleware(
        app,
        allow_origins=list(origins),
        allow_credentials="*" not in origins,
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["*"],
        expose_headers=list(_EXPOSED),
        max_age=_CORS_SECONDS,
    )
