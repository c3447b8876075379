"""A film with several sounds keeps them: each in its language, 5.1 as 5.1, and all of them are what playlists say."""

import json
from pathlib import Path

import pytest

from smmu.adapters.media.hls import SOUND_INIT_TYPE
from tests.support import clips
from tests.support.clips import FAST, Made, failures, make, render
from tests.support.media import clip

pytestmark = pytest.mark.media


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Four seconds: English in 5.1 (AC-3), each channel with a tone of its own; German; a commentary in English."""
    folder = tmp_path_factory.mktemp("tracks")
    tones = [arg for hertz in range(200, 1_000, 100) for arg in ("-f", "lavfi", "-i", f"sine=f={hertz}:r=48000:d=4")]
    places = "|".join(f"{at}.0-{name}" for at, name in enumerate(("FL", "FR", "FC", "LFE", "BL", "BR")))
    joined = f"[1][2][3][4][5][6]join=inputs=6:channel_layout=5.1:map={places}[surround]"
    tags = ["language=eng", "language=ger", "language=eng"]
    source = make(
        folder / "s.mkv", "-f", "lavfi", "-t", "4", "-i", "testsrc2=s=160x90:r=10", *tones, "-filter_complex", joined,
        "-map", "0", "-map", "[surround]", "-map", "7", "-map", "8", *FAST, "-c:a", "aac", "-c:a:0", "ac3",
        *(arg for at, tag in enumerate(tags) for arg in (f"-metadata:s:a:{at}", tag)),
        "-metadata:s:a:1", 'title=Die "Fassung"', "-disposition:a:2", "comment",
    )  # fmt: skip
    made = render(source, folder / "o", "video")
    assert failures(made) == []
    return made


def told(made: Made) -> list[str]:
    return [line for line in made.path("hls").read_text(encoding="utf-8").splitlines() if "TYPE=AUDIO" in line]


def test_a_menu_has_every_language_and_the_commentary(film: Made) -> None:
    heard = [(one.name, one.language, one.title, one.purpose) for one in film.renditions.values() if one.title]
    assert heard == [
        ("hls-audio", "en", "English", None),
        ("hls-audio-surround", "en", "English", None),
        ("hls-audio-2", "de", "Die 'Fassung'", None),
        ("hls-audio-3", "en", "English, commentary", "commentary"),
    ]
    assert [line.partition('NAME="')[2].partition('"')[0] for line in told(film)] == [
        *("English", "Die 'Fassung'", "English, commentary") * 2
    ]


def test_each_sound_is_the_tracks_own_and_is_as_wide_as_it_says(film: Made) -> None:
    for line in told(film):
        playlist = film.path("hls").parent / json.loads(line.rpartition("URI=")[2])
        assert clips.stream(playlist, "a")["channels"] == int(json.loads(line.partition("CHANNELS=")[2].split(",")[0]))
    for name, hertz in (("hls-audio-2", 800), ("hls-audio-3", 900)):
        assert pitch(film.path(name), 0) == pytest.approx(hertz, abs=5)


def test_whoever_opens_the_files_alone_sees_the_languages(film: Made) -> None:
    for name, code in (("hls-audio", "eng"), ("hls-audio-surround", "eng"), ("hls-audio-2", "deu")):
        beginning = next(file.path for file in film[name].files if file.content_type == SOUND_INIT_TYPE)
        assert clips.stream(film.folder / beginning, "a")["tags"]["language"] == code
    assert clips.stream(film.path("mp4"), "a")["tags"]["language"] == "eng"
    assert clips.stream(film.path("mp4"), "v")["tags"]["language"] == "und"


def test_a_sound_alone_keeps_its_language(tmp_path: Path) -> None:
    tagged = ["-metadata:s:a:0", "language=fre"]
    source = make(tmp_path / "s.m4a", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=1", *tagged, "-c:a", "aac")
    made = render(source, tmp_path / "o", "audio")
    assert failures(made) == []
    assert clips.stream(made.path("audio"), "a")["tags"]["language"] == "fra"


def test_no_channel_of_5_1_is_mistaken_for_another(film: Made) -> None:
    # In ffmpeg's order; AC-3 and AAC keep of the fourth, that of low frequencies, what is low.
    found = [pitch(film.path("hls-audio-surround"), channel) for channel in (0, 1, 2, 4, 5)]
    assert found == pytest.approx([200, 300, 400, 600, 700], abs=5)


def test_another_player_plays_all_of_them(film: Made) -> None:
    for name in ("hls", "dash"):
        assert clips.plays(film.path(name)) == ""
    found = clips.probe(film.path("dash"), "-show_streams", "-select_streams", "a")["streams"]
    assert [one["channels"] for one in found] == [2, 6, 1, 1]


def pitch(path: Path, channel: int) -> float:
    """The tone in one channel, by its crossings of zero in the second second."""
    heard = clips.samples(path)[48_000:96_000, channel]
    return float(((heard[:-1] < 0) & (heard[1:] >= 0)).sum())


def test_further_pictures_and_a_cover_are_counted_and_the_plan_leaves_them_out(tmp_path: Path) -> None:
    cover = make(tmp_path / "c.jpg", "-f", "lavfi", "-i", "testsrc2=s=64x64", "-frames:v", "1")
    moving = [
        arg for size in ("160x90", "80x60") for arg in ("-f", "lavfi", "-t", "1", "-i", f"testsrc2=s={size}:r=10")
    ]
    maps = [arg for number in range(3) for arg in ("-map", str(number))]
    source = make(tmp_path / "s.mp4", *moving, "-i", str(cover), *maps, *FAST, "-c:v:2", "mjpeg", "-pix_fmt:v:2",
                  "yuvj420p", "-disposition:v:2", "attached_pic")  # fmt: skip
    facts = clips.inspect(source, tmp_path / "o")
    assert facts.video is not None
    assert (facts.video.others, facts.video.width, facts.has_cover_art) == (1, 160, True)
    told = {one.choice for one in clips.plan(source, tmp_path / "o").decisions}
    assert {"one track of pictures", "cover art left out"} <= told


def test_a_matrix_that_is_no_turn_by_quarters_is_told(tmp_path: Path) -> None:
    source = clip(tmp_path / "s.mp4", rotation_cw=30, tone=False)
    facts = clips.inspect(source, tmp_path / "o")
    assert facts.video is not None
    assert (facts.video.tilted, facts.video.rotation_cw) == (True, 0)
    assert "not turned" in {one.choice for one in clips.plan(source, tmp_path / "o").decisions}
