"""What brings events to functions, as Terraform has applied it: who is woken by what, and what becomes of a failure."""

import json
from typing import Any

import pytest
from moto.events.models import EventPattern

from smmu.domain.limits import Limits
from tests.infra.conftest import NEEDS_TERRAFORM, Made
from tests.support.aws import sources
from tests.support.aws.cloud import HANDLERS

pytestmark = NEEDS_TERRAFORM

WAKEN_BY_EVENTS = ("sweep", "status")  # asynchronously; the others through an event source mapping, or by the machine
QUEUES = ("dispatch", "arrived")
_DAY = 86_400


@pytest.fixture
def stream(made: Made) -> dict[str, Any]:
    return made.mapping("relay")


@pytest.fixture(params=QUEUES)
def queue(made: Made, request: pytest.FixtureRequest) -> dict[str, Any]:
    return made.mapping(request.param)


def _seconds(made: Made, function: str) -> int:
    return int(made.client("lambda").get_function_configuration(FunctionName=f"smmu-dev-{function}")["Timeout"])


def _queue_at(made: Made, arn: str) -> dict[str, str]:
    sqs = made.client("sqs")
    url = sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
    told: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return told


def _rule(made: Made, name: str) -> dict[str, Any]:
    return dict(made.client("events").describe_rule(Name=f"smmu-dev-{name}"))


# --- the stream


def test_only_messages_of_the_outbox_wake_the_relay(stream: dict[str, Any]) -> None:
    (pattern,) = (EventPattern.load(one["Pattern"]) for one in stream["FilterCriteria"]["Filters"])

    def wakes(event: str, sort_key: str) -> bool:
        told: Any = {"eventName": event, "dynamodb": {"Keys": {"userId": {"S": "ada"}, "jobId": {"S": sort_key}}}}
        return bool(pattern.matches_event(told))

    assert wakes("INSERT", "#outbox")
    assert wakes("MODIFY", "#outbox")
    assert not wakes("REMOVE", "#outbox")
    assert not wakes("INSERT", "job_01")
    assert not wakes("MODIFY", "job_01/a1/inspect")


def test_the_suites_wake_the_relay_by_the_same_pattern(stream: dict[str, Any]) -> None:
    (applied,) = stream["FilterCriteria"]["Filters"]
    assert json.loads(applied["Pattern"]) == json.loads(sources.MESSAGES)


def test_a_bad_record_is_looked_for_given_up_on_and_told_of(made: Made, stream: dict[str, Any]) -> None:
    assert stream["BisectBatchOnFunctionError"] is True
    assert 1 <= stream["MaximumRetryAttempts"] <= 10
    assert stream["StartingPosition"] == "TRIM_HORIZON"
    heard = _queue_at(made, stream["DestinationConfig"]["OnFailure"]["Destination"])
    assert heard["QueueArn"].endswith(":smmu-dev-relay-failures")
    assert int(heard["MessageRetentionPeriod"]) == 14 * _DAY


def test_the_stream_forgets_a_record_long_after_the_relay_has_given_up_on_it(
    made: Made, stream: dict[str, Any]
) -> None:
    tries = (stream["MaximumRetryAttempts"] + 1) * _seconds(made, "relay")
    assert tries <= stream["MaximumRecordAgeInSeconds"] < _DAY


# --- the queue


