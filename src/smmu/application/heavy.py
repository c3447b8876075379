"""Heavy tasks: each in an isolated process of its own, started, waited for, and buried if it died.

The process claims the task itself (`worker.py`); this only sees to it that a try which ends without a word gets one.
A small task is done here and now: what it decodes is in a confined child, as always.
"""

from dataclasses import dataclass
from typing import Any

import anyio

from smmu.application.store import Store
from smmu.application.worker import Worker
from smmu.domain.errors import WORDS, Code
from smmu.domain.task import LAST_WORDS_SECONDS, State, Task
from smmu.ports.tasks import Exit, TaskRequest, TaskStarter

_STOP_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heavy:
    """Starts heavy tasks and sees them through."""

    store: Store
    tasks: TaskStarter
    worker: Worker

    async def perform(self, owner: str, record_id: str, tries: int) -> None:
        """See one try through in isolation."""
        stored = await self.store.find(Task, owner, record_id)
        if stored is None or stored.value.state is not State.QUEUED or len(stored.value.failures) != tries:
            return
        request = machine_request(stored.value)
        if request.small:
            await self.worker.perform(owner, record_id, tries)
            return
        handle = await self.tasks.start(request)
        try:
            status = await self.tasks.wait(handle)
            self.store.ring()  # that process cannot ring here itself
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(_STOP_SECONDS, shield=True):
                await self.tasks.stop(handle)
                await self.worker.bury(owner, record_id, tries, *told_of(Exit.INTERRUPTED))
            raise
        if status.exit is not None and status.exit is not Exit.DONE:
            await self.worker.bury(owner, record_id, tries, *told_of(status.exit), detail=status.detail)


def told_of(how: Exit) -> tuple[Code, str]:
    """The code of a machine's end, and what its owner is told."""
    code = Code(how.value)
    return code, WORDS[code]


def machine_request(known: Task) -> TaskRequest:
    """The machine that a heavy task's next try needs.

    One that ran out of memory is followed by a larger one, one that was taken away or not to be had by one that stays.
    It lasts longer than the task may, so that the worker ends by itself. A small task needs none for its first try, and
    one like all others when that failed, for whatever reason.
    """
    planned: dict[str, Any] = known.input["task"]
    errors = [failure.error for failure in known.failures]
    died = errors.count(Exit.OUT_OF_MEMORY)
    return TaskRequest(
        owner=known.owner,
        record_id=known.record_id,
        family=planned["family"],
        tries=len(known.failures),
        cores=planned["cores"],
        memory_bytes=planned["memory_bytes"] << died,
        seconds_max=planned["seconds_max"] + LAST_WORDS_SECONDS,
        kept=Exit.INTERRUPTED in errors or Code.WORLD_UNAVAILABLE in errors,
        small=bool(planned.get("small")) and not errors,
        trace=known.trace,
    )
