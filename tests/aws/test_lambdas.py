"""The functions over a platform in memory: what they answer to events as AWS brings them."""

import json
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from smmu.adapters.aws.failures import NOT_TO_BE_HAD
from smmu.adapters.inmemory.ledger import MemoryLedger
from smmu.adapters.inmemory.system import FixedClock, MemoryTelemetry
from smmu.adapters.inmemory.world import World
from smmu.application.uploads import Begun
from smmu.bootstrap.embedding import send
from smmu.domain.admission import UploadRequest
from smmu.domain.errors import WORDS, Code, refuse
from smmu.domain.limits import Limits
from smmu.domain.upload import Upload
from smmu.entrypoints.lambdas.arrived import arrived
from smmu.entrypoints.lambdas.dispatch import dispatch
from smmu.entrypoints.lambdas.perform import collect, opened, perform
from smmu.entrypoints.lambdas.relay import relay
from smmu.entrypoints.lambdas.status import look
from smmu.entrypoints.lambdas.sweep import sweep
from smmu.ports.errors import Conflict, Denied, Throttled, Unavailable
from smmu.ports.queue import Topic
from smmu.ports.records import Key, Stored, T
from tests.support.deployment import FILE, OWNER, Deployment, deployed

SECRET = "An error occurred (AccessDenied) when calling GetItem: arn:aws:dynamodb:eu-west-1:123456789012:table/jobs"


@dataclass(frozen=True, slots=True)
class Away(MemoryLedger):
    """A ledger that answers nothing but an error."""

    error: Exception = field(default_factory=Unavailable)

    async def load(self, _: Key[T]) -> Stored[T] | None:
        raise self.error


@dataclass
class Overdue:
    """A sweeper over so many records that cannot be put right, the longest overdue, and so many others."""

    stuck: int
    others: int

    async def once(self, limit: int) -> tuple[int, int]:
        found = min(limit, self.stuck + self.others)
        self.others -= max(0, found - self.stuck)
        return found, min(found, self.stuck)


class Idle:
    """A relay that has nothing to do."""

    async def once(self) -> int:
        return 0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def deployment() -> Deployment:
    return await deployed()


def event(deployment: Deployment, does: str, given: Any = None, **changed: Any) -> dict[str, Any]:
    """A task as the state machine names it."""
    known: dict[str, Any] = {
        "owner": OWNER,
        "job_id": deployment.run.job_id,
        "attempt": deployment.run.attempt,
        "path": f"job.{does}",
        "does": does,
        "name": does,
        "weight": "light",
        "seconds_max": 300,
        "input": given or {},
    }
    return known | changed


async def rendering(deployment: Deployment) -> dict[str, Any]:
    plan = await perform(deployment.system, event(deployment, "inspect"))
    given = {"plan": plan["ref"], "task": plan["stages"][0]["tasks"][0]}
    return event(deployment, "render", given, weight="heavy", seconds_max=6 * 3600)


async def test_a_light_task_answers_what_it_gives(deployment: Deployment) -> None:
    plan = await perform(deployment.system, event(deployment, "inspect"))
    assert {"ref", "stages"} <= plan.keys()
    json.dumps(plan)


async def test_opening_says_which_try_to_run_on_what(deployment: Deployment) -> None:
    answer = await opened(deployment.system, await rendering(deployment))
    assert (answer["tries"], answer["done"], answer["family"], answer["kept"]) == (0, False, "transcode", False)
    assert (len(answer["handle"]), answer["cpu"].isdigit(), answer["memory"].isdigit()) == (32, True, True)


async def test_what_is_being_done_is_not_to_be_run_again(deployment: Deployment) -> None:
    asked = await rendering(deployment)
    first = await opened(deployment.system, asked)
    await deployment.system.worker.claim(OWNER, first["record_id"], 0)
    assert (await opened(deployment.system, asked))["done"]


async def test_collecting_answers_what_the_worker_left(deployment: Deployment) -> None:
    answer = await opened(deployment.system, await rendering(deployment))
    await deployment.system.worker.perform(OWNER, answer["record_id"], answer["tries"])
    assert "ref" in await collect(deployment.system, {**answer, "owner": OWNER})


