"""The ledgers of all platforms agree: records, versions, lists, counters, what is due, and the outbox."""

import itertools
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from smmu.domain.job import Job, State
from smmu.ports.ledger import Change, Count, Put, Query, Remove
from smmu.ports.platform import Platform
from smmu.ports.queue import Message
from smmu.ports.records import Key
from tests.support.agreement import SERVICE_SETTINGS, SETTINGS, Agreement, memory, services
from tests.support.records import OTHER, OWNER, a_job, a_message

owners = st.sampled_from([OWNER, OWNER, OTHER])
names = st.sampled_from(["job_1", "job_1/a", "job_2"])
states = st.sampled_from([State.CREATED, State.RUNNING, State.FAILED])
versions = st.sampled_from([0, 0, 1, 1, 2])
moments = st.none() | st.integers(-5, 5).map(float)

puts = st.builds(
    lambda name, owner, state, expect, due_at: Put(
        value=a_job(name, owner=owner, state=state), expect=expect, due_at=due_at
    ),
    *(names, owners, states, versions, moments),
)
removes = st.builds(
    lambda name, owner, expect: Remove(key=Key(Job, owner, name), expect=expect), names, owners, versions
)
counts = st.builds(
    lambda owner, delta, bound: Count(owner=owner, deltas={"bytes": delta, "n": 1}, at_most={"bytes": bound}),
    *(owners, st.sampled_from([-2, 1, 1, 2]), st.integers(0, 4)),
)
changes = st.lists(st.one_of(puts, puts, removes, counts, counts), min_size=1, max_size=3)


async def everything(platform: Platform, query: Query[Job]) -> list[Any]:
    found: list[Any] = []
    cursor: str | None = None
    while True:
        page = await platform.ledger.query(
            Query(
                type=Job,
                owner=query.owner,
                prefix=query.prefix,
                state=query.state,
                after=cursor,
                limit=query.limit,
                newest=query.newest,
            )
        )
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found


class LedgerAgreement(Agreement):
    """Commits of every mixture, and every way of reading."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = itertools.count(1)

    @rule(commits=st.lists(changes, min_size=1, max_size=4), messages=st.integers(0, 2))
    def commit(self, commits: list[list[Change]], messages: int) -> None:
        for together in commits:
            notes = [a_message(f"m{next(self.numbers)}") for _ in range(messages)]
            self._commit(together, notes)

    def _commit(self, together: list[Change], notes: list[Message]) -> None:
        self.agree(lambda p: p.ledger.commit(together, notes))

    @rule(name=names, owner=owners)
    def load(self, name: str, owner: str) -> None:
        self.agree(lambda p: p.ledger.load(Key(Job, owner, name)))

    @rule(
        owner=owners,
        prefix=st.sampled_from(["", "job_1", "job_"]),
        state=st.none() | states,
        limit=st.integers(1, 3),
        newest=st.booleans(),
    )
    def list_records(self, owner: str, prefix: str, state: str | None, limit: int, newest: bool) -> None:  # noqa: FBT001
        query = Query(type=Job, owner=owner, prefix=prefix, state=state, limit=limit, newest=newest)
        self.agree(lambda p: everything(p, query))

    @rule(owner=owners, now=moments.filter(lambda moment: moment is not None))
    def look_around(self, owner: str, now: float) -> None:
        async def seen(platform: Platform) -> Any:
            due = await platform.ledger.due(now, 100)
            return dict(await platform.ledger.counters(owner)), {(key.owner, key.id) for key in due}

        self.agree(seen)

    @rule(sent=st.integers(0, 3))
    def relay(self, sent: int) -> None:
        async def once(platform: Platform) -> Any:
            messages = list(await platform.ledger.outgoing(sent))
            await platform.ledger.mark_sent([message.id for message in messages])
            return messages

        self.agree(once)


LedgerAgreement.TestCase.settings = SETTINGS
TestLedgerAgreement = LedgerAgreement.TestCase


class LedgerAgreementWithServices(LedgerAgreement):
    """The same with AWS, of which every call takes longer."""

    openers = (memory, services)


LedgerAgreementWithServices.TestCase.settings = SERVICE_SETTINGS
TestLedgerAgreementWithServices = pytest.mark.aws(LedgerAgreementWithServices.TestCase)
