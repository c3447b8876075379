"""What the roles have that Terraform makes of `environments/dev`, and what may be done from inside its network."""

import json
from typing import Any

import pytest

from smmu.adapters.aws.sessions import Narrowed
from smmu.domain.keys import attempt_prefix
from smmu.ports.platform import Scope
from tests.infra.conftest import NEEDS_TERRAFORM, Made
from tests.support.aws import moto
from tests.support.aws.policies import Asked, allows, listed, tagged
from tests.support.infra import UNNAMEABLE, actions_in_headers, policy

pytestmark = NEEDS_TERRAFORM


def _granted(made: Made) -> list[tuple[str, dict[str, Any]]]:
    """Every statement that a role has, with the role."""
    iam = made.client("iam")
    roles = [role["RoleName"] for role in iam.list_roles()["Roles"] if role["RoleName"].startswith("smmu-dev-")]
    policies = [
        (role, iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        for role in roles
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    arn = made.outputs["redrive_policy_arn"]
    redrive = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    return [(who, one) for who, policy in [*policies, ("redrive", redrive)] for one in policy["Statement"]]


def test_every_action_that_an_adapter_needs_is_granted_to_somebody(made: Made) -> None:
    granted = {action for _, one in _granted(made) for action in listed(one["Action"])}
    # Where the buckets have a key of their own, and where Amazon writes down what is said, or says what is seen: dev has none.
    optional = {"kms:GenerateDataKey", "kms:Decrypt"}
    optional |= {f"transcribe:{does}TranscriptionJob" for does in ("Start", "Get", "Delete")}
    optional |= {"rekognition:DetectLabels", "rekognition:DetectModerationLabels"}
    assert actions_in_headers() - granted == optional


def test_no_role_may_do_anything_to_everything(made: Made) -> None:
    for role, one in _granted(made):
        actions = set(listed(one["Action"]))
        assert not any("*" in action for action in actions), role
        assert "*" not in listed(one["Resource"]) or actions <= set(UNNAMEABLE), (role, one)


def test_whoever_assumes_a_role_does_so_for_this_account(made: Made) -> None:
    iam = made.client("iam")
    for role in iam.list_roles()["Roles"]:
        if role["RoleName"].startswith("smmu-dev-"):
            (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
            whose = "aws:SourceAccount" if "Service" in trust["Principal"] else "aws:PrincipalAccount"
            assert trust["Condition"]["StringEquals"] == {whose: "123456789012"}, role["RoleName"]


def _session(made: Made, family: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What the session of a family's worker may do, and who may begin one."""
    iam, name = made.client("iam"), f"smmu-dev-{family}-session"
    policy = iam.get_role_policy(RoleName=name, PolicyName="does-its-work")["PolicyDocument"]
    role = iam.get_role(RoleName=name)["Role"]
    return policy["Statement"], role["AssumeRolePolicyDocument"]["Statement"][0]


@pytest.mark.parametrize(
    ("family", "more"), [("transcode", []), ("transcribe", ["reads_model"]), ("render", ["makes_pictures"])]
)
def test_a_workers_session_may_do_its_owners_and_attempts_work(made: Made, family: str, more: list[str]) -> None:
    """The policies as IAM gets them are those that test_narrowing.py reads from infra/; who transcribes reads his model."""
    statements, scope = _session(made, family)[0], Scope(owner="ada", job_id="job_1", attempt=1)
    jobs = f"arn:aws:dynamodb:{moto.REGION}:123456789012:table/smmu-dev-jobs"
    names = {
        "${local.raw}": "arn:aws:s3:::smmu-dev-raw-media",
        "${local.processed}": "arn:aws:s3:::smmu-dev-processed-media",
        "local.processed": "arn:aws:s3:::smmu-dev-processed-media",
        'aws_dynamodb_table.records["jobs"].arn': jobs,
        **dict.fromkeys(("${local.models}", "local.models"), "arn:aws:s3:::smmu-dev-models"),
        "${var.speech_model}": "tiny",
    }
    wanted = policy("works_on_attempt", "keeps_jobs_of_owner", *more, names=names)
    assert {str(_sorted(one)) for one in statements} == {str(_sorted(one)) for one in wanted}
    tags = tagged(Narrowed(role="", scope=scope).tags)
    plan = f"arn:aws:s3:::smmu-dev-processed-media/{attempt_prefix('ada', 'med_1', 'job_1', 1)}plan-1.json"
    assert allows(statements, Asked(action="s3:PutObject", resource=plan, context=tags))
    assert not allows(statements, Asked(action="s3:PutObject", resource=plan.replace("ada", "eve"), context=tags))


def _sorted(told: dict[str, Any]) -> dict[str, Any]:
    """A statement with its lists in order, and none of one."""
    return {
        name: _sorted(value) if isinstance(value, dict) else sorted(listed(value))
        for name, value in sorted(told.items())
        if name != "Sid"
    }


def test_only_workers_begin_sessions_and_are_told_of_their_role(made: Made) -> None:
    role = "arn:aws:iam::123456789012:role/smmu-dev-"
    for family in ("transcode", "transcribe"):
        assert _session(made, family)[1]["Principal"]["AWS"] == f"{role}{family}"
        known = made.client("ecs").describe_task_definition(taskDefinition=f"smmu-dev-{family}")["taskDefinition"]
        (container,) = known["containerDefinitions"]
        told = {one["name"]: one["value"] for one in container["environment"]}
        assert told["SMMU_PLATFORM__WORKER_ROLE"] == f"{role}{family}-session"
        own = [one for who, one in _granted(made) if who == f"smmu-dev-{family}"]
        assert [(listed(one["Resource"]), sorted(listed(one["Action"]))) for one in own] == [
            ([f"{role}{family}-session"], ["sts:AssumeRole", "sts:TagSession"])
        ]


def test_the_function_that_renders_begins_sessions_and_the_api_and_runs_may_call_no_other(made: Made) -> None:
    role, function = "arn:aws:iam::123456789012:role/smmu-dev-", f"arn:aws:lambda:{moto.REGION}:123456789012:function:"
    told = made.client("lambda").get_function_configuration(FunctionName="smmu-dev-render")
    assert told["Environment"]["Variables"]["SMMU_PLATFORM__WORKER_ROLE"] == f"{role}render-session"
    assert _session(made, "render")[1]["Principal"]["AWS"] == f"{role}render" == told["Role"]
    own = {
        action: listed(one["Resource"])
        for who, one in _granted(made)
        if who == "smmu-dev-render"
        for action in listed(one["Action"])
    }
    assert own["sts:AssumeRole"] == [f"{role}render-session"]
    assert {action.partition(":")[0] for action in own} == {"sts", "logs", "xray"}
    called = {
        who: listed(one["Resource"]) for who, one in _granted(made) if "lambda:InvokeFunction" in listed(one["Action"])
    }
    assert called["smmu-dev-api"] == [f"{function}smmu-dev-render"]
    assert f"{function}smmu-dev-render" in called["smmu-dev-pipeline"]
    assert set(called) == {"smmu-dev-api", "smmu-dev-pipeline"}


def test_from_inside_a_model_can_be_read_and_not_be_written(made: Made) -> None:
    told = made.client("ec2").describe_vpc_endpoints(Filters=[{"Name": "vpc-endpoint-type", "Values": ["Gateway"]}])
    (gateway,) = [one for one in told["VpcEndpoints"] if one["ServiceName"].endswith(".s3")]
    policy = json.loads(gateway["PolicyDocument"])["Statement"]
    (statement,) = [one for one in policy if "arn:aws:s3:::smmu-dev-models/*" in listed(one["Resource"])]
    assert set(statement["Action"]) == {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"}
    assert set(statement["Resource"]) == {"arn:aws:s3:::smmu-dev-models", "arn:aws:s3:::smmu-dev-models/*"}


def test_a_worker_reaches_nothing_but_aws(made: Made) -> None:
    ec2 = made.client("ec2")
    (table,) = ec2.describe_route_tables(Filters=[{"Name": "tag:Name", "Values": ["smmu-dev-worker"]}])["RouteTables"]
    ways = [route.get("GatewayId", "") or route.get("NatGatewayId", "") for route in table["Routes"]]
    assert [way for way in ways if way != "local" and not way.startswith("vpce-")] == []
