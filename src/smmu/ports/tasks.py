"""`TaskRunner`: tells how a heavy task that runs in isolation from everything else is, and ends it.

`TaskStarter` also starts it: on a platform whose orchestrator does that by itself there is none.
"""

import hashlib
from abc import abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Exit(StrEnum):
    """How an isolated task ended; the values but the first are causes of `TaskDied`."""

    DONE = "done"
    CRASHED = "crashed"
    OUT_OF_MEMORY = "out_of_memory"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequest:
    """What to run: a worker of `family` for the task record of `owner` at `record_id`, try number `tries`.

    `trace` is where its job came from; the worker finds it in its environment, as `TRACEPARENT`.

    `cores` it can keep busy, and `memory_bytes` of address space, say how large its machine should be; `kept`, that it
    should be one that nobody takes away; `small`, that it needs none of its own.
    """

    owner: str
    record_id: str
    family: str
    tries: int
    cores: int = 1
    memory_bytes: int
    seconds_max: int
    kept: bool = False
    small: bool = False
    trace: str = ""

    @property
    def handle(self) -> str:
        """The try's name wherever it runs: 32 hexadecimal digits, a pure function of owner, record and try."""
        named = "\n".join((self.owner, self.record_id, str(self.tries)))
        return hashlib.sha256(named.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus:
    """`exit` is `None` while it runs; `exit_code` is the process's (negative: a signal), `detail` says more."""

    exit: Exit | None
    exit_code: int | None = None
    detail: str = ""


class TaskRunner(Protocol):
    """Isolated tasks, named by a handle (`TaskRequest.handle`)."""

    @abstractmethod
    async def inspect(self, handle: str) -> TaskStatus:
        """How it is. Raises `NotFound` for a handle that was never given, or is long over."""

    @abstractmethod
    async def stop(self, handle: str) -> None:
        """End it: asked first, killed after a grace. Stopping what has ended is fine."""


class TaskStarter(TaskRunner, Protocol):
    """Isolated tasks that are started here."""

    @abstractmethod
    async def start(self, request: TaskRequest) -> str:
        """Start it and answer its handle. Starting the same try of the same record again starts nothing."""

    @abstractmethod
    async def wait(self, handle: str) -> TaskStatus:
        """Its status once it has ended. Cancelling the wait does not stop the task."""
