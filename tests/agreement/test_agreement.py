"""All platforms, driven by the same operations, give the same answers.

The contract suite tries each promise by itself; this machine looks for what nobody thought of between them. Answers are
compared where a port promises them: order only where order is promised, errors by their class, references by what
they open. Time is one clock that all platforms are given.
"""

import itertools
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Literal

from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from smmu.adapters.embedded.platform import open_platform
from smmu.adapters.inmemory.platform import memory_platform
from smmu.adapters.inmemory.system import FixedClock
from smmu.domain.job import Job, State
from smmu.ports.errors import WorldError
from smmu.ports.ledger import Change, Count, Put, Query, Remove
from smmu.ports.platform import Platform
from smmu.ports.queue import Topic
from smmu.ports.records import Key
from smmu.ports.uploads import PartSlot, Session, StoredPart
from tests.support.delivery import EXACT, content, send
from tests.support.folders import quick_folder
from tests.support.platforms import LIMITS
from tests.support.records import OTHER, OWNER, a_job, a_message

PART_BYTES = 40
BODY = bytes(range(200))

owners = st.sampled_from([OWNER, OTHER])
names = st.sampled_from(["job_1", "job_1/a", "job_2", "med_1"])
states = st.sampled_from([State.CREATED, State.RUNNING, State.FAILED])
versions = st.sampled_from([0, 0, 1, 1, 2, 3])
moments = st.none() | st.integers(-50, 50).map(float)
object_keys = st.sampled_from(["m/a", "m/a/1", "m/b", "raw/x"])
bodies = st.integers(0, 60).map(lambda size: BODY[size : 2 * size])
seconds = st.sampled_from([1.0, 10.0, 40.0])

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
    *(owners, st.integers(-5, 5), st.integers(0, 10)),
)
changes = st.lists(st.one_of(puts, puts, removes, counts), min_size=1, max_size=3)

Operation = Callable[[Platform], Awaitable[Any]]


@dataclass(slots=True)
class Sent:
    """An upload session on every platform, with what was sent in it, oldest first."""

    method: Literal["single", "multipart"]
    sessions: list[Session]
    parts: list[list[StoredPart]] = field(default_factory=list)


async def answer_of(platform: Platform, operation: Operation) -> Any:
    try:
        return await operation(platform)
    except (WorldError, ValueError) as error:
        return type(error)


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


