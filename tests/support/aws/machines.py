"""State machines, run by the stand-in's interpreter, with Lambda functions that are functions of the test."""

import json
import logging
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import botocore.session
from botocore.config import Config
from moto.core.config import default_user_config
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback

from tests.support.aws.accounting import HARNESS
from tests.support.aws.mends import FUNCTIONS, Function, mend
from tests.support.aws.moto import REGION, account

PATIENCE = 30.0
_OWNER = "123456789012"
_ROLE = f"arn:aws:iam::{_OWNER}:role/machine"
_LOOK_SECONDS = 0.004


@dataclass(frozen=True, slots=True)
class Ended:
    """How an execution ended."""

    arn: str
    status: str
    output: Any
    error: str
    cause: str


@cache
def interpret() -> None:
    """Let the stand-in run the state machines that it is given. Once for this process."""
    mend()
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)  # it logs every failing state, whole
    default_user_config["stepfunctions"] = {"execute_state_machine": True}


@cache
def client(service: str) -> Any:
    """A blocking client of the stand-in."""
    known = account()
    interpret()
    key, secret = known.credentials or ("", "")
    return botocore.session.get_session().create_client(
        service,
        region_name=REGION,
        endpoint_url=known.endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(user_agent_extra=HARNESS),
    )


@contextmanager
def hurrying(share: float = 0.0) -> Iterator[None]:
    """Meanwhile the interpreter waits only this share of what it should: between tries, and between looks at tasks."""
    places: tuple[Any, ...] = (retrier_decl, state_task_service_callback)
    hurried = SimpleNamespace(sleep=lambda seconds: time.sleep(max(0.002, seconds * share)))  # noqa: TID251 - a thread
    before = [place.time for place in places]
    for place in places:
        place.time = hurried
    try:
        yield
    finally:
        for place, was in zip(places, before, strict=True):
            place.time = was


@contextmanager
def functions(made: Mapping[str, Function]) -> Iterator[dict[str, str]]:
    """Meanwhile there are these Lambda functions; their ARNs, by name."""
    mark = secrets.token_hex(6)
    arns = {name: f"arn:aws:lambda:{REGION}:{_OWNER}:function:{name}-{mark}" for name in made}
    with answering({arns[name]: function for name, function in made.items()}):
        yield arns


@contextmanager
def answering(made: Mapping[str, Function]) -> Iterator[None]:
    """Meanwhile these ARNs are called so."""
    FUNCTIONS.update(made)
    try:
        yield
    finally:
        for arn in made:
            del FUNCTIONS[arn]


def create(definition: Mapping[str, Any]) -> str:
    """A state machine; its ARN."""
    name = f"machine-{secrets.token_hex(6)}"
    made = client("stepfunctions").create_state_machine(name=name, definition=json.dumps(definition), roleArn=_ROLE)
    return str(made["stateMachineArn"])


def run(definition: Mapping[str, Any], document: Mapping[str, Any]) -> Ended:
    """Run it to its end."""
    steps = client("stepfunctions")
    begun = steps.start_execution(stateMachineArn=create(definition), input=json.dumps(document))["executionArn"]
    deadline = time.monotonic() + PATIENCE
    while (told := steps.describe_execution(executionArn=begun))["status"] == "RUNNING":
        assert time.monotonic() < deadline, "the execution does not end"
        time.sleep(_LOOK_SECONDS)  # noqa: TID251 - no event loop here
    return Ended(
        arn=begun,
        status=told["status"],
        output=json.loads(told["output"]) if "output" in told else None,
        error=told.get("error", ""),
        cause=told.get("cause", ""),
    )


def states_entered(ended: Ended) -> list[tuple[str, str]]:
    """What an execution went through: (type of state, its name), in order."""
    events = client("stepfunctions").get_execution_history(executionArn=ended.arn)["events"]
    return [
        (event["type"].removesuffix("StateEntered"), event["stateEnteredEventDetails"]["name"])
        for event in events
        if event["type"].endswith("StateEntered")
    ]
