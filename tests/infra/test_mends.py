"""What is added to moto for Terraform is still missing there."""

import json
from contextlib import nullcontext

import pytest
from botocore.exceptions import ClientError

from tests.support.aws import mended_cloudfront, mended_control, moto
from tests.support.aws.cloud import harness_client
from tests.support.aws.mends import Mend

pytestmark = pytest.mark.aws


def test_moto_has_not_learned_what_is_added_to_it() -> None:
    assert mended_control.LEARNED == []
    assert mended_cloudfront.LEARNED == []


@pytest.mark.parametrize("mend", mended_control.MENDS, ids=lambda mend: f"{mend.owner.__name__}.{mend.name}")
def test_what_is_mended_has_not_changed(mend: Mend) -> None:
    assert mend.fingerprint == mend.was, f"{mend.name} is another one now. Is it still so that {mend.why}?"


def test_a_queue_tells_who_may_redrive_to_it_and_keeps_its_policy() -> None:
    sqs = harness_client(moto.account(), "sqs")
    mended_control.mend()
    url = sqs.create_queue(QueueName="mended-control")["QueueUrl"]
    policy, may = json.dumps({"Statement": [{"Sid": "OnlyOverTls"}]}), json.dumps({"redrivePermission": "denyAll"})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedriveAllowPolicy": may})
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy", "RedriveAllowPolicy"])["Attributes"]
    assert (told["Policy"], told["RedriveAllowPolicy"]) == (policy, may)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedriveAllowPolicy": ""})
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert "RedriveAllowPolicy" not in told


def test_a_bucket_that_is_spoken_to_over_tls_only_lets_the_tests_in() -> None:
    s3 = harness_client(moto.account(), "s3")
    mended_control.mend()
    s3.create_bucket(Bucket="mended-control", CreateBucketConfiguration={"LocationConstraint": moto.REGION})
    for condition, refused in (({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}, False), ({}, True)):
        denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::mended-control/*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{**denied, **condition}]})
        s3.put_bucket_policy(Bucket="mended-control", Policy=policy)
        with pytest.raises(ClientError, match="403") if refused else nullcontext():
            s3.put_object(Bucket="mended-control", Key="it", Body=b"it")
