"""Whether a job transcribes depends on the engine there is, and its plan says so. On the pretend engines."""

from typing import Any

import pytest

from smmu.adapters.inmemory.media import PretendEngine, pretend_file
from smmu.adapters.inmemory.speech import PretendRecognizer
from smmu.bootstrap.embedding import open_in_memory
from smmu.domain.facts import Kind
from smmu.domain.options import Options
from smmu.ports.speech import SpeechRecognizer
from tests.support.processing import manifest_of as document
from tests.support.processing import processed

NAMES = {"captions", "captions-srt", "transcript"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def manifest_of(
    data: bytes, recognizer: SpeechRecognizer | None, options: Options | None = None
) -> dict[str, Any]:
    async with open_in_memory(PretendEngine(speed=None), recognizer=recognizer) as system:
        ended = await processed(system, data, options=options or Options())
        assert ended.state == "succeeded"
        return await document(system, ended.media_id)


def made(manifest: dict[str, Any]) -> set[str]:
    return {rendition["name"] for rendition in manifest["renditions"]}


def about_speech(manifest: dict[str, Any]) -> tuple[str, str]:
    (found,) = [one for one in manifest["plan"]["decisions"] if one["subject"] == "speech"]
    return found["choice"], found["reason"]


@pytest.mark.parametrize("kind", [Kind.VIDEO, Kind.AUDIO])
async def test_sound_is_transcribed_where_there_is_an_engine(kind: Kind) -> None:
    manifest = await manifest_of(pretend_file(kind, duration_s=8), PretendRecognizer())
    assert made(manifest) >= NAMES
    assert about_speech(manifest)[0] == "transcribed"
    (captions,) = [one for one in manifest["renditions"] if one["name"] == "captions"]
    assert (captions["role"], captions["content_type"]) == ("captions", "text/vtt")
    assert captions["proof"]["measures"]["engine"] == "pretend"
    assert "has_speech" in manifest["classification"]["traits"]


async def test_without_an_engine_the_plan_says_how_to_get_one() -> None:
    manifest = await manifest_of(pretend_file(Kind.AUDIO), None)
    assert not made(manifest) & NAMES
    assert about_speech(manifest) == (
        "not transcribed",
        "no speech model: see `smmu models`, or set SMMU_SPEECH__ENGINE",
    )


async def test_an_engine_that_cannot_be_used_says_why_in_the_plan() -> None:
    manifest = await manifest_of(pretend_file(Kind.AUDIO), PretendRecognizer("no wheel: install it"))
    assert about_speech(manifest) == ("engine missing", "no wheel: install it")


async def test_a_preview_is_not_transcribed() -> None:
    manifest = await manifest_of(pretend_file(Kind.AUDIO), PretendRecognizer(), Options(preset="preview-only"))
    assert not made(manifest) & NAMES


async def test_sound_that_is_not_wanted_is_not_transcribed() -> None:
    manifest = await manifest_of(pretend_file(Kind.VIDEO), PretendRecognizer(), Options(mute=True))
    assert not made(manifest) & NAMES
    assert about_speech(manifest) == ("not transcribed", "its sound is not wanted")


@pytest.mark.parametrize("data", [pretend_file(Kind.IMAGE), pretend_file(Kind.VIDEO, audio=False)])
async def test_what_has_no_sound_is_not_spoken_of(data: bytes) -> None:
    manifest = await manifest_of(data, PretendRecognizer())
    assert not made(manifest) & NAMES
    assert not [one for one in manifest["plan"]["decisions"] if one["subject"] == "speech"]


async def test_captions_are_in_the_playlists_that_players_open_and_these_name_only_what_is_listed() -> None:
    manifest = await manifest_of(pretend_file(duration_s=8), PretendRecognizer())
    listed = {one["name"]: one for one in manifest["renditions"]}
    paths = {file["path"] for one in listed.values() for file in one.get("files", [one])}
    assert (listed["captions"]["language"], listed["captions"]["purpose"]) == ("en", "recognised")
    assert listed["hls"]["proof"]["measures"]["texts"] == listed["dash"]["proof"]["measures"]["texts"] == 1
    assert [file["path"] for file in listed["hls"]["files"]] == [
        "publish-1/hls/hls.m3u8",
        "publish-1/hls/captions.m3u8",
    ]
    assert listed["dash"]["path"] == "publish-1/hls/dash.mpd"
    assert not any(path.endswith("video-1/hls.m3u8") for path in paths)


async def test_a_film_in_which_nothing_is_said_keeps_the_playlists_that_it_came_with() -> None:
    for recognizer, seconds in ((None, 8), (PretendRecognizer(), 0.4)):  # the latter has no time for a word
        manifest = await manifest_of(pretend_file(duration_s=seconds), recognizer)
        listed = {one["name"]: one for one in manifest["renditions"]}
        assert listed["hls"]["path"] == "video-1/hls.m3u8"
        assert "texts" not in listed["hls"]["proof"]["measures"]
