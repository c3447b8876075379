"""What Terraform makes of `environments/dev` is what the product runs on. Applied to a stand-in of AWS; test_the_end.py destroys it.

moto applies all of it, with what tests/support/aws/mended_control.py adds. What it cannot judge: whether AWS accepts a
policy, an image or a combination of sizes. `prod` and `bootstrap` are the same resources, and are validated.
"""

import json
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from benchmarks.standing import DEV
from smmu.adapters.aws.account import Account, Resources, open_clients
from smmu.adapters.aws.asl import compile_pipeline
from smmu.adapters.aws.asl_tasks import Names
from smmu.bootstrap.settings import AwsPlatform, load_settings
from smmu.domain.catalogue import pipeline
from smmu.domain.limits import MIB, Limits
from smmu.domain.machines import FUNCTION_BYTES, FUNCTION_SECONDS_MAX
from tests.infra.conftest import NEEDS_TERRAFORM, VARIABLES, Made
from tests.support import terraform
from tests.support.aws import moto, resources
from tests.support.infra import alarms, standing_alarms
from tests.support.terraform import Workspace

pytestmark = NEEDS_TERRAFORM

TABLES = {"jobs": "jobs_table", "upload-sessions": "uploads_table", "media": "media_table"}


@pytest.fixture(scope="module")
def by_hand() -> Resources:
    """What the other suites run on."""

    async def make(account: Account) -> Resources:
        async with open_clients(account) as clients:
            return await resources.make(clients, Limits())

    return anyio.run(make, moto.account())


def test_everything_is_made(made: Made, record_property: Callable[[str, object], None]) -> None:
    record_property("resources", len(made.addresses))
    print(f"{len(made.addresses)} resources in {made.seconds:.0f} s")  # noqa: T201 - seen with `pytest -rP`
    assert len(made.addresses) > 150


def _shape(told: dict[str, Any]) -> dict[str, Any]:
    indexes = [
        {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
        for index in told["GlobalSecondaryIndexes"]
    ]
    return {
        "keys": told["KeySchema"],
        "attributes": sorted(told["AttributeDefinitions"], key=lambda one: str(one["AttributeName"])),
        "indexes": indexes,
        "stream": told.get("StreamSpecification", {}).get("StreamViewType"),
        "billing": told["BillingModeSummary"]["BillingMode"],
    }


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_the_one_that_the_suites_run_on(made: Made, by_hand: Resources, name: str) -> None:
    dynamodb = made.client("dynamodb")
    names = (f"smmu-dev-{name}", getattr(by_hand, TABLES[name]))
    ours, theirs = (dynamodb.describe_table(TableName=table)["Table"] for table in names)
    assert _shape(ours) == _shape(theirs)
    ttl, known = (dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"] for table in names)
    assert ttl.get("AttributeName") == known.get("AttributeName")
    kept = dynamodb.describe_continuous_backups(TableName=names[0])["ContinuousBackupsDescription"]
    assert kept["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


@pytest.mark.parametrize("name", ["raw-media", "processed-media", "models"])
def test_a_bucket_is_private_keeps_versions_and_is_spoken_to_over_tls(made: Made, name: str) -> None:
    s3, bucket = made.client("s3"), f"smmu-dev-{name}"
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    allowing = [statement for statement in policy["Statement"] if statement["Effect"] == "Allow"]
    assert {statement["Principal"].get("Service") for statement in allowing} <= {"cloudfront.amazonaws.com"}
    assert {"Bool": {"aws:SecureTransport": "false"}} in [one["Condition"] for one in policy["Statement"]]


@pytest.mark.parametrize("name", ["raw-media", "processed-media", "models"])
def test_who_used_which_signed_url_is_logged(made: Made, name: str) -> None:
    s3 = made.client("s3")
    told = s3.get_bucket_logging(Bucket=f"smmu-dev-{name}")["LoggingEnabled"]
    assert (told["TargetBucket"], told["TargetPrefix"]) == ("smmu-dev-logs", "buckets/")
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket="smmu-dev-logs")["Rules"]
    assert rule["Expiration"]["Days"] == 14


def test_who_asked_the_api_is_logged_and_what_the_network_refused(made: Made) -> None:
    balancers = made.client("elbv2")
    (balancer,) = balancers.describe_load_balancers(Names=["smmu-dev-api"])["LoadBalancers"]
    told = balancers.describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])["Attributes"]
    attributes = {one["Key"]: one["Value"] for one in told}
    assert attributes["access_logs.s3.enabled"] == "true"
    assert attributes["access_logs.s3.bucket"] == "smmu-dev-logs"
    (flows,) = made.client("ec2").describe_flow_logs()["FlowLogs"]
    assert (flows["ResourceId"], flows["TrafficType"]) == (balancer["VpcId"], "REJECT")


