"""What AWS asks for what a job takes: list prices, and the bill of a job. Free tiers and discounts are left out."""

from collections.abc import Mapping

from smmu.domain.machines import FUNCTION_BYTES
from smmu.domain.prices import (
    CONTAINER_MEMORY,
    CONTAINER_PROCESSOR,
    CONTAINER_SECONDS_MIN,
    FUNCTION_AT_WORK,
    FUNCTION_CALLED,
    Price,
    of_container,
)
from tests.support.aws.metering import Machine, Taken

REGION, KNOWN_ON = "us-east-1", "March 2026"
GIB = 1024**3
MONTH_MINUTES = 730 * 60  # as AWS's own calculator counts a month

_FUNCTION_GIB = 1.0  # what a function is taken to have that decides; the one that renders has more
_MAPPING_REQUESTS = 2  # a message is received and deleted for us
_SCANNED_UNITS = 2  # of one page of a job's tasks: up to 8 KB
_IDLE_UNITS = 0.5  # of a query of an index that finds nothing

PRICES: Mapping[str, Price] = {
    "S3 PUT, COPY, POST, LIST": Price(0.005, 1_000, "requests"),
    "S3 GET, HEAD": Price(0.0004, 1_000, "requests"),
    "S3 kept": Price(0.023, 1, "GB and month"),
    "DynamoDB written, on demand": Price(0.625, 1_000_000, "write request units"),
    "DynamoDB read, on demand": Price(0.125, 1_000_000, "read request units"),
    "SQS": Price(0.40, 1_000_000, "requests"),
    "SQS, more for a fair queue": Price(0.10, 1_000_000, "requests about messages of a group"),
    "Step Functions, standard": Price(0.025, 1_000, "transitions"),
    "Lambda called": FUNCTION_CALLED,
    "Lambda at work, x86": FUNCTION_AT_WORK,
    "Fargate, x86, processor": CONTAINER_PROCESSOR,
    "Fargate, x86, memory": CONTAINER_MEMORY,
    "EventBridge Scheduler": Price(1.00, 1_000_000, "invocations"),
    "Load balancer": Price(0.0225, 1, "hour"),
    "NAT gateway": Price(0.045, 1, "hour"),
    "Public IPv4 address": Price(0.005, 1, "hour"),
    "Interface endpoint": Price(0.01, 1, "hour in a zone"),
    "Alarm": Price(0.10, 1, "month"),
    "Dashboard": Price(3.00, 1, "month"),
    "Key of KMS": Price(1.00, 1, "month"),
}


def bill(taken: Taken) -> dict[str, float]:
    """Dollars for one job, by service. What its files cost while they are kept is not in it."""
    return {
        "DynamoDB": _written(taken) + PRICES["DynamoDB read, on demand"].of(_read_units(taken)),
        "S3": requests_to_s3(taken),
        "SQS": _messages(taken.of("sqs").total() + _MAPPING_REQUESTS),
        "Step Functions": PRICES["Step Functions, standard"].of(taken.transitions),
        "Lambda": functions(taken),
        "Fargate": sum(of_container(one.seconds, one.cores, one.gib) for one in taken.machines),
    }


def requests_to_s3(taken: Taken) -> float:
    """Deleting is free."""
    asked = taken.of("s3")
    reads = sum(asked[name] for name in ("GetObject", "HeadObject"))
    free = sum(asked[name] for name in ("DeleteObject", "DeleteObjects", "AbortMultipartUpload"))
    return PRICES["S3 GET, HEAD"].of(reads) + PRICES["S3 PUT, COPY, POST, LIST"].of(asked.total() - reads - free)


def functions(taken: Taken) -> float:
    """All invocations, as long as they took on this machine."""
    calls = sum(count for count, _ in taken.invocations.values())
    gib = {"render": FUNCTION_BYTES / GIB}
    work = sum(spent * gib.get(name, _FUNCTION_GIB) for name, (_, spent) in taken.invocations.items())
    return PRICES["Lambda called"].of(calls) + PRICES["Lambda at work, x86"].of(work)


def empty_queries(taken: Taken) -> float:
    """The sweeper's, when nothing waits."""
    return PRICES["DynamoDB read, on demand"].of(taken.of("dynamodb")["Query"] * _IDLE_UNITS)


def billed_seconds(machine: Machine) -> float:
    """A container is paid for a minute at least."""
    return max(CONTAINER_SECONDS_MIN, machine.seconds)


def _messages(requests: int) -> float:
    """A message is of its owner's group."""
    return PRICES["SQS"].of(requests) + PRICES["SQS, more for a fair queue"].of(requests)


def _written(taken: Taken) -> float:
    return PRICES["DynamoDB written, on demand"].of(taken.units.total())


def _read_units(taken: Taken) -> float:
    asked = taken.of("dynamodb")
    return asked["GetItem"] + asked["Query"] * _SCANNED_UNITS
