"""A whole deployment: what goes in by signed URLs comes out as renditions.

tests/support/aws/cloud.py says what is real in it. The windows in which something breaks are in test_windows.py.
"""

from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from PIL import Image

from smmu.client.client import open_client
from smmu.client.errors import ServerRefused
from smmu.client.uploader import Wish
from smmu.domain.limits import MIB
from tests.support.aws.cloud import Cloud
from tests.support.aws.errands import done, uploaded
from tests.support.corpus import Corpus
from tests.support.media import clip, photo, silence, song

pytestmark = [pytest.mark.slow, pytest.mark.served, pytest.mark.timeout(240)]


async def test_a_photo_comes_out_upright_and_without_its_position(cloud: Cloud, tmp_path: Path) -> None:
    taken = photo(tmp_path / "photo.jpg", size=(640, 480), orientation=6, position=True)
    async with open_client(cloud.url, cloud.token()) as client:
        ended = await done(client, await uploaded(client, taken))
        made = await client.media.get(ended.media_id)
        assert made.manifest is not None
        (wanted,) = [known for known in made.manifest.renditions if known.name == "image-640-jpeg"]
        found = await client.media.bring(ended.media_id, wanted, tmp_path / "out")
        assert ended.media_id in [one.media_id for one in (await client.media.search("phot")).media]
    with Image.open(found) as picture:
        assert picture.size == (640, 480)
        assert not picture.getexif()


async def test_a_film_comes_out_as_a_ladder_and_a_song_as_sound(cloud: Cloud, tmp_path: Path) -> None:
    async with open_client(cloud.url, cloud.token()) as client:
        jobs = [
            await uploaded(client, clip(tmp_path / "clip.mp4", seconds=2, size=(640, 360))),
            await uploaded(client, song(tmp_path / "song.wav", seconds=2)),
        ]
        names = []
        for job_id in jobs:
            made = await client.media.get((await done(client, job_id)).media_id)
            assert made.manifest is not None
            names.append({rendition.name for rendition in made.manifest.renditions})
    assert {"hls", "mp4", "poster", "360p"} <= names[0]
    assert {"audio", "waveform"} <= names[1]


async def test_a_long_film_is_made_in_chunks_by_containers_of_their_own(cloud: Cloud, tmp_path: Path) -> None:
    long = clip(tmp_path / "long.mp4", seconds=31, size=(480, 360))
    async with open_client(cloud.url, cloud.token()) as client:
        ended = await done(client, await uploaded(client, long))
        made = await client.media.get(ended.media_id)
    names = {task.name for task in ended.tasks}
    assert {"first-look", "chunk-0000", "chunk-0001", "reveal", "video"} <= names
    assert made.manifest is not None
    assert made.manifest.revision == 2
    assert {"360p", "240p", "hls", "mp4", "poster"} <= {known.name for known in made.manifest.renditions}


async def test_a_film_plays_through_the_api_with_its_bytes_from_s3(cloud: Cloud, tmp_path: Path) -> None:
    async with open_client(cloud.url, cloud.token()) as client:
        job_id = await uploaded(client, clip(tmp_path / "clip.mp4", seconds=2, size=(320, 240)))
        where = await client.media.playback((await done(client, job_id)).media_id)
    assert where.hls_url is not None
    async with httpx.AsyncClient() as player:
        master = await player.get(where.hls_url)
        media = urljoin(where.hls_url, next(line for line in master.text.splitlines() if line.endswith("m3u8")))
        segment = urljoin(media, next(line for line in (await player.get(media)).text.splitlines() if "m4s" in line))
        answer = await player.get(segment)
        assert (answer.status_code, answer.content) == (307, b"")
        assert urlsplit(answer.headers["location"]).netloc == urlsplit(str(cloud.account.endpoint)).netloc
        found = await player.get(answer.headers["location"])
    assert (found.status_code, found.headers["content-type"]) == (200, "video/iso.segment")
    assert found.content[4:8] == b"styp"


async def test_a_rendition_is_made_again_and_the_others_stay_where_they_are(cloud: Cloud, tmp_path: Path) -> None:
    async with open_client(cloud.url, cloud.token()) as client:
        job_id = await uploaded(client, photo(tmp_path / "photo.jpg", size=(640, 480)))
        media_id = (await done(client, job_id)).media_id
        again = (await client.media.make(media_id, ["image-320-webp"])).job_id
        assert (await done(client, again)).state == "succeeded"
        made = await client.media.get(media_id)
        assert made.manifest is not None
        assert (made.state, made.manifest.revision, made.manifest.job_id) == ("ready", 2, again)
        jobs = {known.name: known.path.partition("-a")[0] for known in made.manifest.renditions}
        assert {name for name, of in jobs.items() if of == again} == {"image-320-webp"}
        assert {of for name, of in jobs.items() if name != "image-320-webp"} == {job_id}
        for known in made.manifest.renditions:
            await client.media.bring(media_id, known, tmp_path / "out")  # which checks them


