"""No work waits unseen: what wants attention has a message under way, in the outbox, in the queue, or dead for all to see.

The sweeper finds what has none, a minute later, and so hides its loss from every check at the end. This one is made
after every step, and sees a message that was never sent, or that was taken away before its work was done.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from smmu.domain import job, task
from smmu.domain.catalogue import pipeline
from smmu.domain.evaluate import Waiting, evaluate
from smmu.domain.job import Job
from smmu.domain.limits import Limits
from smmu.domain.pipeline import Weight
from smmu.domain.task import Task
from smmu.ports.queue import Topic, decode_message
from smmu.ports.records import Run
from tests.simulation.history import WatchedWorld

# After a call of one of these, something may want a message that it did not want before, or may have lost one.
CHANGING = frozenset({"ledger.commit", "ledger.mark_sent", "queue.ack", "queue.receive"})

Hint = tuple[Topic, str, int]


@dataclass(frozen=True, slots=True)
class Hints:
    """Compares what wants a message with the messages that there are."""

    world: WatchedWorld
    limits: Limits

    def missing(self) -> list[str]:
        there = {_hint(data) for data in self._messages()}
        return [words for hint, words in self._wanted() if hint not in there]

    def _messages(self) -> Iterator[bytes]:
        yield from self.world.outbox.values()
        yield from self.world.dead.values()
        for rows in self.world.queue.values():
            yield from (row.data for row in rows.values())

    def _wanted(self) -> Iterator[tuple[Hint, str]]:
        journals: dict[tuple[str, int], dict[str, Task]] = {}
        for known in self.world.history.of(Task):
            journals.setdefault((known.job_id, known.attempt), {})[known.path] = known
        for of_job in self.world.history.of(Job):
            if of_job.state in (job.State.CREATED, job.State.CANCELLING):
                yield (
                    (Topic.JOBS, of_job.id, of_job.attempt),
                    f"job {of_job.id} is {of_job.state}, and no message says so",
                )
            if of_job.state in (job.State.QUEUED, job.State.RUNNING):
                yield from self._of_attempt(of_job, journals.get((of_job.id, of_job.attempt), {}))

    def _of_attempt(self, of_job: Job, journal: Mapping[str, Task]) -> Iterator[tuple[Hint, str]]:
        for known in journal.values():
            if known.state is task.State.QUEUED:
                topic = Topic.HEAVY_TASKS if known.weight is Weight.HEAVY else Topic.TASKS
                words = f"task {known.name} of {of_job.id} is queued, and no message says so"
                yield (topic, known.record_id, len(known.failures)), words
        run = self.world.history.find(Run, of_job.owner, of_job.run_name)
        if run is not None and run.state == "running" and self._goes_on(of_job, journal):
            words = f"run {run.name} can go on, and no message says so"
            yield (Topic.RUNS, of_job.id, of_job.attempt), words

    def _goes_on(self, of_job: Job, journal: Mapping[str, Task]) -> bool:
        document = {"job_id": of_job.id, "owner": of_job.owner, "attempt": of_job.attempt}
        outcome = evaluate(pipeline(self.limits), document, journal)
        return not isinstance(outcome, Waiting) or bool(outcome.ready)


@lru_cache(maxsize=10_000)
def _hint(data: bytes) -> Hint:
    message = decode_message(data)
    body = message.body
    if message.topic in (Topic.JOBS, Topic.RUNS):
        return message.topic, str(body["job_id"]), int(body["attempt"])
    return message.topic, str(body["record_id"]), int(body["tries"])
