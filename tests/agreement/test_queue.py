"""The queues of all platforms agree on what comes, how often, and what is dead; the order is nobody's promise."""

import itertools
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from smmu.ports.platform import Platform
from smmu.ports.queue import Topic
from tests.support.agreement import SECONDS, SERVICE_SETTINGS, SETTINGS, Agreement, memory, services
from tests.support.records import a_message


class QueueAgreement(Agreement):
    """Messages under leases that end, are prolonged, given back and acknowledged, early and late."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = itertools.count(1)
        self.held: dict[tuple[str, int], list[str]] = {}

    @rule(count=st.integers(1, 3), delay=st.sampled_from([0.0, 15.0]))
    def send(self, count: int, delay: float) -> None:
        messages = [a_message(f"m{next(self.numbers)}", delay_seconds=delay) for _ in range(count)]
        self.agree(lambda p: p.queue.send(messages))

    @rule(lease=SECONDS)
    def receive(self, lease: float) -> None:
        async def all_there_is(platform: Platform) -> dict[tuple[str, int], str]:
            found: dict[tuple[str, int], str] = {}
            while got := await platform.queue.receive(Topic.JOBS, limit=10, lease_seconds=lease, wait_seconds=0):
                found |= {(delivery.message.id, delivery.receives): delivery.receipt for delivery in got}
            return found

        first, *others = self.all(lambda platform, _: all_there_is(platform))
        assert all(first.keys() == other.keys() for other in others), (first, *others)
        for name in first:
            self.held[name] = [answer[name] for answer in (first, *others)]

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 9), act=st.sampled_from(["ack", "nack", "extend"]), delay=st.sampled_from([0.0, 15.0]))
    def settle(self, which: int, act: str, delay: float) -> None:
        receipts = self.held[sorted(self.held)[which % len(self.held)]]

        async def act_on(platform: Platform, number: int) -> None:
            if act == "ack":
                await platform.queue.ack(receipts[number])
            elif act == "nack":
                await platform.queue.nack(receipts[number], delay)
            else:
                await platform.queue.extend(receipts[number], 1 + delay)

        answers = self.all(act_on)
        assert len(set(answers)) == 1, answers

    @rule(redrive=st.booleans())
    def bury(self, redrive: bool) -> None:  # noqa: FBT001
        async def dead(platform: Platform) -> Any:
            letters = sorted(message.id for message in await platform.queue.dead(100))
            return letters, await platform.queue.redrive(100) if redrive else None

        self.agree(dead)


QueueAgreement.TestCase.settings = SETTINGS
TestQueueAgreement = QueueAgreement.TestCase


class QueueAgreementWithServices(QueueAgreement):
    """The same with AWS, of which every call takes longer."""

    openers = (memory, services)


QueueAgreementWithServices.TestCase.settings = SERVICE_SETTINGS
TestQueueAgreementWithServices = pytest.mark.aws(QueueAgreementWithServices.TestCase)
