"""`SfnOrchestrator`: a run is an execution of the compiled state machine (`asl.py`), under the run's own name.

Its input is {"job_id", "owner", "attempt", "trace"} and nothing else, all of it the job record's: AWS answers a second
start with the same name and input as it answered the first, for as long as the execution runs. Once it has ended, and
for 90 days, the name is taken. The trace is told X-Ray too, so that what AWS records of the run has the same id.

IAM: states:StartExecution on the state machine; states:StopExecution and states:DescribeExecution on its executions.
Costs: starting is one transition more than `asl.py` counts; stopping and describing are free.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from botocore.exceptions import ClientError

from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.errors import code_of, translating
from smmu.domain.trace import parse
from smmu.ports.errors import NotFound
from smmu.ports.orchestrator import Orchestrator, RunRequest, RunStatus

_STATES: Mapping[str, Literal["running", "succeeded", "failed", "cancelled"]] = MappingProxyType(
    {
        "RUNNING": "running",
        "PENDING_REDRIVE": "running",
        "SUCCEEDED": "succeeded",
        "FAILED": "failed",
        "TIMED_OUT": "failed",
        "ABORTED": "cancelled",
    }
)
_STARTED_BEFORE = "ExecutionAlreadyExists"


class SfnOrchestrator(Orchestrator):
    """The runs of one deployment's state machine."""

    def __init__(self, clients: Clients, resources: Resources) -> None:
        self._sfn = clients.stepfunctions
        self._state_machine = resources.state_machine

    async def start(self, request: RunRequest) -> None:
        """Start the execution. That there is one of that name, running or ended, is success."""
        document = {
            "job_id": request.job_id,
            "owner": request.owner,
            "attempt": request.attempt,
            "trace": request.trace,
        }
        with translating(f"run {request.name}"):
            try:
                await self._sfn.start_execution(
                    stateMachineArn=self._state_machine,
                    name=request.name,
                    input=json.dumps(document, sort_keys=True),
                    **traced(request.trace),
                )
            except ClientError as error:
                if code_of(error) != _STARTED_BEFORE:
                    raise

    async def cancel(self, request: RunRequest) -> None:
        """Stop the execution, and with it the container that it waits for."""
        known = await self.describe(request)
        if known is None or known.state != "running":
            return
        try:
            with translating(f"run {request.name}"):
                await self._sfn.stop_execution(executionArn=self._execution(request), error="job_cancelled")
        except NotFound:
            return

    async def describe(self, request: RunRequest) -> RunStatus | None:
        """What Step Functions says of the execution."""
        try:
            with translating(f"run {request.name}"):
                told = await self._sfn.describe_execution(executionArn=self._execution(request))
        except NotFound:
            return None
        return RunStatus(name=request.name, state=_STATES[told["status"]])

    def _execution(self, request: RunRequest) -> str:
        """An execution's ARN is its machine's, with a name."""
        return f"{self._state_machine.replace(':stateMachine:', ':execution:', 1)}:{request.name}"


def traced(trace: str) -> dict[str, str]:
    """How X-Ray is told of a trace: W3C's id in its own form.

    One that its caller has not recorded is recorded when X-Ray's sampling rules say so.
    """
    known = parse(trace)
    if known is None:
        return {}
    sampled = ";Sampled=1" if known.sampled else ""
    return {"traceHeader": f"Root=1-{known.id[:8]}-{known.id[8:]};Parent={known.span}{sampled}"}