def test_what_is_always_there_is_what_the_page_of_costs_counts(made: Made) -> None:
    def number(kind: str) -> int:
        return sum(f".{kind}." in address for address in made.addresses)

    ec2 = made.client("ec2")
    endpoints = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-endpoint-type", "Values": ["Interface"]}])
    (service,) = made.client("ecs").describe_services(cluster="smmu-dev", services=["api"])["services"]
    (balancer,) = made.client("elbv2").describe_load_balancers(Names=["smmu-dev-api"])["LoadBalancers"]
    hint = "benchmarks/standing.py, and the page that `make cost` writes of it"
    assert sum(len(one["SubnetIds"]) for one in endpoints["VpcEndpoints"]) == DEV.endpoints, hint
    assert (len(balancer["AvailabilityZones"]), service["desiredCount"]) == (DEV.zones, DEV.api_processes), hint
    assert (number("aws_nat_gateway"), number("aws_eip"), number("aws_lb")) == (1, 1, 1), hint
    optional = alarms() - standing_alarms() - {"spend"}
    assert number("aws_cloudwatch_metric_alarm") == DEV.alarms + len(optional), hint


def test_pages_of_the_named_origins_may_send_and_see_etags(made: Made) -> None:
    (rule,) = made.client("s3").get_bucket_cors(Bucket="smmu-dev-raw-media")["CORSRules"]
    assert rule["AllowedOrigins"] == ["https://app.example"]
    assert set(rule["AllowedMethods"]) == {"GET", "PUT", "POST", "DELETE"}
    assert set(rule["ExposeHeaders"]) >= {"ETag", "Location"}
    assert {"content-type", "if-none-match", "x-amz-checksum-*"} <= set(rule["AllowedHeaders"])


def test_what_was_sent_expires_and_what_was_never_finished_sooner(made: Made) -> None:
    told = made.client("s3").get_bucket_lifecycle_configuration(Bucket="smmu-dev-raw-media")["Rules"]
    rules = {rule["ID"]: rule for rule in told}
    assert (
        rules["abort-incomplete"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] * 86_400
        > Limits().upload_seconds
    )
    expiry = rules["expire-raw"]
    assert expiry["Expiration"]["Days"] == expiry["NoncurrentVersionExpiration"]["NoncurrentDays"] == 7


def test_a_message_is_tried_a_few_times_and_then_kept_for_two_weeks(made: Made) -> None:
    sqs = made.client("sqs")
    jobs, dead = (_attributes(sqs, f"smmu-dev-{name}") for name in ("jobs-queue", "jobs-dlq"))
    redrive = json.loads(jobs["RedrivePolicy"])
    assert redrive == {"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": Limits().queue_receives_max}
    assert int(dead["MessageRetentionPeriod"]) == 14 * 86_400 > int(jobs["MessageRetentionPeriod"])
    dispatch = made.client("lambda").get_function_configuration(FunctionName="smmu-dev-dispatch")
    assert int(jobs["VisibilityTimeout"]) >= 6 * dispatch["Timeout"]


def _attributes(sqs: Any, name: str) -> dict[str, str]:
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    told: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return told


