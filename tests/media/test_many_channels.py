"""Sound of eight channels and more, and of channels without speakers, becomes stereo like any other."""

from pathlib import Path

import numpy as np
import pytest

from tests.support import clips
from tests.support.clips import failures, make, render

pytestmark = pytest.mark.media

PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=64x36:r=10:d=2")
TONE = ("-f", "lavfi", "-i", "sine=f=440:d=1.5:r=48000")
SURROUND = "pan=7.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0|c6=c0|c7=c0"


def test_seven_and_one_is_heard_and_kept_as_five_and_one(tmp_path: Path) -> None:
    film = make(tmp_path / "s.mkv", *PICTURE, *TONE, "-af", SURROUND, "-c:v", "libx264", "-c:a", "flac")
    made = render(film, tmp_path / "o", "video", "audio")
    assert failures(made) == []
    assert (made["hls-audio"].codecs, "hls-audio-surround" in made.renditions) == ("mp4a.40.2", True)
    assert loud(made.path("mp4"), 0.2, 1.2)


def test_gaps_and_clips_of_seven_and_one_are_made_of_its_own_kind(tmp_path: Path) -> None:
    late = ("-itsoffset", "0.8", *TONE)
    film = make(tmp_path / "s.mkv", *PICTURE, *late, "-af", SURROUND, "-c:v", "libx264", "-c:a", "aac")
    made = render(film, tmp_path / "o", "video", "audio", clip_start_s=0.3)
    assert failures(made) == []
    assert not loud(made.path("mp4"), 0.0, 0.4)
    assert loud(made.path("mp4"), 0.7, 1.4)


@pytest.mark.parametrize(
    ("name", "layout", "coding"),
    [
        ("recorder.wav", "hexadecagonal|" + "|".join(f"c{number}=c0" for number in range(16)), ()),
        ("sphere.opus", "4.0|c0=c0|c1=0*c0|c2=0*c0|c3=0*c0", ("-c:a", "libopus", "-mapping_family", "2")),
    ],
)
def test_channels_without_speakers_are_heard_in_the_middle(
    tmp_path: Path, name: str, layout: str, coding: tuple[str, ...]
) -> None:
    sound = make(tmp_path / name, *TONE, "-af", f"pan={layout}", *coding)
    if name.endswith("wav"):
        nobody_says_where(sound)
    made = render(sound, tmp_path / "o")
    assert failures(made) == []
    left, right = clips.samples(made.path("audio"), channels=2).astype(np.int32).T
    assert np.abs(left - right).mean() < 50
    assert loud(made.path("audio"), 0.2, 1.2)


def nobody_says_where(sound: Path) -> None:
    """The mask of speakers of a WAV file, set to none."""
    data = bytearray(sound.read_bytes())
    mask = data.index(b"fmt ") + 8 + 20
    data[mask : mask + 4] = bytes(4)
    sound.write_bytes(data)


def loud(path: Path, start: float, end: float) -> bool:
    heard = clips.samples(path, channels=1).reshape(-1)[round(start * 48_000) : round(end * 48_000)]
    return bool(np.abs(heard.astype(np.int32)).max() > 1_000)
