"""The stores of all platforms agree on objects, pinned versions, and the life of upload sessions.

Two machines: one of the platforms that serve their own URLs, which are sent what is wrong as well; and one that has S3
beside them, where a stand-in cannot tell right from wrong, and what S3 promises less of is left out.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from smmu.ports.errors import AlreadyExists, NotFound
from smmu.ports.platform import Capability, Platform
from smmu.ports.uploads import PartSlot, Session, StoredPart
from tests.support.agreement import SETTINGS, Agreement
from tests.support.aws.sites import at_moto
from tests.support.delivery import EXACT, content, deliver, send
from tests.support.folders import quick_folder
from tests.support.platforms import aws

PART_BYTES = 40
BODY = bytes(range(200))

object_keys = st.sampled_from(["m/a", "m/a/1", "m/b", "raw/0"])
bodies = st.integers(0, 60).map(lambda size: BODY[size : 2 * size])


@dataclass(slots=True)
class Sent:
    """An upload session on every platform, with what was sent in it, oldest first."""

    method: Literal["single", "multipart"]
    sessions: list[Session]
    parts: list[list[StoredPart]] = field(default_factory=list)


class StorageAgreement(Agreement):
    """Objects and uploads side by side, sometimes at the same keys."""

    def __init__(self) -> None:
        super().__init__()
        self.refs: list[list[Any]] = []
        self.uploads: list[Sent] = []
        self.ended: set[str] = set()

    @property
    def strict(self) -> bool:
        """Whether all of them serve their URLs themselves: then they look at all that is sent, and forget no end."""
        return all(Capability.SERVES_URLS in platform.capabilities for platform in self.platforms)

    @rule(key=object_keys, body=bodies, if_absent=st.booleans())
    def put(self, key: str, body: bytes, if_absent: bool) -> None:  # noqa: FBT001
        answers = self.all(lambda p, _: p.objects.put(key, body, content_type="image/png", if_absent=if_absent))
        self._pin(answers)

    @rule(key=st.one_of(object_keys, st.just("raw/parts-0")))
    def delete(self, key: str) -> None:
        self.ended.add(key)
        self.agree(lambda p: p.objects.delete(key))

    @precondition(lambda self: self.strict)
    @rule(key=object_keys)
    def look(self, key: str) -> None:
        async def seen(platform: Platform) -> Any:
            info = await platform.objects.stat(key)
            return info and (info.content_type, info.ref.size, info.modified_at)

        self.agree(seen)

    @rule()
    def list_objects(self) -> None:
        async def listed(platform: Platform) -> Any:
            refs = [ref async for ref in platform.objects.list("m/a")]
            infos = [await platform.objects.stat(ref.key) for ref in refs]
            assert [info and info.ref for info in infos] == refs
            return [(ref.key, ref.size, info and info.content_type) for ref, info in zip(refs, infos, strict=True)]

        self.agree(listed)

    @rule(key=object_keys)
    def read(self, key: str) -> None:
        self.agree(lambda p: content(p, key))

    @precondition(lambda self: self.refs)
    @rule(which=st.integers(0, 9), start=st.integers(0, 70), length=st.integers(0, 70))
    def read_pinned(self, which: int, start: int, length: int) -> None:
        refs = self.refs[which % len(self.refs)]

        async def read(platform: Platform, number: int) -> bytes:
            return await (await platform.objects.open(refs[number])).read(start, length)

        answers = self.all(read)
        kept = {*answers} - ({NotFound} if not self.strict else set())  # S3 still has what was overwritten
        assert len(kept) <= 1, answers

    def _pin(self, answers: list[Any]) -> None:
        if any(isinstance(answer, type) for answer in answers):
            assert len(set(answers)) == 1, answers
        else:
            assert len({(ref.key, ref.size) for ref in answers}) == 1, answers
            self.refs.append(answers)

    # --- uploads

    @precondition(lambda self: len(self.uploads) < 3)
    @rule(method=st.sampled_from(["single", "multipart"]))
    def begin(self, method: Literal["single", "multipart"]) -> None:
        # A multipart object never replaces another on S3, so nothing else is put at its key.
        key = f"raw/{'parts-' if method == 'multipart' else ''}{len(self.uploads)}"
        part_size = PART_BYTES if method == "multipart" else 0
        begun = self.all(
            lambda p, _: p.uploads.begin(key, method=method, part_size=part_size, content_type="video/mp4")
        )
        self.uploads.append(Sent(method, begun))

    @precondition(lambda self: self.strict and self.uploads)
    @rule(
        which=st.integers(0, 3),
        number=st.sampled_from([1, 1, 2]),
        size=st.sampled_from([PART_BYTES, PART_BYTES, PART_BYTES, 7, 0, PART_BYTES + 1]),
        signed=st.sampled_from([PART_BYTES, PART_BYTES, None, 7]),
        told=st.sampled_from([EXACT, EXACT, EXACT, None, 7]),
        late=st.sampled_from([False, False, False, True]),
        first=st.integers(0, 9),
    )
    def send_part(self, which: int, size: int, signed: int | None, told: int | None, **drawn: Any) -> None:
        """As it should be sent, or not: too short, too long, with another length announced, too late."""
        slot = PartSlot(number=drawn["number"], size=signed, size_max=PART_BYTES)
        self._send(which, slot, BODY[drawn["first"] :][:size], told, seconds=1 - drawn["late"])

    @precondition(lambda self: self.uploads)
    @rule(which=st.integers(0, 3), number=st.integers(1, 2), size=st.sampled_from([PART_BYTES, 7, 1]))
    def send_properly(self, which: int, number: int, size: int) -> None:
        upload = self.uploads[which % len(self.uploads)]
        slot, key = PartSlot(number=number, size=size), upload.sessions[0].key
        if not self.strict and key in self.ended:  # a signed URL of S3 outlives the end of what it was for
            return
        taken = self.all(lambda p, _: p.objects.stat(key))[0] is not None

        async def once(platform: Platform, at: int) -> StoredPart:
            (part,) = await platform.uploads.sign(upload.sessions[at], [slot], expires_at=self.clock.now() + 1)
            return await deliver(platform, part, BODY[:size])

        self._note(upload, self.all(once), written_once=taken and upload.method == "single")

    @precondition(lambda self: self.strict and self.uploads)
    @rule(which=st.integers(0, 3), number=st.integers(1, 2), firsts=st.lists(st.integers(0, 9), min_size=1, max_size=3))
    def send_whole_parts(self, which: int, number: int, firsts: list[int]) -> None:
        """One part, sent as it should be, and again with other bytes."""
        for first in firsts:
            slot = PartSlot(number=number, size=PART_BYTES)
            self._send(which, slot, BODY[first:][:PART_BYTES], EXACT, seconds=1)

    def _send(self, which: int, slot: PartSlot, body: bytes, told: int | None, *, seconds: int) -> None:
        upload = self.uploads[which % len(self.uploads)]

        async def once(platform: Platform, at: int) -> StoredPart:
            expires_at = self.clock.now() + seconds
            (part,) = await platform.uploads.sign(upload.sessions[at], [slot], expires_at=expires_at)
            return await send(platform, part.url, body, told)

        self._note(upload, self.all(once))

    def _note(self, upload: Sent, answers: list[Any], *, written_once: bool = False) -> None:
        """All took it or none. What is written once may refuse the same bytes, or answer as it first did."""
        if written_once and AlreadyExists in answers:
            assert all(answer is AlreadyExists or isinstance(answer, StoredPart) for answer in answers), answers
        elif isinstance(answers[0], StoredPart):
            assert len({(part.number, part.size) for part in answers}) == 1, answers
            upload.parts.append(answers)
        else:
            assert len(set(answers)) == 1, answers

    @precondition(lambda self: self.uploads)
    @rule(which=st.integers(0, 3))
    def list_parts(self, which: int) -> None:
        upload = self.uploads[which % len(self.uploads)]

        async def listed(platform: Platform, at: int) -> tuple[Any, ...]:
            parts = await platform.uploads.list_parts(upload.sessions[at])
            return tuple((part.number, part.size) for part in parts)

        answers = self.all(listed)
        assert len(set(answers)) == 1, answers

    @precondition(lambda self: self.uploads)
    @rule(which=st.integers(0, 3), newest=st.booleans(), left_out=st.sampled_from([0, 0, 1]))
    def complete(self, which: int, newest: bool, left_out: int) -> None:  # noqa: FBT001
        """With the newest parts of each number, or with the oldest, which may have been replaced; with all, or not."""
        upload = self.uploads[which % len(self.uploads)]
        taken = upload.parts if newest else upload.parts[::-1]
        chosen = sorted({parts[0].number: at for at, parts in enumerate(taken)}.items())[: 3 - left_out]

        async def once(platform: Platform, at: int) -> Any:
            return await platform.uploads.complete(upload.sessions[at], [taken[place][at] for _, place in chosen])

        self._pin(self.all(once))

    @precondition(lambda self: self.uploads)
    @rule(which=st.integers(0, 3))
    def abort(self, which: int) -> None:
        upload = self.uploads[which % len(self.uploads)]
        if upload.method == "single":
            self.ended.add(upload.sessions[0].key)
        answers = self.all(lambda p, at: p.uploads.abort(upload.sessions[at]))
        assert len(set(answers)) == 1, answers

    @rule()
    def find_orphans(self) -> None:
        async def keys(platform: Platform) -> Any:
            return sorted(session.key for session in await platform.uploads.orphans(self.clock.now() + 1))

        self.agree(keys)


class StorageAgreementWithS3(StorageAgreement):
    """With S3 beside them, or what stands in for it, which takes parts as small as these."""

    def more_platforms(self) -> list[Platform]:
        patch = self.stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 0)
        opened = aws(at_moto, Path(self.stack.enter_context(quick_folder())), part_bytes_min=1)
        return [self.stack.enter_context(self.portal.wrap_async_context_manager(opened))]


StorageAgreement.TestCase.settings = SETTINGS
StorageAgreementWithS3.TestCase.settings = settings(SETTINGS, max_examples=15, stateful_step_count=30)
TestStorageAgreement = StorageAgreement.TestCase
TestStorageAgreementWithS3 = pytest.mark.aws(StorageAgreementWithS3.TestCase)
