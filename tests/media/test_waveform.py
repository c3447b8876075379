"""Waveforms are audiowaveform's, number for number: compared with a plain computation over ffmpeg's samples."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from smmu.domain.plan import PlannedTask, TaskKind, WaveformSpec
from tests.support import clips
from tests.support.clips import make

pytestmark = pytest.mark.media


def waveform(source: Path, folder: Path, spec: WaveformSpec) -> str:
    task = PlannedTask(name="audio", kind=TaskKind.AUDIO, renditions=(spec,), memory_bytes=1, seconds_max=1)
    (made,) = clips.run(source, folder, task)
    assert made.proof.ok
    assert made.path == f"audio/{spec.name}.json"
    assert made.files[0].content_type == "application/json"
    return (folder / made.path).read_text()


def plainly(source: Path, bits: int, samples_per_pixel: int) -> list[int]:
    """What audiowaveform's loop does, as written there: sums, C's division, one pixel after the other."""
    data: list[int] = []
    rows = clips.samples(source).astype(int).tolist()
    mono = [int(sum(row) / len(row)) for row in rows]
    for start in range(0, len(mono), samples_per_pixel):
        pixel = mono[start : start + samples_per_pixel]
        data += [min(pixel), max(pixel)]
    return [int(value / 256) for value in data] if bits == 8 else data


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    ("description", "pixels_per_second"),
    [
        ("anoisesrc=a=0.7:r=8000:d=1.234:seed=3", 100),
        ("aevalsrc='0.5*sin(2*PI*100*t)|0.3*sin(2*PI*333*t)':s=44100:d=2.005", 100),
        ("anoisesrc=a=1:r=48000:d=0.5:seed=5", 20),
        ("aevalsrc='0.1*sin(99*t)|0.2*sin(999*t)|0.3*sin(299*t)|0.1*sin(9*t)|0.2*sin(t*7)|0.4*sin(t*50)':c=5.1:s=48000:d=0.7", 100),
    ],
)  # fmt: skip
def test_it_equals_the_plain_computation(
    tmp_path: Path, description: str, pixels_per_second: int, bits: Literal[8, 16]
) -> None:
    source = make(tmp_path / "s.wav", "-f", "lavfi", "-i", description, "-c:a", "pcm_s16le")
    spec = WaveformSpec(track_index=0, bits=bits, pixels_per_second=pixels_per_second)
    text = waveform(source, tmp_path / "o", spec)
    document = json.loads(text)
    rate = int(clips.stream(source, "a")["sample_rate"])
    expected = plainly(source, bits, rate // pixels_per_second)
    assert list(document) == ["version", "channels", "sample_rate", "samples_per_pixel", "bits", "length", "data"]
    assert document == {
        "version": 2,
        "channels": 1,
        "sample_rate": rate,
        "samples_per_pixel": rate // pixels_per_second,
        "bits": bits,
        "length": len(expected) // 2,
        "data": expected,
    }


def test_a_compressed_track_differs_by_no_more_than_rounding(tmp_path: Path) -> None:
    source = make(tmp_path / "s.mp3", "-f", "lavfi", "-i", "anoisesrc=a=0.5:r=44100:d=1.5:seed=7")
    document = json.loads(waveform(source, tmp_path / "o", WaveformSpec(track_index=0, bits=16)))
    expected = plainly(source, 16, 441)
    assert abs(len(document["data"]) - len(expected)) <= 2 * 6
    difference = np.abs(np.array(document["data"][:200]) - np.array(expected[:200]))
    assert difference.max() <= 2


def test_silence_is_all_zeros(tmp_path: Path) -> None:
    source = make(tmp_path / "s.wav", "-f", "lavfi", "-i", "anullsrc=r=44100:cl=stereo:d=1.001")
    document = json.loads(waveform(source, tmp_path / "o", WaveformSpec(track_index=0)))
    assert set(document["data"]) == {0}
    assert document["length"] == 101


# --- the report beside it


def measures(source: Path, folder: Path) -> Mapping[str, float | int | str]:
    spec = WaveformSpec(track_index=0)
    task = PlannedTask(name="audio", kind=TaskKind.AUDIO, renditions=(spec,), memory_bytes=1, seconds_max=1)
    (made,) = clips.run(source, folder, task)
    return made.proof.measures


def test_long_silence_is_told_and_a_pause_is_not(tmp_path: Path) -> None:
    heard = "0.5*sin(2*PI*300*t)*(lt(t,1)+between(t,1.3,2)+gt(t,3.2))"
    source = make(tmp_path / "s.wav", "-f", "lavfi", "-i", f"aevalsrc='{heard}':s=16000:d=4", "-c:a", "pcm_s16le")
    found = measures(source, tmp_path / "o")
    assert found["silence_s"] == found["silence_longest_s"] == pytest.approx(1.2, abs=0.01)
    assert "samples_clipped" not in found


def test_silence_to_the_end_is_told(tmp_path: Path) -> None:
    source = make(tmp_path / "s.wav", "-f", "lavfi", "-i", "anullsrc=r=44100:cl=stereo:d=2", "-c:a", "pcm_s16le")
    assert measures(source, tmp_path / "o")["silence_s"] == 2.0


def test_samples_at_full_scale_are_counted(tmp_path: Path) -> None:
    loud = ("-f", "lavfi", "-i", "aevalsrc='clip(2*sin(2*PI*100*t),-1,1)':s=8000:d=1", "-c:a", "pcm_s16le")
    source = make(tmp_path / "s.wav", *loud)
    expected = int((np.abs(clips.samples(source).astype(int)) >= 32_767).sum())
    assert expected > 1_000
    assert measures(source, tmp_path / "o")["samples_clipped"] == expected
