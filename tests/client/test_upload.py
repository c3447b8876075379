"""The client uploads: what arrives is what was on this disk, whatever the network does in between."""

from pathlib import Path

import anyio
import httpx
import pytest

import smmu
from smmu.client.errors import FileChanged, NotUnderstood, ServerRefused, Unreachable
from smmu.client.reading import ALGORITHM, LocalSource
from smmu.client.uploader import Uploader, Wish
from smmu.domain.job import Job
from smmu.ports.checksums import Digest
from smmu.ports.ledger import Query
from tests.support.remote import OWNER, Remote, once

BUSY = httpx.Response(503, headers={"retry-after": "0"})


async def jobs(service: Remote) -> int:
    page = await service.system.platform.ledger.query(Query(type=Job, owner=OWNER))
    return len(page.items)


async def stored(service: Remote, media_id: str) -> bytes:
    media = (await service.system.library.get(OWNER, media_id)).value
    source = await service.system.platform.objects.open(media.source)
    return await source.read(0, source.size)


async def test_a_file_of_one_part_becomes_a_job_that_succeeds(service: Remote, song: Path) -> None:
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=song))
        assert (await smmu.until_over(service.system, OWNER, done.job_id)).state == "succeeded"
    assert await stored(service, done.media_id) == song.read_bytes()


async def test_a_file_of_many_parts_arrives_whole(service: Remote, film: Path) -> None:
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film))
    assert await stored(service, done.media_id) == film.read_bytes()
    assert service.network.count("PUT", "/blobs/") == 3


async def test_the_checksum_of_the_whole_file_is_given_at_the_end(service: Remote, film: Path) -> None:
    async with service.client() as client:
        await client.uploads.upload(Wish(path=film))
    request = next(seen for seen in service.network.seen if seen.url.path == "/media/upload/complete")
    assert b'"algorithm":"crc64nvme"' in request.content


async def test_progress_ends_at_the_size_of_the_file(service: Remote, film: Path) -> None:
    told: list[tuple[int, int]] = []
    async with service.client() as client:
        await client.uploads.upload(Wish(path=film), progress=lambda sent, total: told.append((sent, total)))
    size = film.stat().st_size
    assert told[0] == (0, size)
    assert told[-1] == (size, size)


async def test_metadata_name_and_options_go_with_the_file(service: Remote, song: Path) -> None:
    wish = Wish(path=song, filename="aria.wav", metadata={"by": "Ada"}, options={"preset": "preview-only"})
    async with service.client() as client:
        media = await client.media.get((await client.uploads.upload(wish)).media_id)
    assert (media.filename, media.metadata) == ("aria.wav", {"by": "Ada"})


@pytest.mark.parametrize("happens", [httpx.ReadError("cut"), httpx.ConnectError("no way"), httpx.Response(500), BUSY])
async def test_a_part_that_did_not_get_through_is_sent_again(
    service: Remote, film: Path, happens: httpx.Response | Exception
) -> None:
    service.network.faults.append(once("PUT", "/blobs/", happens))
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film))
    assert await stored(service, done.media_id) == film.read_bytes()
    assert service.network.count("PUT", "/blobs/") == 4


async def test_a_part_whose_answer_was_lost_is_sent_again(service: Remote, film: Path) -> None:
    service.network.answers_lost.append("")
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film))
    assert await stored(service, done.media_id) == film.read_bytes()


async def test_a_url_that_has_expired_is_signed_again(service: Remote, film: Path) -> None:
    service.network.faults.append(once("PUT", "/blobs/", httpx.Response(403)))
    async with service.client() as client:
        await client.uploads.upload(Wish(path=film))
    assert service.network.count("POST", "/parts") == 1


async def test_a_url_that_is_always_refused_ends_the_upload(service: Remote, song: Path) -> None:
    service.network.faults.extend(once("PUT", "/blobs/", httpx.Response(403)) for _ in range(9))
    async with service.client() as client:
        with pytest.raises(ServerRefused) as refused:
            await client.uploads.upload(Wish(path=song))
    assert refused.value.status == 403


async def test_an_init_whose_answer_was_lost_opens_one_upload(service: Remote, song: Path) -> None:
    service.network.answers_lost.append("/init")
    async with service.client() as client:
        await client.uploads.upload(Wish(path=song))
    page = await service.system.platform.ledger.counters(OWNER)
    assert service.network.count("POST", "/init") == 2
    assert page["open_uploads"] == 0


async def test_a_complete_whose_answer_was_lost_makes_one_job(service: Remote, film: Path) -> None:
    service.network.answers_lost.append("/complete")
    async with service.client() as client:
        await client.uploads.upload(Wish(path=film))
    assert service.network.count("POST", "/complete") == 2
    assert await jobs(service) == 1


async def test_a_server_that_answers_no_more_is_given_up_in_one_sentence(service: Remote, film: Path) -> None:
    service.network.faults.extend(once("PUT", "/blobs/", httpx.ConnectError("refused")) for _ in range(40))
    async with service.client() as client:
        with pytest.raises(Unreachable, match=r"^The storage cannot be reached: refused\.$"):
            await client.uploads.upload(Wish(path=film))


async def test_a_server_that_never_answered_is_given_up_sooner(service: Remote, song: Path) -> None:
    service.network.faults.extend(once("POST", "/init", httpx.ConnectError("refused")) for _ in range(9))
    async with service.client() as client:
        with pytest.raises(Unreachable):
            await client.uploads.upload(Wish(path=song))
    assert service.network.count("POST", "/init") == 3