def test_events_wake_the_functions_that_are_for_them(made: Made) -> None:
    told = made.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    sources = {one["FunctionArn"].rpartition(":")[2]: one for one in told if ":smmu-dev-" in one["FunctionArn"]}
    assert sources["smmu-dev-dispatch"]["EventSourceArn"].endswith(":smmu-dev-jobs-queue")
    assert ":table/smmu-dev-jobs/stream/" in sources["smmu-dev-relay"]["EventSourceArn"]
    events = made.client("events")
    rules = {rule["Name"]: rule for rule in events.list_rules(NamePrefix="smmu-dev-")["Rules"]}
    assert rules["smmu-dev-sweep"]["ScheduleExpression"] == "rate(1 minute)"
    assert rules["smmu-dev-orphans"]["ScheduleExpression"] == "rate(1 hour)"
    (target,) = events.list_targets_by_rule(Rule="smmu-dev-orphans")["Targets"]
    assert (target["Arn"].rpartition(":")[2], json.loads(target["Input"])) == ("smmu-dev-sweep", {"orphans": True})


def test_the_state_machine_is_what_smmu_asl_prints_with_this_deployments_names(made: Made) -> None:
    steps, functions, ec2 = made.client("stepfunctions"), made.client("lambda"), made.client("ec2")
    known = steps.describe_state_machine(stateMachineArn=made.outputs["state_machine_arn"])
    arn = {
        name: functions.get_function_configuration(FunctionName=f"smmu-dev-{name}")["FunctionArn"]
        for name in ("perform", "open", "collect", "render")
    }
    subnets = ec2.describe_subnets(Filters=[{"Name": "tag:Name", "Values": ["smmu-dev-worker-*"]}])["Subnets"]
    named = sorted(subnets, key=lambda subnet: next(tag["Value"] for tag in subnet["Tags"] if tag["Key"] == "Name"))
    groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["smmu-dev-workers"]}])
    names = Names(
        **arn,
        cluster=f"arn:aws:ecs:{moto.REGION}:123456789012:cluster/smmu-dev",
        family_prefix="smmu-dev",
        subnets=",".join(subnet["SubnetId"] for subnet in named),
        security_groups=groups["SecurityGroups"][0]["GroupId"],
    )
    limits = Limits()
    wanted = compile_pipeline(pipeline(limits), names, seconds_max=limits.job_seconds_max)
    assert json.loads(known["definition"]) == json.loads(json.dumps(wanted))


