"""How requests to AWS are told apart and counted, when a job's cost is measured."""

import io
import json
from typing import Any

import pytest

from tests.support.aws.accounting import HARNESS, Account, operation, write_units


def request(
    method: str = "POST", query: str = "", target: str = "", body: Any = None, **headers: str
) -> dict[str, Any]:
    data = json.dumps(body).encode() if body is not None else b""
    return {
        "REQUEST_METHOD": method,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(data)),
        "wsgi.input": io.BytesIO(data),
        **({"HTTP_X_AMZ_TARGET": target} if target else {}),
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }


def put(item: str, key: str = "one", **more: Any) -> dict[str, Any]:
    return {"TableName": "jobs", "Item": {"userId": {"S": "ada"}, "jobId": {"S": key}, "value": {"S": item}, **more}}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("DynamoDB_20120810.TransactWriteItems", "dynamodb:TransactWriteItems"),
        ("AmazonSQS.SendMessageBatch", "sqs:SendMessageBatch"),
        ("AWSStepFunctions.StartExecution", "states:StartExecution"),
        ("AmazonEC2ContainerServiceV20141113.DescribeTasks", "ecs:DescribeTasks"),
    ],
)
def test_a_request_with_a_target_is_what_its_target_says(target: str, expected: str) -> None:
    assert operation(request(target=target)) == expected


@pytest.mark.parametrize(
    ("method", "query", "expected"),
    [
        ("PUT", "partNumber=3&uploadId=u", "s3:UploadPart"),
        ("POST", "uploads", "s3:CreateMultipartUpload"),
        ("POST", "uploadId=u", "s3:CompleteMultipartUpload"),
        ("DELETE", "uploadId=u", "s3:AbortMultipartUpload"),
        ("POST", "delete", "s3:DeleteObjects"),
        ("GET", "versions&prefix=raw%2F", "s3:ListObjectVersions"),
        ("GET", "uploads&prefix=raw%2F", "s3:ListMultipartUploads"),
        ("GET", "uploadId=u", "s3:ListParts"),
        ("GET", "versionId=v", "s3:GetObject"),
        ("HEAD", "versionId=v", "s3:HeadObject"),
        ("PUT", "X-Amz-Signature=s", "s3:PutObject"),
        ("DELETE", "versionId=v", "s3:DeleteObject"),
    ],
)
def test_a_request_of_storage_is_what_its_method_and_query_say(method: str, query: str, expected: str) -> None:
    assert operation(request(method, query)) == expected


def test_what_the_harness_and_the_state_machine_ask_is_not_counted() -> None:
    account = Account()
    account.note(request("GET", user_agent=f"Boto3/1 {HARNESS}"))
    account.note(request(target="AmazonEC2ContainerServiceV20141113.RunTask", authorization="A Credential=ak/2026"))
    account.note(request("GET", user_agent="aiobotocore/1", range="bytes=100-199"))
    assert account.requests == {"s3:GetObject": 1}
    assert account.bytes["read"] == 100


def test_a_request_that_was_counted_can_still_be_read() -> None:
    asked = request(target="DynamoDB_20120810.PutItem", body=put("x"))
    Account().note(asked)
    assert json.loads(asked["wsgi.input"].read()) == put("x")


def test_a_unit_is_a_kilobyte_and_a_transaction_pays_twice() -> None:
    assert write_units(put("x" * 10), {})["table"] == 1
    assert write_units(put("x" * 1_100), {})["table"] == 2
    assert write_units({"TransactItems": [{"Put": put("x" * 1_100)}, {"Put": put("x", "two")}]}, {})["table"] == 6


def test_an_index_is_written_where_an_entry_comes_moves_or_goes() -> None:
    waiting: dict[Any, Any] = {}
    work = {"S": "due#1"}
    due, moved = ({"N": at} for at in ("1.0", "2.0"))
    entries = [put("x", work=work, workAt=due), put("y", work=work, workAt=due), put("y", work=work, workAt=moved)]
    steps = [*entries, put("y"), put("z")]
    assert [write_units(step, waiting)["index"] for step in steps] == [1, 0, 2, 1, 0]


def test_a_deletion_among_others_is_a_unit_of_the_table_and_one_of_the_index() -> None:
    waiting: dict[Any, Any] = {}
    write_units(put("x", work={"S": "out#1"}, workAt={"N": "1.0"}), waiting)
    key = {"userId": {"S": "ada"}, "jobId": {"S": "one"}}
    asked = {"RequestItems": {"jobs": [{"DeleteRequest": {"Key": key}}]}}
    assert write_units(asked, waiting) == {"table": 1, "index": 1}
