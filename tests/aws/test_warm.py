"""A sandbox's product: opened by the first event, and open for all others, whatever the events before came to."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from smmu.entrypoints.lambdas import warm


@dataclass
class Openings:
    """How often the product was opened, and closed."""

    opened: int = 0
    closed: int = 0
    loops: set[int] = field(default_factory=set)

    @asynccontextmanager
    async def open_system(self, _settings: Any) -> AsyncIterator[Any]:
        self.opened += 1
        try:
            yield SimpleNamespace(system="the product")
        finally:
            self.closed += 1


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Openings]:
    openings = Openings()
    monkeypatch.setattr(warm, "open_system", openings.open_system)
    monkeypatch.setattr(warm, "load_settings", lambda: None)
    sandbox = warm._Sandbox()
    monkeypatch.setattr(warm, "_sandbox", lambda: sandbox)
    yield openings
    sandbox.runner.run(sandbox.kept.aclose())
    sandbox.runner.close()


def test_the_first_event_opens_the_product_and_nothing_closes_it(openings: Openings) -> None:
    async def work(system: Any, event: Any) -> Any:
        await asyncio.sleep(0.01)  # what is closed because nobody holds it is closed as soon as somebody waits
        openings.loops.add(id(asyncio.get_running_loop()))
        return system, event, openings.closed

    handle = warm.handler(work)
    assert [handle(number, None) for number in range(3)] == [("the product", number, 0) for number in range(3)]
    assert (openings.opened, len(openings.loops)) == (1, 1)


def test_an_event_that_fails_leaves_the_product_open(openings: Openings) -> None:
    async def work(_: Any, event: Any) -> Any:
        await asyncio.sleep(0.01)
        return 1 / event

    handle = warm.handler(work)
    with pytest.raises(ZeroDivisionError):
        handle(0, None)
    assert (handle(1, None), openings.opened, openings.closed) == (1, 1, 0)
