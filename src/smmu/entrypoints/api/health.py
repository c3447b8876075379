"""How the service is: for load balancers and scrapers. These routes tell nothing of any owner, and ask for no token."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from smmu import wire
from smmu.application.system import System
from smmu.domain.job import Job
from smmu.entrypoints.api.drain import Drain
from smmu.entrypoints.api.metrics import CONTENT_TYPE, Meter
from smmu.entrypoints.api.replies import Reply, reply
from smmu.entrypoints.api.routes import Operation
from smmu.ports.errors import Unavailable
from smmu.ports.records import Key

Ready = Callable[[], Awaitable[Sequence[str]]]
"""What is not ready, in words for operators; nothing when everything is. Raises as ports do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRoutes:
    """The routes for operators."""

    ready: Ready
    meter: Meter
    drain: Drain

    async def healthz(self, _: Request) -> Response:
        """`GET /healthz`: the process answers."""
        return reply(wire.Health())

    async def readyz(self, _: Request) -> Response:
        """`GET /readyz`: it can do its work, and is not about to stop."""
        if self.drain.begun:
            raise Unavailable("the service is about to stop")
        missing = await self.ready()
        if missing:
            raise Unavailable(", ".join(missing))
        return reply(wire.Health())

    async def root(self, _: Request) -> Response:
        """`GET /`: what there is here."""
        return Reply(status=307, headers={"location": "openapi.json"})

    async def metrics(self, _: Request) -> Response:
        """`GET /metrics`."""
        return Reply(self.meter.text().encode(), content_type=CONTENT_TYPE)


def ledger_answers(system: System) -> Ready:
    """Ready when the ledger answers a read of one record: it is asked often, and by who may not list what is due."""

    async def ready() -> Sequence[str]:
        await system.platform.ledger.load(Key(Job, "readyz", "readyz"))
        return ()

    return ready


def operations(routes: HealthRoutes) -> list[Operation]:
    """What these routes are."""
    return [
        Operation(
            method="GET",
            path="/",
            endpoint=routes.root,
            says="Where this description is.",
            gives={307: None},
            secured=False,
        ),
        Operation(
            method="GET",
            path="/healthz",
            endpoint=routes.healthz,
            says="Whether the process answers.",
            gives={200: wire.Health},
            secured=False,
        ),
        Operation(
            method="GET",
            path="/readyz",
            endpoint=routes.readyz,
            says="Whether it can do its work.",
            gives={200: wire.Health},
            refuses=(503,),
            secured=False,
        ),
        Operation(
            method="GET",
            path="/metrics",
            endpoint=routes.metrics,
            says="Counters, for Prometheus.",
            gives={200: None},
            produces="text/plain",
            secured=False,
        ),
    ]
