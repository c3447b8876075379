"""What the stores do when S3 answers late, wrongly, or not at all, and when it answers in pages."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ReadTimeoutError, ResponseStreamingError

from smmu.adapters.aws import uploads as uploads_module
from smmu.adapters.aws.account import Resources
from smmu.adapters.aws.objects import S3ObjectStore
from smmu.adapters.aws.uploads import S3UploadStore, etag_of_parts
from smmu.adapters.embedded.system import SystemClock
from smmu.ports.errors import AlreadyExists, NotFound, Throttled, Unavailable, WorldError
from smmu.ports.objects import LocalFile
from smmu.ports.uploads import PartSlot, Session, StoredPart
from tests.support.aws.sites import at_moto
from tests.support.aws.unruly import Step, Unruly, answered, error_of, lost, refused
from tests.support.delivery import put

KEY = "raw/ada/upl_1/source"
BODY = b"the only part is the last"
LARGE_BYTES = 40 << 20
TIMEOUT = ReadTimeoutError(endpoint_url="http://s3")
AMBIGUOUS = {
    "a timeout": TIMEOUT,
    "a 200 with an error inside": error_of("InternalError", 200),
    "busy": error_of("SlowDown", 503),
    "a conflict": error_of("ConditionalRequestConflict", 409),
    "an object is there": error_of("PreconditionFailed", 412),
    "the upload is over": error_of("NoSuchUpload", 404),
}


@dataclass(frozen=True, slots=True)
class Place:
    """The stores over a client that does what a test plans."""

    s3: Unruly
    resources: Resources
    uploads: S3UploadStore
    objects: S3ObjectStore

    async def sent(self, key: str = KEY) -> tuple[Session, list[StoredPart]]:
        session = await self.uploads.begin(key, method="multipart", part_size=5 << 20, content_type="video/mp4")
        slot = PartSlot(number=1, size=len(BODY))
        (part,) = await self.uploads.sign(session, [slot], expires_at=SystemClock().now() + 60)
        assert (await put(part.url, BODY, part.headers)).is_success
        return session, [*await self.uploads.list_parts(session)]

    async def open_uploads(self) -> list[Any]:
        return [
            upload
            for bucket in (self.resources.raw_bucket, self.resources.processed_bucket)
            for upload in (await self.s3.list_multipart_uploads(Bucket=bucket)).get("Uploads", [])
        ]

    async def keys(self, prefix: str) -> list[str]:
        return [ref.key async for ref in self.objects.list(prefix)]


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with at_moto() as (clients, resources):
        unruly = Unruly(clients.s3)
        changed = replace(clients, s3=unruly)
        stores = S3UploadStore(changed, resources, SystemClock()), S3ObjectStore(changed, resources, SystemClock())
        yield Place(unruly, resources, *stores)


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(b"".join(bytes([number]) * (1 << 20) for number in range(LARGE_BYTES >> 20)))
    return path


# --- completing


@pytest.mark.parametrize("answer", AMBIGUOUS)
async def test_an_object_that_was_made_is_found_whatever_was_answered(place: Place, answer: str) -> None:
    session, parts = await place.sent()
    place.s3.plans["complete_multipart_upload"] = [lost(AMBIGUOUS[answer])]
    ref = await place.uploads.complete(session, parts)
    info = await place.objects.stat(KEY)
    assert info is not None
    assert (info.ref, ref.size) == (ref, len(BODY))
    assert await place.uploads.complete(session, parts) == ref


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        ("a timeout", Unavailable),
        ("a 200 with an error inside", Unavailable),
        ("busy", Throttled),
        ("a conflict", Unavailable),
        ("an object is there", NotFound),
        ("the upload is over", NotFound),
    ],
)
async def test_without_an_object_a_failure_is_one_and_leaves_the_session_open(
    place: Place, answer: str, meaning: type[WorldError]
) -> None:
    session, parts = await place.sent()
    place.s3.plans["complete_multipart_upload"] = [refused(AMBIGUOUS[answer])]
    with pytest.raises(meaning):
        await place.uploads.complete(session, parts)
    assert await place.objects.stat(KEY) is None
    assert (await place.uploads.complete(session, parts)).size == len(BODY)


@pytest.mark.parametrize("answer", AMBIGUOUS)
async def test_an_object_of_the_same_size_from_elsewhere_is_not_taken_for_ours(place: Place, answer: str) -> None:
    session, parts = await place.sent()
    await place.objects.put(KEY, BODY[::-1], content_type="video/mp4")
    before = await place.objects.stat(KEY)
    place.s3.plans["complete_multipart_upload"] = [refused(AMBIGUOUS[answer])]
    with pytest.raises(WorldError):
        await place.uploads.complete(session, parts)
    assert await place.objects.stat(KEY) == before


async def test_completing_never_replaces_an_object(place: Place) -> None:
    session, parts = await place.sent()
    await place.objects.put(KEY, BODY[::-1], content_type="video/mp4")
    before = await place.objects.stat(KEY)
    with pytest.raises(NotFound):
        await place.uploads.complete(session, parts)
    assert await place.objects.stat(KEY) == before


def test_an_etag_is_foretold_only_from_parts_whose_etags_are_digests() -> None:
    part = StoredPart(number=1, size=5, etag="5d41402abc4b2a76b9719d911017c592")
    assert etag_of_parts([part]) == "62109206880d38a4010a98e11243924a-1"
    assert etag_of_parts([part, replace(part, number=2, etag="opaque")]) is None


# --- aborting


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads_module, "pauses", lambda: [0.0] * 5)


@pytest.mark.usefixtures("no_pause")
async def test_an_abort_is_repeated_while_parts_still_arrive(place: Place) -> None:
    session, _ = await place.sent()
    late: Step = answered({"Parts": [], "IsTruncated": False})
    place.s3.plans["abort_multipart_upload"] = [answered({}), answered({})]
    place.s3.plans["list_parts"] = [late, late]
    await place.uploads.abort(session)
    assert place.s3.calls["abort_multipart_upload"] == 3
    assert await place.open_uploads() == []


@pytest.mark.usefixtures("no_pause")
async def test_an_abort_that_does_not_end_says_so(place: Place) -> None:
    session, _ = await place.sent()
    place.s3.plans["abort_multipart_upload"] = [answered({})] * 50
    with pytest.raises(Unavailable):
        await place.uploads.abort(session)
    assert place.s3.calls["abort_multipart_upload"] < 10


async def test_aborting_a_single_session_removes_every_version(place: Place) -> None:
    for data in (b"one", b"two"):
        await place.objects.put(KEY, data, content_type="video/mp4")
    await place.s3.delete_object(Bucket=place.resources.raw_bucket, Key=KEY)
    await place.uploads.abort(await place.uploads.begin(KEY, method="single", part_size=0, content_type="video/mp4"))
    left = await place.s3.list_object_versions(Bucket=place.resources.raw_bucket)
    assert (left.get("Versions", []), left.get("DeleteMarkers", [])) == ([], [])


# --- large files


async def test_a_large_file_is_sent_in_parts_and_comes_back_whole(place: Place, large_file: Path) -> None:
    ref = await place.objects.put("media/a", LocalFile(str(large_file)), content_type="video/mp4")
    source = await place.objects.open(ref)
    assert (ref.size, ref.etag[-2:], source.size) == (LARGE_BYTES, "-3", LARGE_BYTES)
    for start in (0, (16 << 20) - 1, (32 << 20) - 1, LARGE_BYTES - 2):
        expected = bytes([start >> 20, (start + 1) >> 20])
        assert await source.read(start, 2) == expected
    assert large_file.exists()


async def test_a_large_file_that_must_be_the_first_changes_nothing_when_it_is_not(
    place: Place, large_file: Path
) -> None:
    first = await place.objects.put("media/a", b"first", content_type="video/mp4")
    with pytest.raises(AlreadyExists):
        await place.objects.put("media/a", LocalFile(str(large_file)), content_type="video/mp4", if_absent=True)
    info = await place.objects.stat("media/a")
    assert info is not None
    assert info.ref == first
    assert await place.open_uploads() == []


@pytest.mark.parametrize("call", ["upload_part", "complete_multipart_upload"])
async def test_a_large_file_that_fails_leaves_no_parts(place: Place, large_file: Path, call: str) -> None:
    place.s3.plans[call] = [refused(TIMEOUT)]
    with pytest.raises(Unavailable):
        await place.objects.put("media/a", LocalFile(str(large_file)), content_type="video/mp4")
    assert await place.open_uploads() == []
    assert await place.objects.stat("media/a") is None


async def test_a_large_file_whose_completion_was_repeated_may_be_sent_again(place: Place, large_file: Path) -> None:
    place.s3.plans["complete_multipart_upload"] = [lost(AMBIGUOUS["the upload is over"])]
    with pytest.raises(Unavailable):
        await place.objects.put("media/a", LocalFile(str(large_file)), content_type="video/mp4")
    ref = await place.objects.put("media/a", LocalFile(str(large_file)), content_type="video/mp4")
    assert ref.size == LARGE_BYTES


# --- reading


class CutOff:
    """A body whose connection is lost half-way."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def read(self) -> bytes:
        raise ResponseStreamingError(error="the peer closed the connection")


