"""Waveforms are audiowaveform's, number for number: compared with a plain computation over ffmpeg's samples.

Files are read here as the format's description (audiowaveform, doc/DataFormat.md) has them, with no code of ours.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
from av.audio.frame import AudioFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from smmu.adapters.media.condition import Runs
from smmu.adapters.media.waveform import Peaks
from smmu.adapters.media.waveform_files import drawn, write_waveform
from smmu.domain.manifest import Rendition
from smmu.domain.plan import PlannedTask, TaskKind, WaveformSpec
from tests.support import clips
from tests.support.clips import make

pytestmark = pytest.mark.media

TYPES = {"json": "application/json", "dat": "application/octet-stream", "png": "image/png"}


def waveforms(source: Path, folder: Path, *specs: WaveformSpec) -> list[Rendition]:
    task = PlannedTask(name="audio", kind=TaskKind.AUDIO, renditions=specs, memory_bytes=1, seconds_max=1)
    made = clips.run(source, folder, task)
    for spec, one in zip(specs, made, strict=True):
        assert one.proof.ok
        assert one.path == f"audio/{spec.name}.{spec.format}"
        assert one.files[0].content_type == TYPES[spec.format]
    return made


def waveform(source: Path, folder: Path, spec: WaveformSpec) -> str:
    (made,) = waveforms(source, folder, spec)
    return (folder / made.path).read_text()


def read_dat(data: bytes) -> dict[str, Any]:
    """A binary file as its description says it is, in the words of the JSON format."""
    version, flags, rate, samples_per_pixel, length, channels = struct.unpack("<iIiiIi", data[:24])
    values = struct.unpack(f"<{2 * length * channels}{'b' if flags & 1 else 'h'}", data[24:])
    return {
        "version": version,
        "channels": channels,
        "sample_rate": rate,
        "samples_per_pixel": samples_per_pixel,
        "bits": 8 if flags & 1 else 16,
        "length": length,
        "data": list(values),
    }


def plainly(source: Path, bits: int, samples_per_pixel: int) -> list[int]:
    return peaks_of(clips.samples(source).astype(int).tolist(), bits, samples_per_pixel)


def peaks_of(rows: Sequence[Sequence[int]], bits: int, samples_per_pixel: int) -> list[int]:
    """What audiowaveform's loop does, as written there: sums, C's division, one pixel after the other."""
    data: list[int] = []
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


# --- all files, of any sound

BLOCKS = st.lists(st.integers(1, 700), min_size=1, max_size=6)


@given(blocks=BLOCKS, channels=st.integers(1, 3), bits=st.sampled_from([8, 16]), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_whatever_the_sound_and_its_blocks_both_formats_say_what_the_plain_computation_says(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[int], channels: int, bits: Literal[8, 16], seed: int
) -> None:
    rows = np.random.default_rng(seed).integers(-32_768, 32_768, (sum(blocks), channels), dtype=np.int16)
    peaks = Peaks(pixels_per_second=100)
    for first, last in pairwise(np.cumsum([0, *blocks])):
        peaks.feed(frame_of(rows[first:last]))
    peaks.finish()
    folder = tmp_path_factory.mktemp("peaks")
    found = {}
    for kind in ("json", "dat"):
        spec = WaveformSpec(track_index=0, bits=bits, format=kind)
        assert all(check.ok for check in write_waveform(peaks, spec, folder / kind))
        found[kind] = (folder / kind).read_bytes()
    document = json.loads(found["json"])
    assert document["data"] == peaks_of(rows.astype(int).tolist(), bits, 80)
    assert document["length"] == -(-sum(blocks) // 80)
    assert read_dat(found["dat"]) == document


def frame_of(rows: npt.NDArray[np.int16]) -> AudioFrame:
    layout = {1: "mono", 2: "stereo", 3: "2.1"}[rows.shape[1]]
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(rows.T), format="s16p", layout=layout)
    frame.sample_rate = 8000
    return frame


def test_one_pass_gives_all_three_files(tmp_path: Path) -> None:
    source = make(tmp_path / "s.wav", "-f", "lavfi", "-i", "anoisesrc=a=0.5:r=44100:d=3.003:seed=7")
    specs = (
        WaveformSpec(track_index=0),
        WaveformSpec(name="w16", track_index=0, format="dat", bits=16),
        WaveformSpec(name="p", track_index=0, format="png", width=300, height=100),
    )
    made = waveforms(source, tmp_path / "o", *specs)
    packets = {one.proof.measures["source_packets"] for one in made}
    assert len(packets) == 1
    eight, sixteen = (
        json.loads((tmp_path / "o" / made[0].path).read_bytes()),
        read_dat((tmp_path / "o" / made[1].path).read_bytes()),
    )
    assert eight["data"] == [int(value / 256) for value in sixteen["data"]]
    with Image.open(tmp_path / "o" / made[2].path) as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (300, 100))
        assert set(picture.info) <= {"gamma", "srgb", "dpi"}
    assert (made[2].width, made[2].height) == (300, 100)


@given(pairs=st.lists(st.tuples(st.integers(-32_768, 32_767), st.integers(-32_768, 32_767)), max_size=40),
       width=st.integers(1, 50), height=st.integers(1, 40))  # fmt: skip
@settings(deadline=None)
def test_every_column_of_the_picture_reaches_from_its_lowest_to_its_highest(
    pairs: list[tuple[int, int]], width: int, height: int
) -> None:
    ordered = [(min(pair), max(pair)) for pair in pairs] or [(0, 0)]
    inked = drawn(np.array([value for pair in ordered for value in pair], np.int16), width, height)[..., 3] > 0
    assert inked.shape == (height, width)
    for column in range(width):
        first = column * len(ordered) // width
        mine = ordered[first : max(first + 1, (column + 1) * len(ordered) // width)]
        lowest, highest = min(low for low, _ in mine), max(high for _, high in mine)
        top, bottom = (min(height - 1, (32_768 - value) * height // 65_536) for value in (highest, lowest))
        assert np.flatnonzero(inked[:, column]).tolist() == list(range(top, bottom + 1))


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


def test_what_is_silent_before_and_after_is_told_apart_from_what_is_silent_inside(tmp_path: Path) -> None:
    heard = "0.5*sin(2*PI*300*t)*(between(t,1,2)+between(t,3,4)+between(t,4.2,5)+between(t,6,7))"
    source = make(tmp_path / "s.wav", "-f", "lavfi", "-i", f"aevalsrc='{heard}':s=16000:d=9", "-c:a", "pcm_s16le")
    found = measures(source, tmp_path / "o")
    assert found["silence_leading_s"] == pytest.approx(1, abs=0.01)
    assert found["silence_trailing_s"] == pytest.approx(2, abs=0.01)
    assert found["silences_inside"] == 2
    places = [[float(end) for end in place.split("-")] for place in str(found["silences_inside_at"]).split()]
    assert np.array(places) == pytest.approx(np.array([[2, 3], [5, 6]]), abs=0.01)
    assert found["silence_s"] == pytest.approx(5, abs=0.02)


def test_a_single_sample_at_full_scale_is_no_clipped_run(tmp_path: Path) -> None:
    peaks = "if(eq(mod(n,1000),0),1,0)+between(n,4100,4102)+between(n,5100,5101)"
    source = make(tmp_path / "s.wav", "-f", "lavfi", "-i", f"aevalsrc='{peaks}':s=8000:d=1", "-c:a", "pcm_s16le")
    found = measures(source, tmp_path / "o")
    assert (found["samples_clipped"], found["clipped_runs"]) == (8 + 3 + 2, 1)


@given(
    st.lists(st.sampled_from([True, True, False]), max_size=60),
    st.lists(st.integers(0, 3), max_size=40),
    st.integers(1, 5),
)
def test_runs_are_found_whatever_the_pieces(holds: list[bool], cuts: list[int], least: int) -> None:
    expected, at = [], 0
    for value, same in groupby(holds):
        length = len(list(same))
        if value and length >= least:
            expected.append((at, at + length))
        at += length
    runs, left = Runs(least), np.array(holds, np.bool_)
    for cut in cuts:
        runs.feed(left[:cut])
        left = left[cut:]
    runs.feed(left)
    runs.finish()
    assert runs.first == expected[:21]
    lengths = [end - start for start, end in expected]
    assert (runs.count, runs.total, runs.longest) == (len(expected), sum(lengths), max(lengths, default=0))
    assert runs.last == (expected[-1] if expected else (0, 0))
