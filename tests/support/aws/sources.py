"""What brings events to functions on AWS, here as threads: the queue's and the stream's event source mappings, the
schedule of the sweeper, and the events of runs that have ended. Each does what the real one documents, no more: batches
that fail come again, and only what a partial answer names comes back.
"""

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from moto.events.models import EventPattern

from tests.support.aws.functions import Function, FunctionError

_LOG = logging.getLogger(__name__)
MESSAGES = json.dumps({"eventName": ["INSERT", "MODIFY"], "dynamodb": {"Keys": {"jobId": {"S": ["#outbox"]}}}})
"""The event source mapping's filter: only what was put into the outbox wakes the relay."""

_ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


@dataclass(slots=True)
class Source:
    """One thread that looks again and again, until it is stopped."""

    look: Callable[[], None]
    every_seconds: float
    _paused: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def pause(self) -> None:
        """Look no more, from when this returns."""
        self._paused.acquire()

    def resume(self) -> None:
        """Look again."""
        self._paused.release()

    def _run(self) -> None:
        while not self._stop.wait(self.every_seconds):
            try:
                with self._paused:
                    self.look()
            except FunctionError as error:
                _LOG.info("a function failed: %s %s", type(error).__name__, error)
            except Exception:  # noqa: BLE001 - a source goes on whatever happens, as the real ones do
                _LOG.exception("a source failed")


def queue_source(sqs: Any, url: str, function: Function) -> Callable[[], None]:
    """Batches of a queue; what the answer does not name is deleted, and a batch that failed comes again."""

    def look() -> None:
        found = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0, AttributeNames=["All"]
        ).get("Messages", [])
        if not found:
            return
        answer = function({"Records": [_record(message) for message in found]})
        failed = {item["itemIdentifier"] for item in (answer or {}).get("batchItemFailures", [])}
        for message in found:
            if message["MessageId"] not in failed:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    return look


def _record(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": message.get("MessageAttributes", {}),
        "eventSource": "aws:sqs",
    }


def stream_source(dynamodb: Any, streams: Any, table: str, function: Function, pattern: str) -> Callable[[], None]:
    """Records of a table's stream that `pattern` lets in, in order; a batch that failed comes again before all else."""
    wakes = EventPattern.load(pattern)
    arn = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    place: dict[str, Any] = {"ShardIteratorType": "TRIM_HORIZON"}

    def look() -> None:
        # A new iterator each time: moto's hold on to a table's past when a transaction fails.
        begun = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], **place)
        records = streams.get_records(ShardIterator=begun["ShardIterator"], Limit=100)["Records"]
        wanted = [json.loads(json.dumps(record, default=str)) for record in records]
        wanted = [record for record in wanted if wakes.matches_event(record)]
        if wanted:
            function({"Records": wanted})
        if records:
            last = records[-1]["dynamodb"]["SequenceNumber"]
            place.update(ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=last)

    return look


def status_source(stepfunctions: Any, machine: str, function: Function) -> Callable[[], None]:
    """An event for each run that has ended, once."""
    told: set[str] = set()

    def look() -> None:
        for run in stepfunctions.list_executions(stateMachineArn=machine)["executions"]:
            if run["status"] in _ENDED and run["executionArn"] not in told:
                told.add(run["executionArn"])
                known = stepfunctions.describe_execution(executionArn=run["executionArn"])
                function({"detail": {"name": run["name"], "status": run["status"], "input": known["input"]}})

    return look


def schedule(function: Function) -> Callable[[], None]:
    """The sweeper's."""
    return lambda: function({})
