"""What is added to moto for Terraform is still missing there."""

import json

import pytest

from tests.support.aws import mended_cloudfront, mended_control, moto
from tests.support.aws.cloud import harness_client

pytestmark = pytest.mark.aws


def test_moto_has_not_learned_what_is_added_to_it() -> None:
    assert mended_control.LEARNED == []
    assert mended_cloudfront.LEARNED == []


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
