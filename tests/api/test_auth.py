"""Who is asking: only a token in the header says so."""

import httpx
import pytest

from smmu.adapters.inmemory.identity import StaticVerifier
from smmu.adapters.inmemory.system import FixedClock
from smmu.entrypoints.api.app import create_app
from smmu.ports.errors import Unavailable
from smmu.ports.identity import Principal, TokenVerifier
from tests.support.service import BASE, Service, a_service, is_problem

OPEN = {("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"), ("GET", "/openapi.json")}
UPLOAD, JOB, MEDIA = (f"{prefix}_{'0' * 26}" for prefix in ("upl", "job", "med"))
CLOSED = [
    ("POST", "/media/upload/init"),
    ("POST", "/media/upload/complete"),
    ("GET", f"/media/upload/{UPLOAD}"),
    ("DELETE", f"/media/upload/{UPLOAD}"),
    ("POST", f"/media/upload/{UPLOAD}/parts"),
    ("GET", "/jobs"),
    ("GET", f"/jobs/{JOB}"),
    ("GET", f"/jobs/{JOB}/events"),
    ("POST", f"/jobs/{JOB}/cancel"),
    ("POST", f"/jobs/{JOB}/retry"),
    ("GET", "/media"),
    ("GET", f"/media/{MEDIA}"),
    ("GET", "/search"),
    ("PATCH", f"/media/{MEDIA}"),
    ("DELETE", f"/media/{MEDIA}"),
    ("GET", f"/media/{MEDIA}/renditions/poster"),
    ("POST", f"/media/{MEDIA}/renditions"),
    ("POST", f"/media/{MEDIA}/playback"),
    ("GET", f"/media/{MEDIA}/image"),
]


@pytest.mark.parametrize(("method", "path"), CLOSED)
async def test_nobody_gets_in_without_a_token(service: Service, method: str, path: str) -> None:
    async with service.client(None) as client:
        answer = await client.request(method, path, content=b"{}")
    is_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_the_closed_routes_above_are_all_that_are_closed(service: Service) -> None:
    described = service.app.openapi()
    closed = {
        (method.upper(), path)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if operation["security"]
    }
    tried = {(m, p.replace(UPLOAD, "{id}").replace(JOB, "{id}").replace(MEDIA, "{id}")) for m, p in CLOSED}
    assert closed == {(m, p.replace("/poster", "/{name}")) for m, p in tried}


@pytest.mark.parametrize(("method", "path"), sorted(OPEN))
async def test_operators_need_no_token(service: Service, method: str, path: str) -> None:
    async with service.client(None) as client:
        assert (await client.request(method, path)).status_code == 200


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "bearer wrong", "Basic YTpi", "ada-token", "Token ada-token", "Bearer ada-token x"],
)
async def test_a_broken_header_is_refused(service: Service, header: str) -> None:
    async with service.client(None) as client:
        answer = await client.get("/jobs", headers={"authorization": header})
    is_problem(answer, 401, "unauthenticated")
    assert "ada-token" not in answer.text


@pytest.mark.parametrize("query", ["token=ada-token", "access_token=ada-token", "authorization=Bearer%20ada-token"])
async def test_a_token_in_the_address_is_not_looked_at(service: Service, query: str) -> None:
    async with service.client(None) as client:
        is_problem(await client.get(f"/jobs?{query}"), 401, "unauthenticated")
        is_problem(await client.post(f"/media/upload/init?{query}", content=b"{}"), 401, "unauthenticated")


async def test_a_scheme_is_written_in_any_case(service: Service) -> None:
    async with service.client(None) as client:
        assert (await client.get("/jobs", headers={"authorization": "bEARER ada-token"})).status_code == 200


async def test_a_token_whose_time_is_over_is_refused() -> None:
    clock = FixedClock()
    service = a_service(clock=clock)
    verifier = StaticVerifier({"t": Principal(owner="ada", expires_at=clock.now() + 10)}, clock)
    transport = httpx.ASGITransport(app=create_app(service.system, verifier))
    headers = {"authorization": "Bearer t"}
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
        assert (await client.get("/jobs")).status_code == 200
        clock.advance(11)
        is_problem(await client.get("/jobs"), 401, "unauthenticated")


class Unreachable(TokenVerifier):
    async def verify(self, token: str) -> Principal:
        raise Unavailable(f"the keys of {token} cannot be had")


async def test_keys_that_cannot_be_had_are_not_the_callers_fault(service: Service) -> None:
    transport = httpx.ASGITransport(app=create_app(service.system, Unreachable()))
    headers = {"authorization": "Bearer ada-token"}
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
        is_problem(await client.get("/jobs"), 503, "world_unavailable")