async def test_a_range_whose_body_is_cut_off_is_read_again_a_few_times(place: Place) -> None:
    source = await place.objects.open(await place.objects.put("media/a", b"one", content_type="image/png"))
    cut: Step = answered({"Body": CutOff()})
    place.s3.plans["get_object"] = [cut, cut]
    assert await source.read(1, 9) == b"ne"
    place.s3.plans["get_object"] = [cut, cut, cut]
    with pytest.raises(Unavailable):
        await source.read(1, 9)


# --- writing


async def test_a_first_write_that_meets_another_is_tried_again(place: Place) -> None:
    conflict = refused(error_of("ConditionalRequestConflict", 409))
    place.s3.plans["put_object"] = [conflict, conflict]
    await place.objects.put("media/a", b"one", content_type="image/png", if_absent=True)
    place.s3.plans["put_object"] = [conflict] * 9
    with pytest.raises(Unavailable):
        await place.objects.put("media/b", b"one", content_type="image/png", if_absent=True)


async def test_too_many_requests_are_said_to_be_that(place: Place) -> None:
    place.s3.plans["put_object"] = [refused(error_of("SlowDown", 503))]
    with pytest.raises(Throttled):
        await place.objects.put("media/a", b"one", content_type="image/png")


async def test_a_version_that_could_not_be_deleted_is_said(place: Place) -> None:
    await place.objects.put("media/a", b"one", content_type="image/png")
    place.s3.plans["delete_objects"] = [answered({"Errors": [{"Code": "InternalError"}]})]
    with pytest.raises(Unavailable):
        await place.objects.delete("media/a")