async def test_an_error_is_raised_by_its_own_name_with_its_task(deployment: Deployment) -> None:
    answer = await opened(deployment.system, await rendering(deployment))
    with pytest.raises(Exception, match="No machine") as raised:
        await collect(deployment.system, {**answer, "owner": OWNER})
    assert type(raised.value).__name__ == Code.WORLD_UNAVAILABLE
    assert json.loads(str(raised.value))["task_id"].startswith("tsk_")


@pytest.mark.parametrize("error", NOT_TO_BE_HAD)
async def test_a_function_that_was_not_to_be_had_is_not_what_a_try_failed_of(
    deployment: Deployment, error: str
) -> None:
    answer = await opened(deployment.system, await rendering(deployment))
    ended = {"Error": error, "Cause": "Function not found: arn:aws:lambda"}
    with pytest.raises(Exception, match="No machine") as raised:
        await collect(deployment.system, {**answer, "owner": OWNER, "function": ended})
    assert type(raised.value).__name__ == Code.WORLD_UNAVAILABLE


async def test_a_task_that_is_held_is_held_by_that_name(deployment: Deployment) -> None:
    answer = await opened(deployment.system, await rendering(deployment))
    await deployment.system.worker.claim(OWNER, answer["record_id"], 0)
    deployment.machines.began.add(answer["handle"])
    with pytest.raises(Exception, match="is running") as raised:
        await collect(deployment.system, {**answer, "owner": OWNER})
    assert type(raised.value).__name__ == "Held"


async def test_a_failure_is_recorded_as_the_state_machine_caught_it(deployment: Deployment) -> None:
    await perform(deployment.system, event(deployment, "inspect"))
    cause = {"errorType": "rejected_corrupt", "errorMessage": json.dumps({"message": "It is broken.", "task_id": "t"})}
    caught = {
        "error": "rejected_corrupt",
        "message": json.dumps({"Error": "rejected_corrupt", "Cause": json.dumps(cause)}),
    }
    await perform(deployment.system, event(deployment, "record_failure", {"error": caught}))
    error = (await deployment.system.jobs.get(OWNER, deployment.run.job_id)).job.error
    assert error is not None
    assert (error.message, error.task_id) == ("It is broken.", "t")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable(SECRET), Code.WORLD_UNAVAILABLE),
        (Throttled(SECRET), Code.WORLD_UNAVAILABLE),
        (Conflict(SECRET), Code.WORLD_UNAVAILABLE),
        (Denied(SECRET), Code.INTERNAL),
        (KeyError(SECRET), Code.INTERNAL),
        (refuse(Code.NOT_FOUND, "There is no such record."), Code.NOT_FOUND),
    ],
)
async def test_whatever_fails_is_raised_under_a_code_that_rules_match_and_in_our_words(
    deployment: Deployment, error: Exception, code: Code
) -> None:
    asked = await rendering(deployment)
    store = deployment.system.invocations.store
    invocations = replace(
        deployment.system.invocations, store=replace(store, ledger=Away(World(), FixedClock(), error=error))
    )
    system = replace(deployment.system, invocations=invocations)
    for call in (
        perform(system, event(deployment, "inspect")),
        opened(system, asked),
        collect(system, {"owner": OWNER, "record_id": "r", "tries": 0, "handle": "h"}),
    ):
        with pytest.raises(Exception, match="message") as raised:
            await call
        assert type(raised.value).__name__ == code
        assert SECRET not in str(raised.value)


async def test_a_failure_that_nobody_foresaw_is_told_in_our_words_and_logged_in_its_own(deployment: Deployment) -> None:
    await perform(deployment.system, event(deployment, "inspect"))
    cause = json.dumps({"errorType": "KeyError", "errorMessage": SECRET})
    caught = {"error": "KeyError", "message": json.dumps({"Error": "KeyError", "Cause": cause})}
    await perform(deployment.system, event(deployment, "record_failure", {"error": caught}))
    error = (await deployment.system.jobs.get(OWNER, deployment.run.job_id)).job.error
    assert error is not None
    assert (error.code, error.message) == (Code.INTERNAL, WORDS[Code.INTERNAL])
    telemetry = deployment.system.telemetry
    assert isinstance(telemetry, MemoryTelemetry)
    (told,) = telemetry.named("run_failed")
    assert SECRET in str(told["cause"])


async def test_only_what_failed_of_a_batch_comes_back(deployment: Deployment) -> None:
    body = json.dumps({"id": "m1", "topic": "jobs", "body": vars_of(deployment), "group": OWNER, "delay_seconds": 0})
    records = [{"messageId": "good", "body": body}, {"messageId": "poison", "body": "not json"}]
    answer = await dispatch(deployment.system, {"Records": records})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "poison"}]}


