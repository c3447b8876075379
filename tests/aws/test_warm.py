"""A sandbox's product: opened by the first event, and open for all others, whatever the events before came to."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from smmu.adapters.embedded.lines import JsonLines, LineWriter
from smmu.adapters.embedded.system import SystemClock
from smmu.entrypoints.lambdas import warm
from smmu.ports.system import Telemetry


@dataclass
class Openings:
    """How often the product was opened, and closed."""

    opened: int = 0
    closed: int = 0
    loops: set[int] = field(default_factory=set)
    lines: LineWriter = field(default_factory=LineWriter)

    @asynccontextmanager
    async def open_system(self, _settings: Any, *, telemetry: Telemetry) -> AsyncIterator[Any]:
        self.opened += 1
        try:
            yield SimpleNamespace(system=SimpleNamespace(telemetry=telemetry))
        finally:
            self.closed += 1

    def lines_of(self, _settings: Any, component: str) -> Telemetry:
        return JsonLines(SystemClock(), component=component, writer=self.lines)


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Openings]:
    openings = Openings()
    monkeypatch.setattr(warm, "open_system", openings.open_system)
    monkeypatch.setattr(warm, "load_settings", lambda: None)
    monkeypatch.setattr(warm, "lines_of", openings.lines_of)
    monkeypatch.setattr(warm, "tell_what_libraries_log", lambda _: None)
    sandbox = warm._Sandbox()
    monkeypatch.setattr(warm, "_sandbox", lambda: sandbox)
    yield openings
    sandbox.runner.run(sandbox.kept.aclose())
    sandbox.runner.close()


def test_the_first_event_opens_the_product_and_nothing_closes_it(openings: Openings) -> None:
    async def work(system: Any, event: Any) -> Any:
        await asyncio.sleep(0.01)  # what is closed because nobody holds it is closed as soon as somebody waits
        openings.loops.add(id(asyncio.get_running_loop()))
        return system.telemetry is not None, event, openings.closed

    handle = warm.handler(work, "work")
    assert [handle(number, None) for number in range(3)] == [(True, number, 0) for number in range(3)]
    assert (openings.opened, len(openings.loops)) == (1, 1)


def test_an_event_that_fails_leaves_the_product_open(openings: Openings) -> None:
    async def work(_: Any, event: Any) -> Any:
        await asyncio.sleep(0.01)
        return 1 / event

    handle = warm.handler(work, "work")
    with pytest.raises(ZeroDivisionError):
        handle(0, None)
    assert (handle(1, None), openings.opened, openings.closed) == (1, 1, 0)


def test_what_was_told_is_written_before_the_sandbox_is_frozen(openings: Openings) -> None:
    stream = io.StringIO()
    openings.lines = LineWriter(stream)

    async def work(system: Any, event: Any) -> Any:
        system.telemetry.event("bug", number=event)
        if event:
            raise ValueError(event)

    handle = warm.handler(work, "work")
    handle(0, None)
    assert len(stream.getvalue().splitlines()) == 1
    with pytest.raises(ValueError, match="1"):
        handle(1, None)
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["component"], line["number"]) for line in told] == [("work", 0), ("work", 1)]
