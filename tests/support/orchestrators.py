"""The table of orchestrators that the contract suite runs on: how each is opened, and how a test lets a run end."""

import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
from anyio import to_thread

from smmu.adapters.aws.account import Resources, open_clients
from smmu.adapters.aws.orchestrator import SfnOrchestrator
from smmu.application.runs import LedgerOrchestrator
from smmu.application.signal import Signal
from smmu.application.store import Store
from smmu.ports.orchestrator import Orchestrator, RunRequest
from smmu.ports.platform import Capability
from tests.support.aws.machines import create, functions
from tests.support.aws.moto import account
from tests.support.limits import LIMITS
from tests.support.platforms import STAGES, Stage, on_asyncio

Ending = Literal["succeeded", "failed"]
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Runs:
    """An orchestrator, and a way to let a run of it end. `mark` makes names that no other test has."""

    orchestrator: Orchestrator
    end: Callable[[RunRequest, Ending], Awaitable[None]]
    mark: str = field(default_factory=lambda: secrets.token_hex(6))


@dataclass(frozen=True, slots=True)
class RunsStage:
    """One way to run the suite."""

    name: str
    open: Callable[[Path], AbstractAsyncContextManager[Runs]]
    backend: Callable[[], Any]
    capabilities: frozenset[Capability] = frozenset()
    marks: tuple[pytest.MarkDecorator, ...] = ()
    modules: frozenset[str] | None = None


@asynccontextmanager
async def in_the_ledger(stage: Stage, folder: Path) -> AsyncIterator[Runs]:
    async with stage.open(folder) as platform:
        runs = LedgerOrchestrator(
            store=Store(ledger=platform.ledger, limits=LIMITS, ring=Signal().ring), clock=platform.clock
        )
        yield Runs(runs, runs.end)


@dataclass(slots=True)
class Working:
    """A Lambda function that is asked again and again, until the test says how it ends."""

    endings: dict[str, Ending] = field(default_factory=dict)

    def work(self, name: str) -> str:
        time.sleep(_LOOK_SECONDS)  # noqa: TID251 - in the interpreter's own thread
        ending = self.endings.get(name, "running")
        if ending == "failed":
            raise RuntimeError("it failed")
        return ending

    async def end(self, request: RunRequest, ending: Ending) -> None:
        self.endings[request.name] = ending


# The stand-in stops an execution between two states only.
MACHINE = {
    "StartAt": "work",
    "States": {
        "work": {"Type": "Task", "Resource": "work", "InputPath": "$$.Execution.Name", "Next": "over?"},
        "over?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$", "StringEquals": "running", "Next": "work"}],
            "Default": "over",
        },
        "over": {"Type": "Succeed"},
    },
}


@asynccontextmanager
async def as_executions(_folder: Path) -> AsyncIterator[Runs]:
    working = Working()
    with functions({"work": working.work}) as arns:
        definition = json.loads(json.dumps(MACHINE).replace('"Resource": "work"', f'"Resource": "{arns["work"]}"'))
        machine = await to_thread.run_sync(create, definition)
        async with open_clients(account()) as clients:
            orchestrator = SfnOrchestrator(clients, Resources(state_machine=machine))
            yield Runs(orchestrator, working.end)
            for execution in (await clients.stepfunctions.list_executions(stateMachineArn=machine))["executions"]:
                await clients.stepfunctions.stop_execution(executionArn=execution["executionArn"])


RUNS_STAGES = (
    *(
        RunsStage(stage.name, partial(in_the_ledger, stage), stage.backend)
        for stage in STAGES
        if not stage.modules and stage.name != "aws"
    ),
    RunsStage("aws", as_executions, on_asyncio, marks=(pytest.mark.aws,)),
)
