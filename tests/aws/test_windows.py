"""No job is ever lost: each window between two writes is opened on a whole deployment, and seen to have its owner.

The rows of behaviour.md's table, in its order. What breaks is broken from outside: processes are killed, events are not
brought, messages are doubled, services refuse. Nothing of the product is told that it is being tested.
"""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread

from smmu.client.client import Client, open_client
from smmu.ports.queue import Topic
from smmu.wire import CompleteRequest, JobAnswer
from tests.support.aws import moto
from tests.support.aws.cloud import Cloud
from tests.support.aws.errands import PATIENCE, done, eventually, until, uploaded
from tests.support.media import clip, photo

pytestmark = [pytest.mark.slow, pytest.mark.served, pytest.mark.timeout(240)]

_REFUSALS = json.dumps({"tasks": [], "failures": [{"arn": "x", "reason": "RESOURCE:MEMORY"}]}).encode()


@pytest.fixture
async def client(cloud: Cloud) -> Any:
    async with open_client(cloud.url, cloud.token("window")) as opened:
        yield opened


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return photo(tmp_path / "photo.jpg", size=(200, 150))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """One that takes a worker a few seconds."""
    return clip(tmp_path / "film.mp4", seconds=20, size=(640, 360), options={"preset": "ultrafast"})


def run_of(job: JobAnswer) -> str:
    return f"{job.job_id}-a{job.attempt}"


def message(cloud: Cloud, job: JobAnswer) -> dict[str, str]:
    """What asks for a job to be dispatched, as the relay sends it."""
    body = {"owner": "window", "job_id": job.job_id, "attempt": job.attempt}
    told = {"id": f"{run_of(job)}:again", "topic": "jobs", "body": body, "group": "window", "delay_seconds": 0.0}
    return {"QueueUrl": cloud.named.queues[Topic.JOBS], "MessageBody": json.dumps(told), "MessageGroupId": "window"}


def runs_of(cloud: Cloud, job: JobAnswer) -> list[str]:
    """How the executions of a job ended, by name."""
    found = cloud.client("stepfunctions").list_executions(stateMachineArn=cloud.named.state_machine)["executions"]
    return [run["status"] for run in found if run["name"].startswith(job.job_id)]


async def sweep(cloud: Cloud) -> Any:
    return await to_thread.run_sync(cloud.functions["sweep"], {})


async def worker_of(cloud: Cloud, job: JobAnswer, number: int = 0) -> Any:
    """A job's container by its number, once it has begun."""

    def found() -> list[Any]:
        return [known for known in list(cloud.containers.known.values()) if job.job_id in " ".join(known.command)]

    await eventually(lambda: len(found()) > number)
    return found()[number]


@contextmanager
def refusing(operation: str, answer: bytes, times: int) -> Iterator[list[int]]:
    """Meanwhile a service answers an operation in this way, so many times; how many are left."""
    left = [times]

    def watch(environ: dict[str, Any]) -> bytes | None:
        if environ.get("HTTP_X_AMZ_TARGET", "").endswith(f".{operation}") and left[0]:
            left[0] -= 1
            return answer
        return None

    with moto.watching(watch):
        yield left


# --- the API dies between storing the job and sending it


async def test_a_message_that_the_stream_has_lost_is_sent_by_the_sweeper(
    cloud: Cloud, client: Client, picture: Path
) -> None:
    with cloud.without("stream", "schedule"):
        job_id = await uploaded(client, picture)
        assert (await client.jobs.get(job_id)).state == "created"
        assert (await sweep(cloud))["relayed"] >= 1
        assert (await done(client, job_id)).state == "succeeded"


async def test_a_message_that_both_have_sent_starts_one_run(cloud: Cloud, client: Client, picture: Path) -> None:
    with cloud.without("queue"):
        job_id = await uploaded(client, picture)
        await sweep(cloud)
    ended = await done(client, job_id)
    assert (ended.state, len(runs_of(cloud, ended))) == ("succeeded", 1)


# --- a message twice, late or out of order


async def test_a_message_three_times_and_late_starts_one_run(cloud: Cloud, client: Client, picture: Path) -> None:
    sqs = cloud.client("sqs")
    job = await client.jobs.get(await uploaded(client, picture))
    for _ in range(3):
        sqs.send_message(**message(cloud, job))
    ended = await done(client, job.job_id)
    sqs.send_message(**message(cloud, ended))
    await _until_empty(cloud)
    assert runs_of(cloud, ended) == ["SUCCEEDED"]
    assert (await client.jobs.get(job.job_id)).state == "succeeded"


# --- the dispatcher fails on one message of a batch