def vars_of(deployment: Deployment) -> dict[str, Any]:
    return {"owner": OWNER, "job_id": deployment.run.job_id, "attempt": deployment.run.attempt}


# --- what storage tells


def told(*keys: str) -> dict[str, Any]:
    """As EventBridge hands it to a queue: of S3's event only the key is looked at."""
    bodies = [json.dumps({"detail-type": "Object Created", "detail": {"object": {"key": key}}}) for key in keys]
    return {"Records": [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]}


async def begun(deployment: Deployment, owner: str = OWNER) -> Begun:
    request = UploadRequest(filename="forgotten.mp4", size=len(FILE), content_type="video/mp4")
    return await deployment.system.uploads.begin(owner, request)


async def sent(deployment: Deployment, owner: str = OWNER) -> Upload:
    """An upload whose client says no more, once its bytes are there."""
    opened = await begun(deployment, owner)
    for part in opened.parts:
        await send(deployment.system, part, FILE)
    return opened.upload


async def test_an_upload_that_its_client_forgot_is_completed_and_only_once(deployment: Deployment) -> None:
    forgotten = await sent(deployment)
    for _ in range(2):
        assert await arrived(deployment.system, told(forgotten.key)) == {"batchItemFailures": []}
    known = await deployment.system.uploads.get(OWNER, forgotten.id)
    assert known.upload.state == "completed"
    assert (await deployment.system.jobs.get(OWNER, forgotten.job_id)).job.state == "created"


async def test_what_storage_tells_of_nothing_that_can_be_completed_is_no_failure(deployment: Deployment) -> None:
    given_up = await sent(deployment)
    await deployment.system.uploads.abort(OWNER, given_up.id)
    empty = (await begun(deployment)).upload
    event = told(given_up.key, empty.key, "raw/ada/upl_unknown/source", "media/ada/med_1/manifest.json")
    assert await arrived(deployment.system, event) == {"batchItemFailures": []}


async def test_of_an_owner_that_no_key_can_name_the_sweeper_completes_the_upload(deployment: Deployment) -> None:
    owner = "ada@example.com"
    forgotten = await sent(deployment, owner)
    await arrived(deployment.system, told(forgotten.key))
    assert (await deployment.system.uploads.get(owner, forgotten.id)).upload.state == "open"
    deployment.clock.advance(Limits().upload_seconds + 1)
    await sweep(deployment.system, {})
    assert (await deployment.system.jobs.get(owner, forgotten.job_id)).job.state == "created"


async def test_only_what_storage_told_in_vain_comes_back(deployment: Deployment) -> None:
    event = told((await sent(deployment)).key)
    event["Records"].append({"messageId": "poison", "body": "not json"})
    assert await arrived(deployment.system, event) == {"batchItemFailures": [{"itemIdentifier": "poison"}]}


async def test_records_of_no_message_are_passed_over(deployment: Deployment) -> None:
    await relay(
        deployment.system,
        {"Records": [{"eventName": "MODIFY", "dynamodb": {"Keys": {"jobId": {"S": "job_1"}}, "NewImage": {}}}]},
    )
    assert not await deployment.system.platform.queue.receive(Topic.JOBS, limit=1, lease_seconds=1, wait_seconds=0)


async def test_a_sweep_tells_what_it_looked_at(deployment: Deployment) -> None:
    deployment.clock.advance(600)
    answer = await sweep(deployment.system, {"orphans": True})
    assert answer["looked"] >= 1


async def test_what_is_stuck_does_not_keep_others_from_being_looked_at() -> None:
    overdue = Overdue(stuck=150, others=120)
    system: Any = SimpleNamespace(sweeper=overdue, relay=Idle(), telemetry=MemoryTelemetry())
    await sweep(system, {})
    assert overdue.others == 0


async def test_a_run_that_was_stopped_by_somebody_fails_its_job(deployment: Deployment) -> None:
    deployment.runs.runs[deployment.run.name] = "cancelled"
    await look(deployment.system, {"detail": {"input": json.dumps(vars_of(deployment)), "status": "ABORTED"}})
    assert (await deployment.system.jobs.get(OWNER, deployment.run.job_id)).job.state == "failed"