async def test_a_used_up_quota_is_not_waited_for(service: Remote, song: Path) -> None:
    service.network.faults.append(once("POST", "/init", httpx.Response(429)))
    async with service.client() as client:
        with pytest.raises(ServerRefused, match="429 Too Many Requests"):
            await client.uploads.upload(Wish(path=song))


async def test_a_refusal_is_the_servers_own_sentence_and_code(service: Remote, tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.touch()
    async with service.client() as client:
        with pytest.raises(ServerRefused, match="The file is empty") as refused:
            await client.uploads.upload(Wish(path=path))
    assert (refused.value.status, refused.value.code, refused.value.is_ours) == (422, "file_empty", True)


async def test_a_wrong_token_is_refused_as_unauthenticated(service: Remote, song: Path) -> None:
    async with service.client(token="stolen") as client:
        with pytest.raises(ServerRefused) as refused:
            await client.uploads.upload(Wish(path=song))
    assert refused.value.code == "unauthenticated"


async def test_the_token_never_goes_to_storage(service: Remote, film: Path) -> None:
    async with service.client() as client:
        await client.uploads.upload(Wish(path=film))
    puts = [seen for seen in service.network.seen if seen.method == "PUT"]
    assert puts
    assert not any("authorization" in seen.headers for seen in puts)


async def test_what_is_no_server_of_ours_is_said_to_be_none(service: Remote, song: Path) -> None:
    service.network.faults.append(once("POST", "/init", httpx.Response(200, text="<html>hello</html>")))
    async with service.client() as client:
        with pytest.raises(NotUnderstood):
            await client.uploads.upload(Wish(path=song))


async def test_a_file_that_changes_while_it_is_sent_is_not_completed(service: Remote, film: Path) -> None:
    def scribble(sent: int, _: int) -> None:
        if sent:
            film.write_bytes(film.read_bytes()[:-1] + b"!")

    async with service.client() as client:
        with pytest.raises(FileChanged, match="was changed while it was being sent"):
            await client.uploads.upload(Wish(path=film), progress=scribble)
    assert await jobs(service) == 0


async def test_a_file_is_read_in_small_pieces(film: Path) -> None:
    source = await LocalSource.of(film)
    pieces = [len(piece) async for piece in source.pieces(0, source.size, Digest(ALGORITHM))]
    assert sum(pieces) == source.size
    assert max(pieces) <= 1024 * 1024


# --- going on where another stopped


async def begun_and_killed(service: Remote, film: Path, after: int) -> str:
    """An upload whose client dies once `after` parts have been sent."""
    known = ""

    def opened(upload_id: str, _parts: int) -> None:
        nonlocal known
        known = upload_id

    async with service.client() as client:
        with anyio.CancelScope() as life:

            def progress(_sent: int, _total: int) -> None:
                if service.network.count("PUT", "/blobs/") > after:
                    life.cancel()

            await Uploader(connection=client.connection, parallel=1).upload(
                Wish(path=film), progress=progress, opened=opened
            )
    assert life.cancelled_caught
    return known


async def test_an_upload_that_was_killed_is_resumed_by_another_client(service: Remote, film: Path) -> None:
    upload_id = await begun_and_killed(service, film, after=1)
    service.network.seen.clear()
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film, resume=upload_id))
    assert service.network.count("PUT", "/blobs/") == 2, "one part was there already"
    assert service.network.count("POST", "/init") == 0
    assert await stored(service, done.media_id) == film.read_bytes()


async def test_a_resumed_upload_is_checked_whole(service: Remote, film: Path) -> None:
    upload_id = await begun_and_killed(service, film, after=1)
    data = bytearray(film.read_bytes())
    data[100_000] ^= 1
    film.write_bytes(data)
    async with service.client() as client:
        with pytest.raises(ServerRefused) as refused:
            await client.uploads.upload(Wish(path=film, resume=upload_id))
    assert refused.value.code == "checksum_mismatch"


async def test_another_file_cannot_resume_an_upload(service: Remote, film: Path, song: Path) -> None:
    upload_id = await begun_and_killed(service, film, after=1)
    async with service.client() as client:
        with pytest.raises(FileChanged, match="it is not the same file"):
            await client.uploads.upload(Wish(path=song, resume=upload_id))


async def test_resuming_what_is_complete_answers_its_job(service: Remote, song: Path) -> None:
    ids: list[str] = []
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=song), opened=lambda upload_id, _: ids.append(upload_id))
        again = await client.uploads.upload(Wish(path=song, resume=ids[0]))
    assert again == done


async def test_resuming_what_was_aborted_says_so(service: Remote, film: Path) -> None:
    upload_id = await begun_and_killed(service, film, after=1)
    await service.system.uploads.abort(OWNER, upload_id)
    async with service.client() as client:
        with pytest.raises(ServerRefused) as refused:
            await client.uploads.upload(Wish(path=film, resume=upload_id))
    assert refused.value.code == "upload_aborted"


async def test_parts_that_the_storage_lost_are_sent_again(service: Remote, film: Path) -> None:
    """A 200 that was not true: the storage answers for a part that it did not keep."""
    service.network.faults.append(once("PUT", "/blobs/", httpx.Response(200)))
    async with service.client() as client:
        done = await client.uploads.upload(Wish(path=film))
    assert await stored(service, done.media_id) == film.read_bytes()
    assert service.network.count("POST", "/complete") == 2
