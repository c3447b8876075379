"""A service and a client of it, fresh for every test."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.service import Service, a_service


@pytest.fixture
async def service() -> Service:
    return a_service()


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with service.client() as client:
        yield client