def test_the_settings_that_a_function_and_the_api_are_told_are_settings(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = made.client("lambda").get_function_configuration(FunctionName="smmu-dev-sweep")["Environment"]["Variables"]
    assert _platform(told, monkeypatch).state_machine == made.outputs["state_machine_arn"]
    of_api = _of_api(made, monkeypatch)
    assert of_api.identity is not None
    assert of_api.jobs_table == "smmu-dev-jobs"
    assert load_settings().origins == ("https://app.example",)


def _of_api(made: Made, monkeypatch: pytest.MonkeyPatch) -> AwsPlatform:
    """The platform that the API is told of."""
    api = made.client("ecs").describe_task_definition(taskDefinition="smmu-dev-api")["taskDefinition"]
    (container,) = api["containerDefinitions"]
    return _platform({one["name"]: one["value"] for one in container["environment"]}, monkeypatch)


def _platform(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> AwsPlatform:
    monkeypatch.delenv(terraform.VARIABLE, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    platform = load_settings().platform
    assert isinstance(platform, AwsPlatform)
    return platform


def test_the_function_that_renders_is_what_plans_reckon_with(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    known = made.client("lambda").get_function(FunctionName="smmu-dev-render")
    told, reserved = known["Configuration"], known["Concurrency"]["ReservedConcurrentExecutions"]
    assert (told["MemorySize"] * MIB, reserved) == (FUNCTION_BYTES, VARIABLES["render"]["concurrency"])
    assert told["Timeout"] >= FUNCTION_SECONDS_MAX + 30
    assert told["PackageType"] == "Image"
    assert _of_api(made, monkeypatch).render_function == told["FunctionName"]
    assert load_settings().limits.small_seconds_max == VARIABLES["render"]["seconds"]


@pytest.mark.parametrize("family", ["transcode", "transcribe"])
def test_a_worker_is_called_worker_and_only_its_task_has_a_limit_of_memory(made: Made, family: str) -> None:
    image = {"transcode": "workers", "transcribe": "transcribers"}[family]
    known = made.client("ecs").describe_task_definition(taskDefinition=f"smmu-dev-{family}")["taskDefinition"]
    (container,) = known["containerDefinitions"]
    assert container["name"] == "worker"
    assert "memory" not in container
    assert container["image"] == made.outputs["images"][image]
    assert container["logConfiguration"]["options"]["awslogs-group"] == f"/ecs/smmu-dev-{family}"


def test_what_a_release_looks_for_is_told(made: Made) -> None:
    told = made.outputs
    assert told["images"] == VARIABLES["images"]
    assert told["url"] == told["api_url"]
    assert told["settings"]["SMMU_PLATFORM__REGION"] == moto.REGION
    service = told["service"]
    asked = {"cluster": service["cluster"], "services": [service["name"]]}
    (found,) = made.client("ecs").describe_services(**asked)["services"]
    assert found["taskDefinition"] == service["task_definition"]


def test_cloudfront_lets_in_whom_the_api_signs_for_and_reads_what_is_made(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloudfront = made.client("cloudfront")
    (known,) = cloudfront.list_distributions()["DistributionList"]["Items"]
    behaviour = cloudfront.get_distribution_config(Id=known["Id"])["DistributionConfig"]["DefaultCacheBehavior"]
    (group,) = behaviour["TrustedKeyGroups"]["Items"]
    (trusted,) = cloudfront.get_key_group(Id=group)["KeyGroup"]["KeyGroupConfig"]["Items"]
    told = _of_api(made, monkeypatch).delivery
    assert told is not None
    assert (behaviour["ViewerProtocolPolicy"], behaviour["TrustedKeyGroups"]["Enabled"]) == ("https-only", True)
    assert (told.public_key_id, told.url, told.cookie_domain) == (trusted, "https://cdn.acme.example", "acme.example")
    private = made.client("kms").get_public_key(KeyId=told.signing_key)["PublicKey"]
    published = cloudfront.get_public_key(Id=trusted)["PublicKey"]["PublicKeyConfig"]["EncodedKey"]
    assert load_pem_public_key(published.encode()) == load_der_public_key(private)
    access = json.loads(made.client("s3").get_bucket_policy(Bucket="smmu-dev-processed-media")["Policy"])
    (read,) = [one for one in access["Statement"] if one["Effect"] == "Allow"]
    assert read["Condition"]["StringEquals"]["aws:SourceArn"] == known["ARN"]
    assert (read["Action"], read["Resource"]) == ("s3:GetObject", "arn:aws:s3:::smmu-dev-processed-media/media/*")


@pytest.mark.parametrize("name", ["environments/prod", "bootstrap"])
def test_what_is_not_applied_here_is_valid(root: Callable[[str], Workspace], name: str) -> None:
    assert "valid" in root(name)("validate")


def test_every_alarm_that_was_made_is_one_of_the_runbook_and_is_told_to_the_topic(made: Made) -> None:
    told = made.client("cloudwatch").describe_alarms(AlarmNamePrefix="smmu-dev-", MaxRecords=100)["MetricAlarms"]
    topic = f"arn:aws:sns:{moto.REGION}:123456789012:smmu-dev-alarms"
    assert {alarm["AlarmName"].removeprefix("smmu-dev-") for alarm in told} | {"spend"} == alarms()
    assert (
        {tuple(alarm["AlarmActions"]) for alarm in told} == {tuple(alarm["OKActions"]) for alarm in told} == {(topic,)}
    )
    (budget,) = made.client("budgets").describe_budgets(AccountId="123456789012")["Budgets"]
    assert budget["BudgetName"] == "smmu-dev-spend"


def test_the_whole_is_on_a_page_and_every_functions_runs_are_traced(made: Made) -> None:
    body = made.client("cloudwatch").get_dashboard(DashboardName="smmu-dev")["DashboardBody"]
    graphs = json.loads(body)["widgets"]
    assert len(graphs) == len({(graph["x"], graph["y"]) for graph in graphs}) == 12
    assert "smmu-dev" in body
    told = made.client("lambda").get_function_configuration(FunctionName="smmu-dev-perform")
    assert told["TracingConfig"] == {"Mode": "Active"}
    run = made.client("stepfunctions").describe_state_machine(stateMachineArn=made.outputs["state_machine_arn"])
    assert run["tracingConfiguration"] == {"enabled": True}
