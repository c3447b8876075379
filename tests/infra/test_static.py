"""What can be said of infra/ without applying it."""

import json
import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.standing import DEV, PROD, Standing
from smmu.adapters.speech.models import SIZES
from smmu.entrypoints.cli.commands import application
from tests.support import terraform
from tests.support.aws.cloud import HANDLERS
from tests.support.infra import (
    UNNAMEABLE,
    actions_in,
    actions_in_headers,
    declared,
    declared_in,
    standing_alarms,
    statements,
    statements_in,
    terraform_files,
)
from tests.support.terraform import Workspace

DEPLOYMENT = terraform.INFRA / "modules" / "deployment" / "grants.tf"
_MODULES = terraform.INFRA / "modules"
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
    assert len(offered) > 15
    assert {name for name in offered if f"local.may.{name}" not in text} == set()


def test_no_role_has_an_action_or_a_resource_that_could_be_named_and_is_not() -> None:
    for one in statements():
        if one.of_role:
            assert one.actions, one
            assert not any("*" in action for action in one.actions), one
            assert "*" not in one.resources or set(one.actions) <= set(UNNAMEABLE), one


def test_every_service_that_is_trusted_is_trusted_for_this_account_only() -> None:
    trusting = [one for one in statements() if 'type        = "Service"' in one.text]
    assert len(trusting) > 4
    assert [one.document for one in trusting if not _names_this_account(one.text)] == []


def _names_this_account(text: str) -> bool:
    """By itself, or in the ARN of whoever asks: load balancers name themselves so."""
    return "aws:SourceAccount" in text or re.search(r'"arn:[^"]*account[^"]*"', text) is not None


def test_the_models_that_a_deployment_may_name_are_those_that_can_be_got() -> None:
    text = (DEPLOYMENT.parent / "variables.tf").read_text()
    (named,) = re.findall(r"contains\((\[.*\]), var\.speech_model\)", text)
    assert json.loads(named) == ["", *SIZES]


# --- nothing is public


def test_resources_are_read() -> None:
    text = 'resource "a_b" "it" {\n  size = 3\n\n  inner {\n    width = 4\n  }\n}\n\nresource "a_c" "other" {\n}\n'
    one, other = declared_in(text)
    assert (one.kind, one.name, one.says("size"), one.says("width")) == ("a_b", "it", "3", None)
    assert (other.kind, other.name, other.text) == ("a_c", "other", "\n")


def test_what_is_granted_to_everybody_is_what_a_network_lets_through_and_nothing_else() -> None:
    everybody = [one for one in statements() if 'identifiers = ["*"]' in one.text]
    assert len(everybody) > 4
    allowed = [one for one in everybody if 'effect    = "Deny"' not in one.text]
    assert {one.document for one in allowed} == {"s3", "dynamodb"}  # policies of the gateways, in endpoints.tf
    assert not any("*" in action for one in allowed for action in one.actions)
    assert not any(one.resources == ("*",) for one in allowed)


def test_every_bucket_blocks_what_would_make_it_public() -> None:
    blocks = declared("aws_s3_bucket_public_access_block")
    named = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    assert {one.name for one in declared("aws_s3_bucket")} == {one.name for one in blocks}
    assert [[one.says(argument) for argument in named] for one in blocks] == [["true"] * 4 for _ in blocks]


def test_only_the_load_balancer_has_an_address_that_can_be_reached() -> None:
    assert [one.says("internal") for one in declared("aws_lb")] == ["false"]
    assert [one.says("map_public_ip_on_launch") for one in declared("aws_subnet")] == ["false"]
    assert ["assign_public_ip = false" in one.text for one in declared("aws_ecs_service")] == [True]
    assert set(re.findall(r'"AssignPublicIp": "(\w+)"', TEMPLATE.read_text())) == {"DISABLED"}
    rules = [one for one in declared("aws_vpc_security_group_ingress_rule") if one.says("cidr_ipv4")]
    assert [(one.name, one.says("security_group_id")) for one in rules] == [
        ("clients", "var.security_group_ids.balancer")
    ]


def test_every_exception_of_checkov_has_its_reason() -> None:
    found = [(path, line) for path in terraform_files() for line in path.read_text().splitlines() if "checkov:" in line]
    assert len(found) > 30
    assert [place for place in found if not re.search(r"checkov:skip=CKV2?_AWS_\d+: (\S+ ){2}", place[1])] == []


# --- everything ends


def test_whatever_runs_has_a_time_limit() -> None:
    for kind, argument in {
        "aws_lambda_function": "timeout",
        "aws_cloudwatch_log_group": "retention_in_days",
        "aws_sqs_queue": "message_retention_seconds",
        "aws_lb": "idle_timeout",
        "aws_lb_target_group": "deregistration_delay",
    }.items():
        found = declared(kind)
        assert found, kind
        assert [one.name for one in found if one.says(argument) is None] == [], (kind, argument)
    assert all("stopTimeout" in one.text for one in declared("aws_ecs_task_definition"))


def test_every_task_of_the_state_machine_has_a_time_limit_and_so_has_the_whole() -> None:
    machine = json.loads(TEMPLATE.read_text())
    tasks = dict(_tasks(machine))
    assert machine["TimeoutSeconds"] > 0
    assert len(tasks) > 4
    assert [name for name, task in tasks.items() if not {"TimeoutSeconds", "TimeoutSecondsPath"} & set(task)] == []


