"""Renditions made later, by the real engine: playlists over what two jobs made, and nothing else touched."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from smmu.adapters.media.engine import PyavEngine
from smmu.entrypoints.exporting import export
from smmu.entrypoints.verifying import Verifier
from tests.support import clips
from tests.support.clips import FAST, LIMITS, make, top_rung
from tests.support.service import Service, a_service, completed, ended

pytestmark = [pytest.mark.media, pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]
DASH = "{urn:mpeg:dash:schema:mpd:2011}"
SIXTY = ["-f", "lavfi", "-t", "4.5", "-i", "testsrc2=s=854x480:r=60", "-f", "lavfi", "-t", "4.5", "-i", "sine"]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return a_service(engine=PyavEngine(LIMITS, str(tmp_path / "scratch")))


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with service.client() as client:
        yield client


async def remade(client: httpx.AsyncClient, media_id: str, **body: Any) -> str:
    answer = await client.post(f"/media/{media_id}/renditions", json=body)
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    job = await ended(client, job_id, within=100)
    assert job["state"] == "succeeded", str(job["error"])
    return job_id


async def brought(service: Service, media_id: str, folder: Path) -> dict[str, dict[str, Any]]:
    """The renditions of the newest revision by name, all of them in `folder`."""
    known = (await service.system.library.get("ada", media_id)).value
    aside = folder.with_name(f"{folder.name}-aside")
    await export(service.system.platform.objects, known, folder, aside)
    listed = json.loads((folder / "manifest.json").read_bytes())["renditions"]
    return {made["name"]: made for made in listed}


async def verified(folder: Path) -> dict[str, str]:
    """What is wrong with which rendition of a folder, looked at from outside."""
    verifier = Verifier(folder, PyavEngine(LIMITS, str(folder.parent / "scratch")))
    return {one.name: one.message async for one in verifier.verdicts() if one.message}


def dash(folder: Path, made: dict[str, dict[str, Any]]) -> list[tuple[str | None, str]]:
    root = ET.fromstring((folder / made["dash"]["path"]).read_text())
    return [(told.findtext(f"{DASH}BaseURL"), told.attrib["id"]) for told in root.iter(f"{DASH}Representation")]


async def test_a_rung_that_is_added_plays_beside_those_that_were_there(
    service: Service, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """Of sixty frames a second the slow rungs keep half: the new one has its keyframes among those."""
    source = make(tmp_path / "s.mp4", *SIXTY, *FAST, "-c:a", "aac")
    async with service.working():
        media_id = (await uploaded(client, source, {"preset": "preview-only"}))["media_id"]
        before = await brought(service, media_id, tmp_path / "one")
        job_id = await remade(client, media_id, names=["480p"], options={"preset": "web"})
        after = await brought(service, media_id, tmp_path / "two")
        again = await remade(client, media_id, names=["hls-audio"])
        last = await brought(service, media_id, tmp_path / "three")
    assert set(after) - set(before) == {"480p"}
    assert {name for name in before if before[name]["sha256"] != after[name]["sha256"]} == {"hls", "dash"}
    assert {name for name in after if job_id in after[name]["path"]} == {"480p", "hls", "dash"}
    assert before["240p"]["proof"] == after["240p"]["proof"]
    assert {name for name in last if again in last[name]["path"]} == {"hls-audio", "hls", "dash"}
    assert after["hls"]["duration_s"] == last["hls"]["duration_s"] == before["hls"]["duration_s"]
    folder = tmp_path / "three"
    assert await verified(folder) == {}
    for name in ("240p", "480p"):
        assert clips.keyframe_times(folder / last[name]["path"]) == [0.0, 2.0, 4.0]
    for name in ("hls", "dash"):
        assert clips.plays(folder / last[name]["path"]) == ""
    shown = clips.probe(folder / last["hls"]["path"], "-show_streams")["streams"]
    assert {one["height"] for one in shown if one["codec_type"] == "video"} == {240, 480}
    first = "../../../" + folder_of(after["240p"]["path"])
    assert dash(tmp_path / "two", after) == [(None, "480p"), (first, "240p"), (first, "audio")]
    told = (tmp_path / "two" / after["hls"]["path"]).read_text()
    assert f'URI="{first}audio/playlist.m3u8"' in told
    assert f"\n{first}240p/playlist.m3u8\n" in told
    assert f'URI="{first}240p/keyframes.m3u8"' in told


async def test_a_rung_made_again_has_the_keyframes_of_the_copied_one_that_is_kept_and_so_the_other_way(
    service: Service, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    keys = [0.0, 1.4, 3.9]
    source = top_rung(tmp_path / "s.mp4", "-g", "999", "-keyint_min", "1", "-force_key_frames", "0,1.4,3.9", seconds=5)
    async with service.working():
        media_id = (await uploaded(client, source, {}))["media_id"]
        await remade(client, media_id, names=["240p"])
        await remade(client, media_id, names=["300p"])
        made = await brought(service, media_id, tmp_path / "made")
    assert await verified(tmp_path / "made") == {}
    assert made["300p"]["proof"]["measures"]["packets_copied"] == 50
    for name in ("240p", "300p"):
        assert clips.keyframe_times(tmp_path / "made" / made[name]["path"]) == keys


def folder_of(path: str) -> str:
    return path.removesuffix("240p/playlist.m3u8")


async def uploaded(client: httpx.AsyncClient, source: Path, options: dict[str, Any], **named: str) -> dict[str, Any]:
    made = await completed(client, source.read_bytes(), options=options, **named)
    assert (await ended(client, made["job_id"], within=100))["state"] == "succeeded"
    return made


async def test_playlists_written_over_what_is_kept_say_what_they_said(
    service: Service, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """Read from what was written and written again, nothing is lost: bandwidths, codecs, rates and every duration."""
    source = make(tmp_path / "s.mp4", "-f", "lavfi", "-t", "6.3", "-i", "testsrc2=s=426x240:r=30000/1001", *FAST)
    async with service.working():
        media_id = (await uploaded(client, source, {"codecs": ["h264", "av1"]}))["media_id"]
        before = await brought(service, media_id, tmp_path / "one")
        await remade(client, media_id, names=["hls"])
        after = await brought(service, media_id, tmp_path / "two")
    way = "../../../" + folder_of(after["240p"]["path"])
    old, new = ((tmp_path / one / made["hls"]["path"]).read_text() for one, made in (("one", before), ("two", after)))
    assert new.replace(way, "") == old
    assert described(tmp_path / "two", after) == described(tmp_path / "one", before)


async def test_rungs_beside_a_copied_one_keep_its_keyframes_and_a_text_changes_no_segment(
    service: Service, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "said.srt").write_text("1\n00:00:00,500 --> 00:00:01,500\nHello\n", encoding="utf-8")
    film = top_rung(tmp_path / "v.mp4", "-g", "9999", "-keyint_min", "1", "-force_key_frames", "0,1.4", seconds=3)
    source = make(tmp_path / "s.mkv", "-i", str(film), "-i", str(tmp_path / "said.srt"), "-map", "0", "-map", "1",
                  "-c", "copy", "-c:s", "srt", "-metadata:s:s:0", "language=ger")  # fmt: skip
    async with service.working():
        named = {"filename": "s.mkv", "content_type": "video/x-matroska"}
        media_id = (await uploaded(client, source, {}, **named))["media_id"]
        before = await brought(service, media_id, tmp_path / "one")
        rung = await remade(client, media_id, names=["240p"])
        text = await remade(client, media_id, names=["subtitles-2"])
        after = await brought(service, media_id, tmp_path / "two")
    assert before["300p"]["proof"]["measures"]["packets_copied"] == after["300p"]["proof"]["measures"]["packets_copied"]
    assert {name for name, made in after.items() if made["path"].startswith(rung)} == {"240p"}
    assert {name for name, made in after.items() if made["path"].startswith(text)} == {"subtitles-2", "hls", "dash"}
    folder = tmp_path / "two"
    assert await verified(folder) == {}
    times = [clips.keyframe_times(folder / after[name]["path"]) for name in ("240p", "300p")]
    assert times[0] == times[1] == [0.0, 1.421]  # the sound begins 21 ms earlier, and has to be looked at for that
    assert 'TYPE=SUBTITLES,GROUP-ID="texts",NAME="German",LANGUAGE="de"' in (folder / after["hls"]["path"]).read_text()


def described(folder: Path, made: dict[str, dict[str, Any]]) -> str:
    """What a DASH manifest says, but for where it is."""
    root = ET.fromstring((folder / made["dash"]["path"]).read_text())
    for told in root.iter(f"{DASH}Representation"):
        for base in told.findall(f"{DASH}BaseURL"):
            told.remove(base)
    return ET.canonicalize(ET.tostring(root, encoding="unicode"), strip_text=True)


async def test_texts_and_sounds_stay_choices_when_one_of_them_is_made_again(
    service: Service, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """What was offered is offered once: by playlists that are new, over texts of two jobs."""
    for name in ("en", "de"):
        (tmp_path / f"{name}.srt").write_text(f"1\n00:00:00,500 --> 00:00:01,500\n{name}\n", encoding="utf-8")
    inputs = ["-f", "lavfi", "-t", "2", "-i", "testsrc2=s=160x90:r=10", "-f", "lavfi", "-t", "2", "-i", "sine"]
    texts = ["-i", str(tmp_path / "en.srt"), "-i", str(tmp_path / "de.srt")]
    maps = ["-map", "0", "-map", "1", "-map", "1", "-map", "2", "-map", "3"]
    tags = [
        part
        for kind in "as"
        for at, tag in enumerate(("eng", "ger"))
        for part in (f"-metadata:s:{kind}:{at}", f"language={tag}")
    ]
    source = make(tmp_path / "s.mkv", *inputs, *texts, *maps, *tags, *FAST, "-c:a", "aac", "-c:s", "srt")
    async with service.working():
        media_id = (await uploaded(client, source, {}))["media_id"]
        before = await brought(service, media_id, tmp_path / "one")
        job_id = await remade(client, media_id, names=["subtitles-4"])
        after = await brought(service, media_id, tmp_path / "two")
    assert {name for name in after if job_id in after[name]["path"]} == {"subtitles-4", "hls", "dash"}
    assert await verified(tmp_path / "two") == {}
    for folder, made in ((tmp_path / "one", before), (tmp_path / "two", after)):
        menu = [line for line in (folder / made["hls"]["path"]).read_text().splitlines() if "#EXT-X-MEDIA:" in line]
        assert [line.partition('NAME="')[2].partition('"')[0] for line in menu] == ["English", "German"] * 2
        root = ET.fromstring((folder / made["dash"]["path"]).read_text())
        assert [found.get("lang") for found in root.iter(f"{DASH}AdaptationSet")] == [None, "en", "de", "en", "de"]