async def test_one_poison_message_harms_no_other_and_dies(cloud: Cloud, client: Client, picture: Path) -> None:
    sqs, queue = cloud.client("sqs"), cloud.named.queues[Topic.JOBS]
    with cloud.without("queue"):
        job_id = await uploaded(client, picture)
        sqs.send_message(QueueUrl=queue, MessageBody="not json", MessageGroupId="window")
        await anyio.sleep(1)  # until the relay has sent the good one beside it
    assert (await done(client, job_id)).state == "succeeded"
    await eventually(lambda: "not json" in _bodies(sqs, cloud.named.dead_letters))


async def test_a_dispatcher_that_dies_after_it_has_started_the_run_is_followed_by_one_that_finds_it(
    cloud: Cloud, client: Client, picture: Path
) -> None:
    with cloud.without("queue"):
        job = await client.jobs.get(await uploaded(client, picture))
        given = {"job_id": job.job_id, "owner": "window", "attempt": 1, "trace": ""}
        cloud.client("stepfunctions").start_execution(
            stateMachineArn=cloud.named.state_machine, name=run_of(job), input=json.dumps(given, sort_keys=True)
        )
        assert (await done(client, job.job_id)).state == "succeeded"
    await _until_empty(cloud)
    assert runs_of(cloud, job) == ["SUCCEEDED"]
    assert (await client.jobs.get(job.job_id)).state == "succeeded"


# --- the run dies, times out or is aborted outside


async def test_a_run_that_somebody_stops_fails_its_job_which_can_be_tried_again(
    cloud: Cloud, client: Client, film: Path
) -> None:
    job = await until(client, await uploaded(client, film), "running")
    cloud.client("stepfunctions").stop_execution(executionArn=_execution(cloud, job))
    ended = await done(client, job.job_id)
    assert ended.error is not None
    assert (ended.state, ended.error.retryable) == ("failed", True)
    await client.jobs.retry(job.job_id)
    again = await done(client, job.job_id)
    assert (again.state, again.attempt) == ("succeeded", 2)


async def test_a_run_whose_end_nobody_told_of_is_found_by_the_sweeper(cloud: Cloud, client: Client, film: Path) -> None:
    with cloud.without("status"):
        job = await until(client, await uploaded(client, film), "running")
        cloud.client("stepfunctions").stop_execution(executionArn=_execution(cloud, job))
        with anyio.fail_after(PATIENCE):
            while (await client.jobs.get(job.job_id)).state == "running":
                await to_thread.run_sync(_make_due, cloud, job)  # again: its worker, while it ends, still tells of it
                await sweep(cloud)
        assert (await client.jobs.get(job.job_id)).state == "failed"


async def test_a_job_that_its_owner_cancels_stops_its_run_and_its_worker(
    cloud: Cloud, client: Client, film: Path
) -> None:
    job = await until(client, await uploaded(client, film), "running")
    container = await worker_of(cloud, job)
    await client.jobs.cancel(job.job_id)
    assert (await done(client, job.job_id)).state == "cancelled"
    await eventually(lambda: runs_of(cloud, job) == ["ABORTED"])
    await eventually(lambda: container.exit_code is not None)


# --- a worker crashes, is killed, runs out of memory, loses its spot


@pytest.mark.parametrize(
    ("number", "error"),
    [(signal.SIGKILL, "out_of_memory"), (signal.SIGSEGV, "crashed"), (signal.SIGTERM, "interrupted")],
)
async def test_a_worker_that_dies_is_followed_by_another(
    cloud: Cloud, client: Client, film: Path, number: signal.Signals, error: str
) -> None:
    job = await until(client, await uploaded(client, film), "running")
    container = await worker_of(cloud, job)
    await anyio.sleep(1.5)  # in the middle of its work
    container.send(number)
    ended = await done(client, job.job_id)
    assert ended.state == "succeeded"
    assert error in _failures(cloud, ended)


async def test_an_out_of_memory_worker_is_followed_by_one_with_more(cloud: Cloud, client: Client, film: Path) -> None:
    job = await until(client, await uploaded(client, film), "running")
    (await worker_of(cloud, job)).send(signal.SIGKILL)
    assert (await done(client, job.job_id)).state == "succeeded"
    sizes = sorted(_memories(cloud, job))
    assert sizes[-1] > sizes[0]


async def test_a_machine_that_is_refused_is_asked_for_again(client: Client, picture: Path) -> None:
    with refusing("RunTask", _REFUSALS, 2) as left:
        ended = await done(client, await uploaded(client, picture))
    assert (ended.state, left[0]) == ("succeeded", 0)


