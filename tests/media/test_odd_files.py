"""Files that are odd and legitimate, as cameras, recorders and editors write them: made, or refused with a reason."""

import struct
from pathlib import Path

import numpy as np
import pytest

from smmu.domain.errors import Code, Refused
from tests.support import clips
from tests.support.clips import failures, make, render

pytestmark = pytest.mark.media

RED = ("-f", "lavfi", "-i", "color=red:s=96x64:r=10:d=0.5")
X264 = ("-c:v", "libx264", "-preset", "ultrafast")
TONE = ("-f", "lavfi", "-i", "sine=f=440:d=1:r=16000")


@pytest.mark.parametrize(
    "said",
    [
        ("-colorspace", "bt2020c", "-color_primaries", "bt2020", "-color_trc", "bt709"),
        ("-colorspace", "chroma-derived-nc", "-color_primaries", "bt709", "-color_trc", "bt709"),
    ],
    ids=["constant luminance", "derived from the primaries"],
)
def test_matrices_next_to_usual_ones_are_made(tmp_path: Path, said: tuple[str, ...]) -> None:
    made = render(make(tmp_path / "a.mkv", *RED, *X264, "-pix_fmt", "yuv420p", *said), tmp_path / "o", "video")
    assert failures(made) == []
    red, green, blue = clips.pictures(made.path("mp4"), 96, 64, count=1)[0, 32, 48]
    assert red > 180
    assert max(green, blue) < 90


def test_a_matrix_that_cannot_be_converted_is_refused_by_name(tmp_path: Path) -> None:
    film = make(tmp_path / "a.mkv", *RED, *X264, "-pix_fmt", "yuv444p", "-colorspace", "ycgco")
    with pytest.raises(Refused, match="written as YCgCo") as refused:
        clips.inspect(film, tmp_path)
    assert refused.value.code is Code.REJECTED_UNSUPPORTED_CODEC


@pytest.mark.parametrize(
    ("name", "coding"),
    [
        ("camcorder.mov", ("-vf", "scale=720:576", "-r", "25", "-c:v", "dvvideo", "-pix_fmt", "yuv420p")),
        ("animation.mov", ("-c:v", "qtrle", "-pix_fmt", "argb")),
        ("action camera.mov", ("-c:v", "cfhd", "-pix_fmt", "yuv422p10le")),
        ("capture card.mov", ("-c:v", "v210")),
        ("screen recorder.avi", ("-c:v", "huffyuv")),
        ("editor.avi", ("-c:v", "utvideo")),
    ],
)
def test_films_of_camcorders_and_editors_are_made(tmp_path: Path, name: str, coding: tuple[str, ...]) -> None:
    made = render(make(tmp_path / name, *RED, *coding), tmp_path / "o", "video")
    assert failures(made) == []
    red, green, blue = clips.pictures(made.path("mp4"), 96, 64, count=1)[0, 32, 48]
    assert red > 180
    assert max(green, blue) < 90


@pytest.mark.parametrize(("name", "codec"), [("voice.ogg", "libspeex"), ("webcam.flv", "nellymoser")])
def test_voices_of_old_recorders_are_made(tmp_path: Path, name: str, codec: str) -> None:
    made = render(make(tmp_path / name, *TONE, "-ac", "1", "-c:a", codec), tmp_path / "o")
    assert failures(made) == []
    assert np.abs(clips.samples(made.path("audio"), channels=1).astype(np.int32)).max() > 1_000


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, bad: float) -> None:
    wave = (np.sin(np.arange(48_000) / 20) * 0.3).astype("<f4")
    wave[100] = bad
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 3, 1, 48_000, 192_000, 4, 32)
    body = b"WAVE" + form + b"data" + struct.pack("<I", wave.nbytes) + wave.tobytes()
    (tmp_path / "a.wav").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    with pytest.raises(Refused, match="are no numbers") as refused:
        render(tmp_path / "a.wav", tmp_path / "o")
    assert refused.value.code is Code.REJECTED_CORRUPT


def test_a_sound_without_decoder_beside_one_that_has_one_is_left_out_and_told(tmp_path: Path) -> None:
    film = make(tmp_path / "a.mp4", *RED, *TONE, *TONE, "-map", "0", "-map", "1", "-map", "2", *X264)
    data = film.read_bytes()
    assert data.count(b"mp4a\0\0\0\0") == 2
    at = data.rindex(b"mp4a\0\0\0\0")
    film.write_bytes(data[:at] + spatial(data[at:]))
    made = render(film, tmp_path / "o", "video", "audio")
    assert failures(made) == []
    assert clips.stream(made.path("mp4"), "a")["codec_name"] == "aac"
    told = {one.subject: one.reason for one in clips.plan(film, tmp_path / "p").decisions if one.choice == "skipped"}
    assert told["track 2"] == "it is coded as apac, which cannot be decoded here"


def test_the_only_sound_without_decoder_is_refused(tmp_path: Path) -> None:
    film = make(tmp_path / "a.mp4", *RED, *TONE, *X264)
    film.write_bytes(spatial(film.read_bytes()))
    with pytest.raises(Refused, match="coded as apac") as refused:
        clips.inspect(film, tmp_path)
    assert refused.value.code is Code.REJECTED_UNSUPPORTED_CODEC


def spatial(data: bytes) -> bytes:
    """An MP4 whose sound is called what phones call theirs of all directions."""
    return data.replace(b"mp4a\0\0\0\0", b"apac\0\0\0\0").replace(b"esds", b"dapa")


def test_a_film_that_announces_sound_which_never_comes_is_silent(tmp_path: Path) -> None:
    coding = ("-c:v", "libvpx", "-c:a", "libopus")
    shown = (*RED, *TONE, "-af", "atrim=start=5", "-map", "0", "-map", "1")
    film = make(tmp_path / "a.webm", *shown, *coding)
    assert {one["codec_type"] for one in clips.probe(film, "-show_streams")["streams"]} == {"video", "audio"}
    made = render(film, tmp_path / "o", "video")
    assert failures(made) == []
    assert {one["codec_type"] for one in clips.probe(made.path("mp4"), "-show_streams")["streams"]} == {"video"}
    told = {one.subject: one.reason for one in clips.plan(film, tmp_path / "p").decisions if one.choice == "skipped"}
    assert told["track 1"] == "there is nothing in it"
