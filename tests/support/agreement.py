"""All platforms, driven by the same operations, give the same answers: what the machines in tests/agreement share.

The contract suite tries each promise by itself; these machines look for what nobody thought of between them. Answers
are compared where a port promises them: order only where order is promised, errors by their class, references by
what they open. Time is one clock that all platforms are given.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from smmu.adapters.embedded.platform import open_platform
from smmu.adapters.inmemory.platform import memory_platform
from smmu.adapters.inmemory.system import FixedClock
from smmu.ports.errors import WorldError
from smmu.ports.platform import Platform
from tests.support.folders import quick_folder
from tests.support.platforms import LIMITS

SETTINGS = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
SECONDS = st.sampled_from([1.0, 10.0, 40.0])

Operation = Callable[[Platform], Awaitable[Any]]


async def answer_of(platform: Platform, operation: Operation) -> Any:
    try:
        return await operation(platform)
    except (WorldError, ValueError) as error:
        return type(error)


class Agreement(RuleBasedStateMachine):
    """Every rule asks every platform the same, and demands the same answer."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.clock = FixedClock()
        self.platforms: list[Platform] = []

    @initialize()
    def open(self) -> None:
        self.portal: BlockingPortal = self.stack.enter_context(start_blocking_portal("asyncio"))
        folder = self.stack.enter_context(quick_folder())
        embedded = open_platform(folder, LIMITS, exclusive=True, clock=self.clock)
        self.platforms = [
            memory_platform(LIMITS, clock=self.clock, part_bytes_min=0),
            self.stack.enter_context(self.portal.wrap_async_context_manager(embedded)),
            *self.more_platforms(),
        ]

    def more_platforms(self) -> Sequence[Platform]:
        """Those that a machine of one port adds, on `stack`."""
        return ()

    def teardown(self) -> None:
        self.stack.close()

    def all(self, operation: Callable[[Platform, int], Awaitable[Any]]) -> list[Any]:
        """Each platform's answer; a refusal is an answer too."""
        answers = []
        for number, platform in enumerate(self.platforms):
            answers.append(self.portal.call(answer_of, platform, lambda p, n=number: operation(p, n)))
        return answers

    def agree(self, operation: Operation) -> Any:
        first, *others = self.all(lambda platform, _: operation(platform))
        assert all(first == other for other in others), (first, *others)
        return first

    @rule(passed=SECONDS)
    def time_passes(self, passed: float) -> None:
        self.clock.advance(passed)

    def same(self, operation: Callable[[Platform, int], Awaitable[Any]]) -> Any:
        """As `agree`, for operations that need what each platform gave before."""
        answers = self.all(operation)
        assert all(answers[0] == other for other in answers[1:]), answers
        return answers[0]