async def test_a_machine_that_is_started_twice_works_once(cloud: Cloud, client: Client, film: Path) -> None:
    job = await until(client, await uploaded(client, film), "running")
    container = await worker_of(cloud, job)
    command = [sys.executable, "-m", "smmu.entrypoints.cli", *container.command]
    twin = await anyio.run_process(command, env=cloud.environment, check=False)
    assert twin.returncode == 0
    ended = await done(client, job.job_id)
    assert ended.state == "succeeded"
    assert _failures(cloud, ended) == []


# --- a stale worker wakes up and writes


async def test_a_worker_that_slept_past_its_lease_changes_nothing(cloud: Cloud, client: Client, film: Path) -> None:
    job = await until(client, await uploaded(client, film), "running")
    container = await worker_of(cloud, job)
    container.send(signal.SIGSTOP)
    await client.jobs.cancel(job.job_id)
    await done(client, job.job_id)
    await client.jobs.retry(job.job_id)
    ended = await done(client, job.job_id)
    before = await client.media.get(ended.media_id)
    container.send(signal.SIGCONT)
    await eventually(lambda: container.exit_code is not None)
    assert (ended.state, ended.attempt) == ("succeeded", 2)
    assert await client.media.get(ended.media_id) == before


# --- the source is overwritten after complete


async def test_what_is_written_over_the_source_afterwards_never_reaches_a_worker(
    cloud: Cloud, client: Client, picture: Path, tmp_path: Path
) -> None:
    with cloud.without("queue"):
        job = await client.jobs.get(await uploaded(client, picture))
        s3, bucket = cloud.client("s3"), cloud.named.raw_bucket
        key = f"raw/window/{job.upload_id}/source"
        other = photo(tmp_path / "other.jpg", size=(90, 30))
        s3.put_object(Bucket=bucket, Key=key, Body=other.read_bytes())
    ended = await done(client, job.job_id)
    made = await client.media.get(ended.media_id)
    assert made.manifest is not None
    whole = [known for known in made.manifest.renditions if known.role != "crop"]
    assert {(known.width, known.height) for known in whole} == {(200, 150)}


# --- complete is lost or doubled


async def test_complete_at_once_and_again_makes_one_job(client: Client, picture: Path) -> None:
    job = await client.jobs.get(await uploaded(client, picture))
    answers: list[dict[str, Any]] = []

    async def complete() -> None:
        sent = CompleteRequest(upload_id=job.upload_id)
        answers.append((await client.connection.send("POST", "/media/upload/complete", body=sent)).json())

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(complete)
    assert {answer["job_id"] for answer in answers} == {job.job_id}
    assert (await done(client, job.job_id)).state == "succeeded"


def _bodies(sqs: Any, url: str) -> list[str]:
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
    return [known["Body"] for known in found]


def _execution(cloud: Cloud, job: JobAnswer) -> str:
    return cloud.named.state_machine.replace(":stateMachine:", ":execution:") + f":{run_of(job)}"


async def _until_empty(cloud: Cloud) -> None:
    """Until nothing is in the queue of jobs, nor under way."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    sqs, queue = cloud.client("sqs"), cloud.named.queues[Topic.JOBS]

    def is_empty() -> bool:
        counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"].values()
        return not any(int(count) for count in counts)

    await eventually(is_empty)


def _failures(cloud: Cloud, job: JobAnswer) -> list[str]:
    """How tries of a job's tasks ended that did not end well, as their records say."""
    found = cloud.client("dynamodb").query(
        TableName=cloud.named.jobs_table,
        KeyConditionExpression="userId = :owner AND begins_with(jobId, :tasks)",
        ExpressionAttributeValues={":owner": {"S": "window"}, ":tasks": {"S": f"#task#{job.job_id}/"}},
    )["Items"]
    tasks = [json.loads(item["value"]["S"]) for item in found]
    return [failure["error"] for task in tasks for failure in task["failures"]]


def _memories(cloud: Cloud, job: JobAnswer) -> list[int]:
    """How much memory each of a job's machines was given, in MiB."""
    arns = [arn for arn, known in cloud.containers.known.items() if job.job_id in " ".join(known.command)]
    tasks = cloud.client("ecs").describe_tasks(cluster=cloud.named.cluster, tasks=arns)["tasks"]
    return [int(task["overrides"]["memory"]) for task in tasks]


def _make_due(cloud: Cloud, job: JobAnswer) -> None:
    """Bring the time at which the sweeper looks at a job, which would be a minute away."""
    cloud.client("dynamodb").update_item(
        TableName=cloud.named.jobs_table,
        Key={"userId": {"S": "window"}, "jobId": {"S": job.job_id}},
        UpdateExpression="SET workAt = :now",
        ExpressionAttributeValues={":now": {"N": "0"}},
    )