def test_of_a_batch_only_what_failed_comes_back(queue: dict[str, Any]) -> None:
    assert queue["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert queue["BatchSize"] == 10


def test_what_queues_feed_is_bounded_there(queue: dict[str, Any]) -> None:
    assert 2 <= queue["ScalingConfig"]["MaximumConcurrency"] <= 1_000


def test_no_function_is_reserved_but_the_one_that_renders(made: Made) -> None:
    functions = made.client("lambda")
    told = {name: functions.get_function_concurrency(FunctionName=f"smmu-dev-{name}") for name in HANDLERS}
    assert [name for name, one in told.items() if "ReservedConcurrentExecutions" in one] == ["render"]


def test_a_message_is_hidden_for_as_long_as_its_function_may_take(made: Made, queue: dict[str, Any]) -> None:
    hidden = int(_queue_at(made, queue["EventSourceArn"])["VisibilityTimeout"])
    function = queue["FunctionArn"].rpartition(":smmu-dev-")[2]
    assert hidden >= 6 * _seconds(made, function) + queue.get("MaximumBatchingWindowInSeconds", 0)


def test_a_dead_letter_lives_on_after_all_tries_of_its_message(made: Made) -> None:
    told = _queue_at(made, made.mapping("dispatch")["EventSourceArn"])
    redrive = json.loads(told["RedrivePolicy"])
    dead = _queue_at(made, redrive["deadLetterTargetArn"])
    assert redrive["maxReceiveCount"] == Limits().queue_receives_max >= 5
    tries = redrive["maxReceiveCount"] * int(told["VisibilityTimeout"])
    assert tries < int(told["MessageRetentionPeriod"]) < int(dead["MessageRetentionPeriod"]) == 14 * _DAY
    assert json.loads(dead["RedriveAllowPolicy"])["sourceQueueArns"] == [told["QueueArn"]]


def test_a_client_has_the_first_word_and_what_storage_told_in_vain_is_forgotten_with_its_upload(made: Made) -> None:
    told = _queue_at(made, made.mapping("arrived")["EventSourceArn"])
    assert int(told["DelaySeconds"]) >= Limits().url_seconds_max
    assert int(told["MessageRetentionPeriod"]) == Limits().upload_seconds
    assert "RedrivePolicy" not in told


def test_only_the_rule_tells_what_has_arrived(made: Made) -> None:
    told = _queue_at(made, made.mapping("arrived")["EventSourceArn"])
    (allowed,) = (one for one in json.loads(told["Policy"])["Statement"] if one["Effect"] == "Allow")
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Condition"]["ArnEquals"] == {"aws:SourceArn": _rule(made, "arrivals")["Arn"]}


# --- rules


def test_what_owners_have_sent_is_told_and_what_was_made_is_not(made: Made) -> None:
    pattern = EventPattern.load(_rule(made, "arrivals")["EventPattern"])

    def hears(kind: str, bucket: str, key: str) -> bool:
        detail = {"bucket": {"name": bucket}, "object": {"key": key}}
        told: Any = {"source": "aws.s3", "detail-type": kind, "detail": detail}
        return bool(pattern.matches_event(told))

    assert hears("Object Created", "smmu-dev-raw-media", "raw/ada/upl_1/source")
    assert not hears("Object Deleted", "smmu-dev-raw-media", "raw/ada/upl_1/source")
    assert not hears("Object Created", "smmu-dev-processed-media", "media/ada/med_1/manifest.json")


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"])
def test_each_end_of_this_deployments_runs_is_heard(made: Made, status: str) -> None:
    pattern = EventPattern.load(_rule(made, "status")["EventPattern"])
    ours = made.outputs["state_machine_arn"]

    def hears(machine: str, status: str) -> bool:
        detail = {"stateMachineArn": machine, "status": status}
        told: Any = {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}
        return bool(pattern.matches_event(told))

    assert hears(ours, status)
    assert not hears(ours, "RUNNING")
    assert not hears(f"{ours}-of-somebody-else", status)


@pytest.mark.parametrize("name", ["sweep", "orphans", "status"])
def test_a_rule_is_on_and_may_call_its_function_and_nobody_else_may(made: Made, name: str) -> None:
    rule = _rule(made, name)
    assert rule["State"] == "ENABLED"
    (target,) = made.client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]
    policy = json.loads(made.client("lambda").get_policy(FunctionName=target["Arn"])["Policy"])
    assert {one["Principal"]["Service"] for one in policy["Statement"]} == {"events.amazonaws.com"}
    assert rule["Arn"] in {one["Condition"]["ArnLike"]["AWS:SourceArn"] for one in policy["Statement"]}
    assert {one["Condition"]["StringEquals"]["AWS:SourceAccount"] for one in policy["Statement"]} == {"123456789012"}


def test_a_sweep_that_failed_is_not_repeated_and_the_end_of_a_run_is(made: Made) -> None:
    told = {
        name: made.client("lambda").get_function_event_invoke_config(FunctionName=f"smmu-dev-{name}")
        for name in WAKEN_BY_EVENTS
    }
    assert told["sweep"]["MaximumRetryAttempts"] == 0
    assert told["sweep"]["MaximumEventAgeInSeconds"] == 60
    assert told["status"]["MaximumRetryAttempts"] == 2


@pytest.mark.parametrize("name", HANDLERS)
def test_a_function_has_a_time_limit_that_its_work_fits_in(made: Made, name: str) -> None:
    assert 0 < _seconds(made, name) <= 900
    if name == "perform":
        assert _seconds(made, name) > Limits().light_task_seconds_max
