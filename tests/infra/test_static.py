"""What can be said of infra/ without applying it."""

import json
import re

import pytest
from typer.testing import CliRunner

from smmu.entrypoints.cli.commands import application
from tests.support import terraform
from tests.support.aws.cloud import HANDLERS
from tests.support.infra import UNNAMEABLE, actions_in, actions_in_headers, statements, statements_in, terraform_files

DEPLOYMENT = terraform.INFRA / "modules" / "deployment" / "grants.tf"
TEMPLATE = terraform.INFRA / "modules" / "pipeline" / "pipeline.asl.json.tftpl"


def test_actions_are_read_from_a_header() -> None:
    header = (
        "Words.\n\nIAM: `s3:GetObject`, `PutObject` (two of\nthem); events:PutRule, PutTargets. Costs: `None`.\n\n`No`."
    )
    assert list(actions_in(header)) == ["s3:GetObject", "s3:PutObject", "events:PutRule", "events:PutTargets"]
    assert {"dynamodb:BatchWriteItem", "kms:Decrypt", "iam:PassRole", "ecs:ListTasks"} <= actions_in_headers()


def test_statements_are_read_from_a_policy_document() -> None:
    text = 'data "aws_iam_policy_document" "it" {\n  statement {\n    actions   = ["a:B",\n "a:C"]\n    resources = ["*"]\n  }\n}\n'
    (found,) = statements_in(text)
    assert (found.document, found.actions, found.resources) == ("it", ("a:B", "a:C"), ("*",))
    assert found.of_role


def test_every_action_that_an_adapter_needs_can_be_granted() -> None:
    granted = {action for one in statements() if one.of_role for action in one.actions}
    assert actions_in_headers() - granted == set()


def test_every_grant_of_a_module_is_given_to_somebody() -> None:
    outputs = [path.read_text() for path in terraform_files() if path.name == "outputs.tf"]
    offered = {
        name for text in outputs for name in re.findall(r"^    (\w+)\s*= (?:\[?data\.aws_iam)", text, re.MULTILINE)
    }
    text = DEPLOYMENT.read_text()
    renamed = {"receives": "takes_messages"} if "module.queues.grants.receives" in text else {}
    assert len(offered) > 15
    assert {name for name in offered if f"local.may.{renamed.get(name, name)}" not in text} == set()


def test_no_role_has_an_action_or_a_resource_that_could_be_named_and_is_not() -> None:
    for one in statements():
        if one.of_role:
            assert one.actions, one
            assert not any("*" in action for action in one.actions), one
            assert "*" not in one.resources or set(one.actions) <= set(UNNAMEABLE), one


def test_every_service_that_is_trusted_is_trusted_for_this_account_only() -> None:
    trusting = [one for one in statements() if 'type        = "Service"' in one.text]
    assert len(trusting) > 4
    assert [one.document for one in trusting if "aws:SourceAccount" not in one.text] == []


def test_the_state_machine_is_what_smmu_asl_prints() -> None:
    printed = CliRunner().invoke(application, ["asl"]).stdout
    hint = f"run: .venv/bin/smmu asl > {TEMPLATE.relative_to(terraform.INFRA.parent)}"
    assert json.loads(TEMPLATE.read_text()) == json.loads(printed), hint
    assert "%{" not in printed, "templatefile would read this as a directive of its own"


def test_the_functions_are_those_that_the_suites_run() -> None:
    text = (terraform.INFRA / "modules" / "functions" / "main.tf").read_text()
    told = dict(re.findall(r'^    (\w+)\s*= \{ handler = "([\w.]+)"', text, re.MULTILINE))
    assert {name: f"smmu.entrypoints.lambdas.{handler}" for name, handler in told.items()} == HANDLERS


def test_the_provider_is_pinned_and_there_is_no_other() -> None:
    texts = "\n".join(path.read_text() for path in terraform_files())
    assert set(re.findall(r'source\s*= "([^./][^"]*)"', texts)) == {"hashicorp/aws"}
    assert set(re.findall(r'^ +version\s*= "([^"]*)"', texts, re.MULTILINE)) == {"~> 5.100"}


@pytest.mark.terraform
def test_terraform_would_format_nothing() -> None:
    assert terraform.formatted() == ""