# --- listing


async def test_everything_is_found_over_many_pages(place: Place) -> None:
    place.s3.always = {"list_object_versions": {"MaxKeys": 2}, "list_parts": {"MaxParts": 1}}
    place.s3.always["list_multipart_uploads"] = {"MaxUploads": 1}
    for key in ("m/a", "m/b", "m/c", "m/d", "m/e"):
        for data in (b"one", b"two"):
            await place.objects.put(key, data, content_type="image/png")
    assert await place.keys("m/") == ["m/a", "m/b", "m/c", "m/d", "m/e"]
    await place.objects.delete("m/b")
    assert await place.keys("m/") == ["m/a", "m/c", "m/d", "m/e"]
    await place.objects.put("n/a", b"one", content_type="image/png")
    await place.objects.delete_all("m/")
    assert await place.keys("") == ["n/a"]
    sessions = [(await place.sent(f"raw/{number}"))[0] for number in range(3)]
    orphans = await place.uploads.orphans(SystemClock().now() + 60)
    assert {one.storage_id for one in orphans} == {one.storage_id for one in sessions}


async def test_both_buckets_are_one_list_in_key_order(place: Place) -> None:
    keys = ["media/1", "raw-2", "raw/1", "raw/2", "raw0", "s"]
    for key in reversed(keys):
        await place.objects.put(key, b"one", content_type="image/png")
    assert await place.keys("") == keys
    assert await place.keys("ra") == keys[1:5]
    assert await place.keys("raw/") == ["raw/1", "raw/2"]


async def test_what_was_deleted_by_a_marker_is_neither_listed_nor_there(place: Place) -> None:
    ref = await place.objects.put("media/a", b"one", content_type="image/png")
    await place.s3.delete_object(Bucket=place.resources.processed_bucket, Key="media/a")
    assert await place.keys("media/") == []
    assert await place.objects.stat("media/a") is None
    await place.objects.delete("media/a")
    with pytest.raises(NotFound):
        await place.objects.open(ref)


async def test_deleting_a_key_leaves_those_that_start_with_it(place: Place) -> None:
    for key in ("media/a", "media/a-1", "media/a/b"):
        await place.objects.put(key, b"one", content_type="image/png")
    await place.objects.delete("media/a")
    assert await place.keys("media/") == ["media/a-1", "media/a/b"]


# --- credentials


@dataclass
class Renewed:
    """Credentials of a role: other ones each time they are asked for, with an end."""

    expires_at: float
    asked: int = 0

    @property
    def _expiry_time(self) -> datetime:
        return datetime.fromtimestamp(self.expires_at, UTC)

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        self.asked += 1
        return ReadOnlyCredentials(f"KEY{self.asked}", "secret", f"token{self.asked}")


async def test_urls_are_signed_with_what_credentials_are_now_and_do_not_outlive_them(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = SystemClock().now()
    role = Renewed(now + 30)
    monkeypatch.setattr(place.s3, "_get_credentials", lambda: role, raising=False)
    ref = await place.objects.put("media/a", b"one", content_type="image/png")
    for time in (1, 2):
        link = await place.objects.sign_read(ref, expires_at=now + 600)
        told = dict(parse_qsl(urlsplit(link.url).query))
        assert told["X-Amz-Credential"].startswith(f"KEY{time}/")
        assert told["X-Amz-Security-Token"] == f"token{time}"
        assert now + 28 < link.expires_at <= now + 30
        assert int(told["X-Amz-Expires"]) <= 30