class Agreement(RuleBasedStateMachine):
    """Every rule asks every platform the same, and demands the same answer."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.clock = FixedClock()
        self.platforms: list[Platform] = []
        self.numbers = itertools.count(1)
        self.held: dict[tuple[str, int], list[str]] = {}
        self.refs: list[list[Any]] = []
        self.uploads: list[Sent] = []

    @initialize()
    def open(self) -> None:
        self.portal: BlockingPortal = self.stack.enter_context(start_blocking_portal("asyncio"))
        folder = self.stack.enter_context(quick_folder())
        embedded = open_platform(folder, LIMITS, exclusive=True, clock=self.clock)
        self.platforms = [
            memory_platform(LIMITS, clock=self.clock, part_bytes_min=1),
            self.stack.enter_context(self.portal.wrap_async_context_manager(embedded)),
        ]

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

    @rule(passed=seconds)
    def time_passes(self, passed: float) -> None:
        self.clock.advance(passed)

    # --- ledger

    @rule(changes=changes, messages=st.integers(0, 2))
    def commit(self, changes: list[Change], messages: int) -> None:
        notes = [a_message(f"m{next(self.numbers)}") for _ in range(messages)]
        self.agree(lambda p: p.ledger.commit(changes, notes))

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
            await platform.queue.send(messages)
            await platform.ledger.mark_sent([message.id for message in messages])
            return messages

        self.agree(once)

    # --- queue

    @rule(count=st.integers(1, 3), delay=st.sampled_from([0.0, 15.0]))
    def send(self, count: int, delay: float) -> None:
        messages = [a_message(f"m{next(self.numbers)}", delay_seconds=delay) for _ in range(count)]
        self.agree(lambda p: p.queue.send(messages))

    @rule(lease=seconds)
    def receive(self, lease: float) -> None:
        async def all_there_is(platform: Platform) -> dict[tuple[str, int], str]:
            found = {}
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

    # --- objects

    @rule(key=object_keys, body=bodies, if_absent=st.booleans())
    def put(self, key: str, body: bytes, if_absent: bool) -> None:  # noqa: FBT001
        answers = self.all(lambda p, _: p.objects.put(key, body, content_type="image/png", if_absent=if_absent))
        self._pin(answers)

    @rule(key=object_keys)
    def delete(self, key: str) -> None:
        self.agree(lambda p: p.objects.delete(key))

    @rule()
    def list_objects(self) -> None:
        async def listed(platform: Platform) -> Any:
            infos = [info async for info in platform.objects.list("m/a")]
            return [(info.ref.key, info.ref.size, info.content_type, info.modified_at) for info in infos]

        self.agree(listed)

    @rule(key=object_keys)
    def read(self, key: str) -> None:
        self.agree(lambda p: content(p, key))

    @precondition(lambda self: self.refs)
    @rule(which=st.integers(0, 9), start=st.integers(0, 70), length=st.integers(0, 70))
    def read_pinned(self, which: int, start: int, length: int) -> None:
        refs = self.refs[which % len(self.refs)]

        async def read(platform: Platform, number: int) -> bytes:
            return await (await platform.objects.open(refs[number])).read(start, length)

        answers = self.all(read)
        assert len(set(answers)) == 1, answers

    def _pin(self, answers: list[Any]) -> None:
        if any(isinstance(answer, type) for answer in answers):
            assert len(set(answers)) == 1, answers
        else:
            assert len({(ref.key, ref.size) for ref in answers}) == 1, answers
            self.refs.append(answers)

    # --- uploads

    @precondition(lambda self: len(self.uploads) < 4)
    @rule(method=st.sampled_from(["single", "multipart"]))
    def begin(self, method: Literal["single", "multipart"]) -> None:
        key = f"raw/{len(self.uploads)}"
        part_size = PART_BYTES if method == "multipart" else 0
        begun = self.all(
            lambda p, _: p.uploads.begin(key, method=method, part_size=part_size, content_type="video/mp4")
        )
        self.uploads.append(Sent(method, begun))

    @precondition(lambda self: self.uploads)
    @rule(
        which=st.integers(0, 3),
        number=st.integers(1, 3),
        size=st.sampled_from([0, 7, PART_BYTES, PART_BYTES + 1]),
        signed=st.sampled_from([7, PART_BYTES, None]),
        told=st.sampled_from([EXACT, None, 7]),
        late=st.booleans(),
        first=st.integers(0, 9),
    )
    def send_part(self, which: int, size: int, signed: int | None, told: int | None, **drawn: Any) -> None:
        upload = self.uploads[which % len(self.uploads)]
        slot = PartSlot(number=drawn["number"], size=signed, size_max=PART_BYTES)
        body = BODY[drawn["first"] :][:size]

        async def once(platform: Platform, at: int) -> StoredPart:
            expires_at = self.clock.now() + 1 - drawn["late"]
            (part,) = await platform.uploads.sign(upload.sessions[at], [slot], expires_at=expires_at)
            return await send(platform, part.url, body, told)

        answers = self.all(once)
        if isinstance(answers[0], StoredPart):
            assert len({(part.number, part.size) for part in answers}) == 1, answers
            upload.parts.append(answers)
        else:
            assert len(set(answers)) == 1, answers

    @precondition(lambda self: self.uploads)
    @rule(which=st.integers(0, 3))
    def list_parts(self, which: int) -> None:
        upload = self.uploads[which % len(self.uploads)]

        async def listed(platform: Platform, at: int) -> tuple[Any, ...]:
            parts = await platform.uploads.list_parts(upload.sessions[at])
            return tuple((part.number, part.size) for part in parts)

        answers = self.all(listed)
        assert len(set(answers)) == 1, answers

    @precondition(lambda self: self.uploads)
    @rule(which=st.integers(0, 3), newest=st.integers(0, 4))
    def complete(self, which: int, newest: int) -> None:
        """With the newest parts of each number, or leaving out as many of the newest as are asked to be."""
        upload = self.uploads[which % len(self.uploads)]
        taken = upload.parts[: len(upload.parts) - newest // 3]
        chosen = sorted({parts[0].number: at for at, parts in enumerate(taken)}.items())

        async def once(platform: Platform, at: int) -> Any:
            return await platform.uploads.complete(upload.sessions[at], [taken[place][at] for _, place in chosen])

        self._pin(self.all(once))

    @precondition(lambda self: self.uploads)
    @rule(which=st.integers(0, 3))
    def abort(self, which: int) -> None:
        upload = self.uploads[which % len(self.uploads)]
        answers = self.all(lambda p, at: p.uploads.abort(upload.sessions[at]))
        assert len(set(answers)) == 1, answers

    @rule()
    def find_orphans(self) -> None:
        async def keys(platform: Platform) -> Any:
            return sorted(session.key for session in await platform.uploads.orphans(self.clock.now() + 1))

        self.agree(keys)


Agreement.TestCase.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAgreement = Agreement.TestCase
