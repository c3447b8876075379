"""`Orchestrator`: sees a pipeline run through to its end, once for each attempt of a job."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal, Protocol

from smmu.domain.quick import quick


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One attempt of one job. The run's name and input are pure functions of it.

    `trace` is the job's: it is in the input, and two requests for one attempt must have the same one.
    """

    owner: str
    job_id: str
    attempt: int
    trace: str = ""

    @property
    def name(self) -> str:
        """The run's name (compare `Job.run_name`)."""
        return f"{self.job_id}-a{self.attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """What the orchestrator knows of a run."""

    name: str
    state: Literal["running", "succeeded", "failed", "cancelled"]


class Orchestrator(Protocol):
    """Starts, cancels and describes runs."""

    @abstractmethod
    async def start(self, request: RunRequest) -> None:
        """Start the run. A run of that name that exists already, running or ended, is success and changes nothing."""

    @abstractmethod
    async def cancel(self, request: RunRequest) -> None:
        """Ask a run to end; it starts nothing new. Cancelling an ended or unknown run is fine."""

    @abstractmethod
    async def describe(self, request: RunRequest) -> RunStatus | None:
        """The run's state, or `None` when it was never started."""
