"""A clip is exact: to the picture that is shown when it begins, and to the sample of its sound."""

from pathlib import Path

import numpy as np
import pytest

from smmu.domain.errors import Code, Refused
from tests.support import clips
from tests.support.clips import FAST, failures, make, render

pytestmark = pytest.mark.media

STEPS = "color=black:s=160x120:r=25,geq=lum='mod(N\\,25)*10':cb=128:cr=128"  # each picture tells its number
# The picture that is shown when the clip begins comes before a keyframe that is stored before it.
OPEN = (
    *("-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "5"),
    *("-x264-params", "open-gop=1:keyint=13:min-keyint=13:bframes=3:b-adapt=0:scenecut=0"),
)
RAMP = "aevalsrc='t/20':s=48000"  # each sample tells its time


def counting(target: Path, *options: str, seconds: float = 5.0) -> Path:
    inputs = ["-f", "lavfi", "-t", str(seconds), "-i", STEPS, "-f", "lavfi", "-t", str(seconds), "-i", RAMP]
    return make(target, *inputs, *options)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("long.mp4", [*FAST, "-crf", "5", "-g", "250", "-c:a", "aac"]),
        ("short.mkv", [*FAST, "-crf", "5", "-g", "10", "-c:a", "flac"]),
        ("stream.ts", ["-c:v", "mpeg2video", "-q:v", "2", "-c:a", "ac3", "-output_ts_offset", "40"]),
        ("open.mp4", [*OPEN, "-c:a", "aac"]),
        ("open.mkv", [*OPEN, "-c:a", "flac"]),
        ("untimed.avi", ["-c:v", "mpeg4", "-q:v", "2", "-c:a", "pcm_s16le"]),
    ],
)
def test_a_clip_begins_and_ends_where_it_was_asked_to(tmp_path: Path, name: str, options: list[str]) -> None:
    source = counting(tmp_path / name, *options)
    made = render(source, tmp_path / "o", "video", clip_start_s=2.045, clip_end_s=3.0)
    assert failures(made) == []
    shown = clips.pictures(made.path("mp4"), 16, 12)
    light = [round(float(picture.mean()) / 255 * 219 / 10) for picture in shown]
    # The picture of 2.04 s is shown when the clip begins, and the last is that of 2.96 s.
    assert light[0] in range(3)
    assert len(light) == 24
    assert float(made["mp4"].duration_s or 0) == pytest.approx(0.955, abs=0.003)
    heard = clips.samples(made.path("mp4"), channels=1)
    assert len(heard) / 48_000 == pytest.approx(0.955, abs=2 * 1024 / 48_000)
    assert len(np.unique(light)) > 15


def test_every_rendition_keeps_to_the_clip(tmp_path: Path) -> None:
    source = counting(tmp_path / "s.mp4", *FAST, "-c:a", "aac")
    made = render(source, tmp_path / "o", clip_start_s=1.0, clip_end_s=2.0)
    assert failures(made) == []
    lasting = {name: one.duration_s for name, one in made.renditions.items() if one.duration_s is not None}
    assert lasting == {name: pytest.approx(1.0, abs=0.05) for name in lasting}
    assert 1.0 <= float(made["poster"].proof.measures["position_s"]) < 2.0


def test_a_clip_without_an_end_goes_on_to_the_end(tmp_path: Path) -> None:
    source = counting(tmp_path / "s.mkv", *FAST, "-c:a", "flac", seconds=3)
    made = render(source, tmp_path / "o", "video", clip_start_s=2.0)
    assert len(clips.packets(made.path("mp4"))) == 25
    assert made["mp4"].duration_s == pytest.approx(1.0, abs=0.03)


def test_a_clip_of_a_sound_is_cut_to_the_sample(tmp_path: Path) -> None:
    source = make(tmp_path / "s.flac", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=5")
    made = render(source, tmp_path / "o", clip_start_s=2.0, clip_end_s=3.0)
    assert failures(made) == []
    assert made["audio"].duration_s == 1.0
    assert made["waveform"].proof.measures["samples"] == 48_000


def test_a_track_that_is_silent_in_the_clip_is_told(tmp_path: Path) -> None:
    inputs = ["-f", "lavfi", "-t", "5", "-i", STEPS, "-f", "lavfi", "-t", "1", "-i", RAMP]
    source = make(tmp_path / "s.mp4", *inputs, *FAST, "-c:a", "aac")
    with pytest.raises(Refused) as refused:
        render(source, tmp_path / "o", "video", clip_start_s=3.0)
    assert refused.value.code is Code.INVALID_OPTIONS
    made = render(source, tmp_path / "p", "video", clip_start_s=3.0, mute=True)
    assert failures(made) == []
