"""Whom an account believes, and where it keeps images: `infra/bootstrap`, applied to a stand-in of AWS."""

import json
from pathlib import Path
from typing import Any

import pytest
from moto.iam.models import AWSManagedPolicy, aws_managed_policies_data, iam_backends

from scripts.release import TARGETS
from tests.infra.conftest import NEEDS_TERRAFORM
from tests.support.aws import mended_control, moto
from tests.support.aws.cloud import harness_client
from tests.support.terraform import TerraformFailed, Workspace

pytestmark = NEEDS_TERRAFORM

ACCOUNT = "123456789012"
REPOSITORY = "acme/media"
SUBJECTS = {
    "smmu-ci-push": {"ref:refs/heads/main"},
    "smmu-ci-plan": {"pull_request", "ref:refs/heads/main"},
    "smmu-ci-deploy-dev": {"environment:dev"},
    "smmu-ci-deploy-prod": {"environment:prod"},
}


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """It is not destroyed: it refuses that, for the sake of the state."""
    mended_control.mend()
    _know_policies_of_aws("ReadOnlyAccess", "PowerUserAccess")
    workspace = Workspace.of(tmp_path_factory.mktemp("bootstrap"), "bootstrap", moto.account())
    variables = {"region": moto.REGION, "deployments": {"dev": "acme-dev", "prod": "acme"}}
    workspace.set(variables | {"github_repository": REPOSITORY})
    workspace.apply()
    return workspace


def _know_policies_of_aws(*names: str) -> None:
    """moto knows them, and puts all of them or none into an account."""
    known = json.loads(aws_managed_policies_data)
    for name in names:
        policy = AWSManagedPolicy.from_data(name, ACCOUNT, "us-east-1", known[name])
        iam_backends[ACCOUNT]["aws"].managed_policies[policy.arn] = policy


def _policies(iam: Any, role: str) -> list[dict[str, Any]]:
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
    return [statement for document in documents for statement in document["Statement"]]


def test_a_role_believes_what_github_says_of_one_repository_and_one_occasion(bootstrap: Workspace) -> None:
    iam = harness_client(moto.account(), "iam")
    roles = {arn.rpartition("/")[2] for arn in bootstrap.outputs()["workflow_roles"].values()}
    assert roles == set(SUBJECTS)
    for role in roles:
        (trust,) = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert set(trust["Condition"]) == {"StringEquals"}
        told = trust["Condition"]["StringEquals"]
        subjects = told["token.actions.githubusercontent.com:sub"]
        assert told["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
        assert (
            {subjects}
            if isinstance(subjects, str)
            else set(subjects) == {f"repo:{REPOSITORY}:{one}" for one in SUBJECTS[role]}
        )


@pytest.mark.usefixtures("bootstrap")
def test_who_plans_changes_nothing_and_sees_no_data() -> None:
    iam = harness_client(moto.account(), "iam")
    (attached,) = iam.list_attached_role_policies(RoleName="smmu-ci-plan")["AttachedPolicies"]
    assert attached["PolicyName"] == "ReadOnlyAccess"
    statements = _policies(iam, "smmu-ci-plan")
    assert {one["Effect"] for one in statements} == {"Deny"}
    (buckets,) = [one["Resource"] for one in statements if "s3:GetObject" in one["Action"]]
    assert set(buckets) == {"arn:aws:s3:::smmu-*-media/*", "arn:aws:s3:::smmu-*-logs/*"}
    denied = {action for one in statements for action in one["Action"]}
    assert {"s3:GetObject", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "logs:GetLogEvents"} <= denied


@pytest.mark.usefixtures("bootstrap")
def test_who_deploys_writes_the_roles_of_that_deployment_and_no_workflows() -> None:
    statements = _policies(harness_client(moto.account(), "iam"), "smmu-ci-deploy-dev")
    resources = {one["Resource"] for one in statements}
    assert resources == {f"arn:aws:iam::{ACCOUNT}:{kind}/smmu-acme-dev-*" for kind in ("role", "policy")}
    (passing,) = [one for one in statements if one["Action"] == "iam:PassRole"]
    assert "iam:PassedToService" in passing["Condition"]["StringEquals"]


def test_a_name_that_would_open_more_is_refused(tmp_path: Path) -> None:
    workspace = Workspace.of(tmp_path, "bootstrap", moto.account())
    workspace.set({"region": moto.REGION, "deployments": {"dev": "ci"}, "github_repository": f"{REPOSITORY}*"})
    with pytest.raises(TerraformFailed) as refused:
        workspace("plan", "-no-color", "-input=false")
    assert "could write the roles of workflows" in str(refused.value)
    assert "nothing that stands for several" in str(refused.value)


def test_images_have_repositories_whose_tags_stay_what_they_are(bootstrap: Workspace) -> None:
    ecr = harness_client(moto.account(), "ecr")
    known = {one["repositoryName"]: one for one in ecr.describe_repositories()["repositories"]}
    assert {f"smmu-{target}" for target in TARGETS.values()} == set(bootstrap.outputs()["repositories"]) <= set(known)
    for target in TARGETS.values():
        repository = known[f"smmu-{target}"]
        assert repository["imageTagMutability"] == "IMMUTABLE"
        assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
        policy = ecr.get_lifecycle_policy(repositoryName=f"smmu-{target}")["lifecyclePolicyText"]
        (rule,) = json.loads(policy)["rules"]
        assert rule["selection"]["tagStatus"] == "any", "the image that runs has no tag of its own"
