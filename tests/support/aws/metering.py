"""What one job took of a deployment: the product's requests, the run's transitions, its functions and containers.

Nobody asks after the job meanwhile: its run's end is seen by the harness. The sweeper's schedule is paused, and one job
is at work at a time, so all that is counted is this job's.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from smmu.client.client import open_client
from tests.support.aws import moto
from tests.support.aws.accounting import Account
from tests.support.aws.cloud import Cloud
from tests.support.aws.containers import Container
from tests.support.aws.errands import eventually, uploaded

_PATIENCE_SECONDS = 420


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One container: vCPUs, GiB, and how long it ran here."""

    cores: float
    gib: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was taken. `requests` are by `service:Operation`, `units` are DynamoDB's for writing, seconds are ours."""

    requests: Counter[str]
    units: Counter[str]
    bytes: Counter[str]
    transitions: int = 0
    invocations: Mapping[str, tuple[int, float]]
    machines: tuple[Machine, ...] = ()
    stored: int = 0

    def of(self, service: str) -> Counter[str]:
        """A service's requests, by operation."""
        split = ((name.partition(":"), count) for name, count in self.requests.items())
        return Counter({operation: count for (of, _, operation), count in split if of == service})


async def metered(cloud: Cloud, path: Path) -> Taken:
    """What a job took, from the first request of its upload until its run's end is known to the product."""
    await eventually(partial(_is_quiet, cloud, 0), _PATIENCE_SECONDS)
    runs = len(_runs(cloud))
    with cloud.without("schedule"), _counting(cloud) as so_far:
        async with open_client(cloud.url, cloud.token("meter")) as client:
            job_id = await uploaded(client, path)
        await eventually(partial(_is_quiet, cloud, runs + 1), _PATIENCE_SECONDS)
        return so_far(job_id)


def idle(cloud: Cloud, *, orphans: bool = False) -> Taken:
    """What one sweep takes when nothing is due; with `orphans`, one that looks at storage too."""
    cloud.functions["sweep"]({})
    with cloud.without("schedule"), _counting(cloud) as so_far:
        cloud.functions["sweep"]({"orphans": orphans})
        return so_far(None)


async def left_alone(cloud: Cloud, seconds: float) -> Taken:
    """What is taken between two sweeps while nobody wants anything."""
    with cloud.without("schedule"), _counting(cloud) as so_far:
        await anyio.sleep(seconds)
        return so_far(None)


@contextmanager
def _counting(cloud: Cloud) -> Iterator[Callable[[str | None], Taken]]:
    account = Account()
    calls = {name: len(function.seconds) for name, function in cloud.functions.items()}
    containers, stored = set(cloud.containers.known), _stored(cloud)

    def so_far(job_id: str | None) -> Taken:
        spent = {name: function.seconds[calls[name] :] for name, function in cloud.functions.items()}
        return Taken(
            requests=Counter(account.requests),
            units=Counter(account.units),
            bytes=Counter(account.bytes),
            invocations={name: (len(each), sum(each)) for name, each in spent.items() if each},
            transitions=_transitions(cloud, job_id) if job_id else 0,
            machines=tuple(_machine(known) for arn, known in cloud.containers.known.items() if arn not in containers),
            stored=_stored(cloud) - stored,
        )

    with moto.watching(account.note):
        yield so_far


def _is_quiet(cloud: Cloud, runs: int) -> bool:
    """Whether there were that many runs, all have ended, and the product has been told of each."""
    known = [run["status"] for run in _runs(cloud)]
    return len(known) >= runs and "RUNNING" not in known and len(cloud.functions["status"].seconds) >= len(known)


def _runs(cloud: Cloud) -> list[Any]:
    listed: list[Any] = cloud.client("stepfunctions").list_executions(stateMachineArn=cloud.named.state_machine)[
        "executions"
    ]
    return listed


def _transitions(cloud: Cloud, job_id: str) -> int:
    """Each state that was entered, and the start. Asserts that the run has succeeded."""
    steps = cloud.client("stepfunctions")
    run = f"{cloud.named.state_machine.replace(':stateMachine:', ':execution:', 1)}:{job_id}-a1"
    assert steps.describe_execution(executionArn=run)["status"] == "SUCCEEDED", job_id
    pages = steps.get_paginator("get_execution_history").paginate(executionArn=run)
    return 1 + len([event for page in pages for event in page["events"] if event["type"].endswith("StateEntered")])


def _machine(known: Container) -> Machine:
    return Machine(cores=known.cpu / 1024, gib=known.memory / 1024, seconds=known.seconds)


def _stored(cloud: Cloud) -> int:
    """All bytes in both buckets."""
    pages = cloud.client("s3").get_paginator("list_objects_v2")
    buckets = (cloud.named.raw_bucket, cloud.named.processed_bucket)
    listed = (page for bucket in buckets for page in pages.paginate(Bucket=bucket))
    return sum(known["Size"] for page in listed for known in page.get("Contents", ()))