async def test_a_file_of_many_parts_goes_to_storage_part_by_part(cloud: Cloud, tmp_path: Path) -> None:
    """A long silence: 101 MiB is one more than goes in one PUT."""
    large = tmp_path / "silence.wav"
    silence(large, 101 * MIB)
    async with open_client(cloud.url, cloud.token()) as client:
        upload = await uploaded(client, large)
        seen = await client.jobs.get(upload)
    assert seen.job_id == upload
    s3 = cloud.client("s3")
    (found,) = [
        known
        for known in s3.list_objects_v2(Bucket=cloud.named.raw_bucket)["Contents"]
        if seen.upload_id in known["Key"]
    ]
    assert found["Size"] == large.stat().st_size
    assert found["ETag"].strip('"').endswith("-7")


async def test_what_is_no_media_is_refused_with_a_reason_and_its_bytes_are_gone(cloud: Cloud, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("This is a text, whatever its name says.\n" * 20, encoding="utf-8")
    async with open_client(cloud.url, cloud.token("grace")) as client:
        with pytest.raises(ServerRefused) as refused:
            await client.uploads.upload(Wish(path=text, content_type="video/mp4"))
    assert refused.value.code == "type_mismatch"
    listed = cloud.client("s3").list_object_versions(Bucket=cloud.named.raw_bucket, Prefix="raw/grace/")
    assert listed.get("Versions", []) == []


async def test_a_torn_film_is_rejected_by_its_job(cloud: Cloud, tmp_path: Path) -> None:
    whole = clip(tmp_path / "clip.mp4", seconds=2, size=(64, 48))
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    async with open_client(cloud.url, cloud.token()) as client:
        ended = await done(client, await uploaded(client, torn))
        made = await client.media.get(ended.media_id)
    assert ended.state == "failed"
    assert ended.error is not None
    assert (ended.error.code.startswith("rejected_"), ended.error.retryable) == (True, False)
    assert ended.error.message[-1] == "."
    assert made.state == "rejected"


async def test_nobody_sees_anybody_elses(cloud: Cloud, tmp_path: Path) -> None:
    async with open_client(cloud.url, cloud.token("ada")) as ada, open_client(cloud.url, cloud.token("grace")) as grace:
        job_id = await uploaded(ada, photo(tmp_path / "photo.jpg", size=(64, 48)))
        with pytest.raises(ServerRefused) as refused:
            await grace.jobs.get(job_id)
        assert refused.value.code == "not_found"
        assert [job.job_id for job in (await grace.jobs.list()).jobs if job.job_id == job_id] == []
        await done(ada, job_id)


async def test_a_token_of_another_issuer_opens_nothing(cloud: Cloud) -> None:
    token = cloud.keys.token(iss="https://other.example", exp=4_000_000_000)
    async with httpx.AsyncClient(base_url=cloud.url, headers={"authorization": f"Bearer {token}"}) as client:
        answer = await client.get("/jobs")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_bytes_never_pass_the_api(cloud: Cloud, tmp_path: Path) -> None:
    """Both ways: a part's URL, and a rendition's, are the storage's own, signed."""
    async with open_client(cloud.url, cloud.token()) as client:
        ended = await done(client, await uploaded(client, photo(tmp_path / "photo.jpg", size=(320, 240))))
    headers = {"authorization": f"Bearer {cloud.token()}"}
    async with httpx.AsyncClient(base_url=cloud.url, headers=headers) as web:
        asked = {"filename": "photo.jpg", "size": 1_000, "content_type": "image/jpeg"}
        part = (await web.post("/media/upload/init", json=asked)).json()["parts"][0]["url"]
        link = (await web.get(f"/media/{ended.media_id}/renditions/image-320-jpeg")).headers["location"]
    for url in (part, link):
        assert urlsplit(url).netloc == urlsplit(str(cloud.account.endpoint)).netloc
        assert "X-Amz-Signature=" in url


async def test_deleting_a_media_leaves_no_byte_of_it(cloud: Cloud, tmp_path: Path) -> None:
    async with open_client(cloud.url, cloud.token("hedy")) as client:
        ended = await done(client, await uploaded(client, photo(tmp_path / "photo.jpg", size=(64, 48))))
        answer = await client.connection.send("DELETE", f"/media/{ended.media_id}")
        assert answer.status_code in (200, 202, 204)
    s3 = cloud.client("s3")
    for bucket, prefix in ((cloud.named.raw_bucket, "raw/hedy/"), (cloud.named.processed_bucket, "media/hedy/")):
        assert s3.list_object_versions(Bucket=bucket, Prefix=prefix).get("Versions", []) == []


async def test_the_corpus_goes_through_the_deployment(cloud: Cloud, corpus: Corpus) -> None:
    """A phone's film and a photo, as their rows say."""
    async with open_client(cloud.url, cloud.token()) as client:
        for name in ("video/streamio-ffmpeg__ios9.mov", "photo/exifori__Landscape_6.jpg"):
            ended = await done(client, await uploaded(client, corpus.named(name).path))
            made = await client.media.get(ended.media_id)
            assert (name, ended.state, made.state) == (name, "succeeded", "ready")