def _tasks(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            yield name, state
        for inner in (*state.get("Branches", ()), *(state[key] for key in ("ItemProcessor",) if key in state)):
            yield from _tasks(inner)


def test_the_state_machine_is_what_smmu_asl_prints() -> None:
    printed = CliRunner().invoke(application, ["asl"]).stdout
    hint = f"run: .venv/bin/smmu asl > {TEMPLATE.relative_to(terraform.INFRA.parent)}"
    assert json.loads(TEMPLATE.read_text()) == json.loads(printed), hint
    assert "%{" not in printed, "templatefile would read this as a directive of its own"


def test_the_functions_are_those_that_the_suites_run() -> None:
    text = (terraform.INFRA / "modules" / "functions" / "main.tf").read_text()
    told = dict(re.findall(r'^    (\w+)\s*= \{ handler = "([\w.]+)"', text, re.MULTILINE))
    assert {name: f"smmu.entrypoints.lambdas.{handler}" for name, handler in told.items()} == HANDLERS


@pytest.mark.parametrize("where", ["modules/deployment", "environments/dev", "environments/prod"])
def test_the_function_that_renders_is_for_whoever_asks_for_it(where: str) -> None:
    text = (terraform.INFRA / where / "variables.tf").read_text(encoding="utf-8")
    (told,) = re.findall(r'^variable "render" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    assert re.search(r"^  default +\= null$", told, re.MULTILINE)


@pytest.mark.terraform
def test_the_function_that_renders_is_asked_for_in_whole_numbers(tmp_path: Path) -> None:
    text = (_MODULES / "deployment" / "variables.tf").read_text(encoding="utf-8")
    (block,) = re.findall(r'^variable "render" \{\n.*?^\}', text, re.MULTILINE | re.DOTALL)
    (tmp_path / "variables.tf").write_text(block)
    asked = partial(Workspace(tmp_path, {"TF_CLI_CONFIG_FILE": os.devnull}), "plan", "-no-color", "-input=false")
    for value in ("null", "{}", "{ seconds = 0, concurrency = 1 }"):
        asked(f"-var=render={value}")
    for value in ("{ seconds = 7.5 }", "{ concurrency = 2.5 }", "{ seconds = 301 }"):
        with pytest.raises(terraform.TerraformFailed, match="Invalid value for variable"):
            asked(f"-var=render={value}")


@pytest.mark.parametrize("there", [DEV, PROD], ids=lambda there: there.name)
def test_what_is_always_there_is_counted_as_it_is_written(there: Standing) -> None:
    folder = terraform.INFRA / "environments" / there.name
    text = "\n".join(path.read_text() for path in sorted(folder.glob("*.tf")))
    (zones, everywhere) = re.findall(r"zone_count = (\d), endpoints_in_every_zone = (true|false)", text)[0]
    assert (int(zones), int(zones) if everywhere == "true" else 1) == (there.zones, there.endpoint_zones)
    assert re.findall(r"\{ min = (\d+)", text) == [str(there.api_processes)]
    assert len(standing_alarms()) == there.alarms, "then `make cost` writes docs/cost.md"


def test_the_provider_is_pinned_and_there_is_no_other() -> None:
    texts = "\n".join(path.read_text() for path in terraform_files())
    assert set(re.findall(r'source\s*= "([^./][^"]*)"', texts)) == {"hashicorp/aws"}
    assert set(re.findall(r'^ +version\s*= "([^"]*)"', texts, re.MULTILINE)) == {"~> 5.100"}


def test_every_root_has_seen_the_same_provider_and_for_every_kind_of_machine() -> None:
    roots = {path.parent for path in terraform_files() if "required_providers" in path.read_text()}
    roots = {root for root in roots if "modules" not in root.parts}
    locks = {(root / ".terraform.lock.hcl").read_text() for root in roots}
    assert len(roots) == 3
    (lock,) = locks
    assert re.findall(r'^provider ".*/(\w+/\w+)" \{\n  version +\= "([\d.]+)"', lock, re.MULTILINE) == [
        ("hashicorp/aws", "5.100.0")
    ]
    assert "h1:" in lock  # of the mirror's, which tests apply with
    assert lock.count("zh:") > 10  # of each archive that is published


@pytest.mark.terraform
def test_terraform_would_format_nothing() -> None:
    assert terraform.formatted() == ""


def test_the_network_lets_through_to_tables_what_roles_may_do_with_items() -> None:
    """An endpoint's policy takes away from what roles have: an action that is missing there is refused to the API."""
    granted, let = (
        {action for one in statements_in(file.read_text(encoding="utf-8")) for action in one.actions}
        for file in (_MODULES / "tables" / "grants.tf", _MODULES / "network" / "endpoints.tf")
    )
    asked = {action for action in granted if action.startswith("dynamodb:") and "Stream" not in action}
    assert "dynamodb:BatchGetItem" in asked
    assert asked - {"dynamodb:GetRecords", "dynamodb:GetShardIterator"} <= let  # of streams, for functions outside it
