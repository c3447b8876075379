"""What a worker's session may do follows from its tags: its owner's records, its owner's bytes, its attempt's files.

The policies are read from infra/ and evaluated by tests/support/aws/policies.py. That a worker asks for nothing else is
in tests/aws/test_narrowing.py; what Terraform makes of them, in test_applied.py.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.adapters.aws.account import Resources
from smmu.adapters.aws.rows import PARTITION, Layout
from smmu.adapters.aws.sessions import Narrowed
from smmu.domain.keys import attempt_prefix, chunks_prefix, source_key, variant_key
from smmu.ports.identity import OWNER_CHARS_MAX
from smmu.ports.platform import Scope
from smmu.ports.records import Table
from tests.support.aws.policies import Asked, allows, tagged
from tests.support.infra import policy, statements

ACCOUNT, ROLE = "123456789012", "arn:aws:iam::123456789012:role/smmu-dev-transcode-session"
RAW, PROCESSED, JOBS = "arn:aws:s3:::raw", "arn:aws:s3:::made", f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/jobs"
NAMES = {
    "${local.raw}": RAW,
    "${local.processed}": PROCESSED,
    "local.processed": PROCESSED,
    'aws_dynamodb_table.records["jobs"].arn': JOBS,
    "data.aws_caller_identity.here.account_id": ACCOUNT,
}
SESSION = policy("works_on_attempt", "keeps_jobs_of_owner", names=NAMES)
RENDERING = [*SESSION, *policy("makes_pictures", names=NAMES)]
TRUST = policy("session_trust", names=NAMES)

owners = st.one_of(
    st.sampled_from(["ada", "auth0|64a", "a*", "*", "ada@acme.example", "${x}", "."]), st.text(min_size=1)
)
numbers = st.integers(1, 12)
scopes = st.builds(
    Scope, owner=owners, job_id=numbers.map("job_{}".format), attempt=numbers
)  # few, so that many differ in one thing only


def tags_of(scope: Scope) -> dict[str, Sequence[str]]:
    return tagged(Narrowed(role=ROLE, scope=scope).tags)


def may(scope: Scope, action: str, resource: str, **more: Any) -> bool:
    return allows(SESSION, Asked(action=action, resource=resource, context={**tags_of(scope), **more}))


def made(scope: Scope, name: str) -> str:
    return f"{PROCESSED}/{attempt_prefix(scope.owner, 'med_1', scope.job_id, scope.attempt)}{name}"


def leading(owner: str) -> dict[str, list[str]]:
    key = Layout(Resources(jobs_table="jobs")).shelf(Table.TASKS).key(owner, "job_1/a1/x")
    return {"dynamodb:LeadingKeys": [key[PARTITION]["S"]]}


@given(scopes, st.sampled_from(["plan-1.json", "film-2/hls/720p/seg-00001.m4s", "film-2/renditions.json"]))
def test_a_session_reads_and_writes_what_its_attempt_makes(scope: Scope, name: str) -> None:
    for action in ("s3:PutObject", "s3:GetObjectVersion", "s3:GetObject", "s3:AbortMultipartUpload"):
        assert may(scope, action, made(scope, name))


@given(scopes, scopes, st.sampled_from(["s3:PutObject", "s3:GetObjectVersion"]))
def test_a_session_has_no_other_attempts_files(one: Scope, other: Scope, action: str) -> None:
    assert may(one, action, made(other, "plan-1.json")) is (one == other)


@given(scopes, scopes, st.sampled_from(["s3:PutObject", "s3:GetObjectVersion", "s3:ListBucketVersions"]))
def test_a_session_shares_chunks_with_those_of_its_owner(one: Scope, other: Scope, action: str) -> None:
    folder = chunks_prefix(other.owner, "med_1")
    asked = (PROCESSED, {"s3:prefix": [folder]}) if "List" in action else (f"{PROCESSED}/{folder}0a/index.json", {})
    assert may(one, action, asked[0], **asked[1]) is (one.owner == other.owner)


@given(owners, owners, st.sampled_from(["s3:PutObject", "s3:GetObjectVersion"]))
def test_only_in_the_function_that_renders_a_session_has_its_owners_pictures_on_request(
    one: str, other: str, action: str
) -> None:
    scope = Scope(owner=one, job_id="job_1", attempt=0)
    picture = f"{PROCESSED}/{variant_key(other, 'med_1', '1-64xany-contain.webp')}"
    asked = Asked(action=action, resource=picture, context=tags_of(scope))
    assert allows(RENDERING, asked) is (one == other)
    assert not allows(SESSION, asked)
    assert not allows(RENDERING, Asked(action="s3:DeleteObject", resource=picture, context=tags_of(scope)))


@given(owners, owners)
def test_a_session_reads_what_its_owner_sent_and_writes_none_of_it(one: str, other: str) -> None:
    scope, sent = Scope(owner=one, job_id="job_1", attempt=1), f"{RAW}/{source_key(other, 'upl_1')}"
    assert may(scope, "s3:GetObjectVersion", sent) is (one == other)
    assert not may(scope, "s3:PutObject", sent)


@given(owners, owners, st.sampled_from(["GetItem", "PutItem", "Query"]))
def test_a_session_has_its_owners_records(one: str, other: str, action: str) -> None:
    scope = Scope(owner=one, job_id="job_1", attempt=1)
    assert may(scope, f"dynamodb:{action}", JOBS, **leading(other)) is (one == other)


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("dynamodb:GetItem", JOBS, {}),
        ("dynamodb:Query", f"{JOBS}/index/work", {"dynamodb:LeadingKeys": ["ada"]}),
        ("dynamodb:Scan", JOBS, {}),
        ("dynamodb:DeleteItem", JOBS, {"dynamodb:LeadingKeys": ["ada"]}),
        ("dynamodb:GetItem", JOBS.replace("jobs", "media"), {"dynamodb:LeadingKeys": ["ada"]}),
        ("s3:ListBucket", RAW, {}),
        ("s3:ListBucketVersions", PROCESSED, {"s3:prefix": ["media/ada/"]}),
        ("s3:DeleteObjectVersion", f"{PROCESSED}/media/ada/med_1/job_1-a1/x", {}),
        ("sts:AssumeRole", ROLE, {}),
        ("sqs:SendMessage", f"arn:aws:sqs:eu-central-1:{ACCOUNT}:jobs", {}),
    ],
)
def test_a_session_may_do_nothing_else(action: str, resource: str, context: Mapping[str, list[str]]) -> None:
    assert not may(Scope(owner="ada", job_id="job_1", attempt=1), action, resource, **context)


def test_a_message_is_not_an_owners_record() -> None:
    """Not even to an owner who is called as its partition is: workers send none."""
    assert not may(Scope(owner="ada", job_id="job_1", attempt=1), "dynamodb:PutItem", JOBS, **leading("msg_1"))


def test_without_its_tags_a_session_may_do_nothing() -> None:
    scope = Scope(owner="ada", job_id="job_1", attempt=1)
    for asked in (
        Asked(action="s3:PutObject", resource=made(scope, "x")),
        Asked(action="s3:GetObject", resource=f"{RAW}/raw//upl_1/source"),
        Asked(action="dynamodb:GetItem", resource=JOBS, context=leading("ada")),
    ):
        assert (
            allows(SESSION, Asked(action=asked.action, resource=asked.resource, context=dict(asked.context))) is False
        )


# --- beginning one


@given(st.text(min_size=1, max_size=OWNER_CHARS_MAX))
def test_every_owner_can_be_a_tag(owner: str) -> None:
    """Source: STS API reference, `Tag`: up to 256 of letters, digits, spaces and these signs."""
    for value in Narrowed(role=ROLE, scope=Scope(owner=owner, job_id="job_1", attempt=1)).tags.values():
        assert re.fullmatch(r"[\w .:/=+\-@]{1,256}", value, re.ASCII)


def _begin(scope: Scope, **changed: Any) -> bool:
    tags = {**Narrowed(role=ROLE, scope=scope).tags, **changed}
    told = {f"aws:RequestTag/{name}": [value] for name, value in tags.items() if value is not None}
    names = [name for name, value in tags.items() if value is not None]
    context = {**told, "aws:TagKeys": names, "aws:PrincipalAccount": [ACCOUNT]}
    return all(
        allows(TRUST, Asked(action=f"sts:{one}", resource=ROLE, context=context))
        for one in ("AssumeRole", "TagSession")
    )


@given(scopes)
def test_a_session_is_begun_for_any_owner_and_job(scope: Scope) -> None:
    assert _begin(scope)


@pytest.mark.parametrize(
    "changed",
    [
        {"owner": None},
        {"owner": ""},
        {"job": None},
        {"job": "*"},
        {"job": "job_"},
        {"attempt": None},
        {"media": "med_1"},
    ],
    ids=str,
)
def test_a_session_is_not_begun_without_a_tag_nor_with_more(changed: Mapping[str, Any]) -> None:
    assert not _begin(Scope(owner="ada", job_id="job_1", attempt=1), **changed)


def test_a_workers_own_role_begins_sessions_and_does_nothing_else() -> None:
    own = [one for one in statements() if one.document == "worker"]
    assert [set(one.actions) for one in own] == [{"sts:AssumeRole", "sts:TagSession"}]
