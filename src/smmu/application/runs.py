"""`LedgerOrchestrator`: runs as records, for platforms that have no orchestrator of their own.

It only records a run and leaves word that it wants to be advanced; whoever receives that word (`interpreter.py`)
evaluates the pipeline. So it keeps nothing in memory, and any process may go on where another died.
"""

from dataclasses import dataclass, replace
from typing import Literal, cast

from smmu.application.messages import run_wants_advance
from smmu.application.store import Store, until_settled
from smmu.ports.errors import Conflict
from smmu.ports.orchestrator import Orchestrator, RunRequest, RunStatus
from smmu.ports.records import Run
from smmu.ports.system import Clock

RunState = Literal["running", "succeeded", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerOrchestrator(Orchestrator):
    """Runs kept in the ledger."""

    store: Store
    clock: Clock

    async def start(self, request: RunRequest) -> None:
        """One conditional write: the second one to start a run finds it there."""
        now = self.clock.now()
        run = Run(
            name=request.name,
            owner=request.owner,
            job_id=request.job_id,
            attempt=request.attempt,
            state="running",
            created_at=now,
            updated_at=now,
        )
        try:
            await self.store.commit([self.store.put(run)], [run_wants_advance(request, "start")])
        except Conflict:
            return

    async def cancel(self, request: RunRequest) -> None:
        """Mark the run; the interpreter starts nothing for a run that is not running."""
        await self.end(request, "cancelled")

    async def end(self, request: RunRequest, state: RunState) -> None:
        """Close a running run; an ended or unknown one is left as it is."""

        async def attempt() -> None:
            stored = await self.store.find(Run, request.owner, request.name)
            if stored is None or stored.value.state != "running":
                return
            ended = replace(stored.value, state=state, updated_at=self.clock.now())
            await self.store.commit([self.store.put(ended, stored.version)])

        await until_settled(attempt)

    async def describe(self, request: RunRequest) -> RunStatus | None:
        """What the record says."""
        stored = await self.store.find(Run, request.owner, request.name)
        if stored is None:
            return None
        return RunStatus(name=request.name, state=cast("RunState", stored.value.state))
