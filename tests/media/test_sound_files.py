"""A sound as AAC, Opus and MP3: gapless, at the target, without tags, each proven; judged by another build of ffmpeg.

What Ogg and MP3 say of their first and last samples is read here as RFC 7845 and LAME's description of its first frame
have it, with no code of ours.
"""

import json
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.audio.frame import AudioFrame
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from smmu.adapters.media.aac import Coded, Heard
from smmu.adapters.media.decode import Damage
from smmu.adapters.media.loudness import Gain, Gained, Loudness, Meter
from smmu.adapters.media.proof import prove_audio
from smmu.adapters.media.sound import Line
from smmu.domain.options import AudioFormat, Options
from smmu.domain.plan import AudioSpec
from tests.support import clips
from tests.support.clips import Made, failures, make, render

pytestmark = pytest.mark.media

ALL: tuple[AudioFormat, ...] = ("aac", "opus", "mp3")
NAMES = ("audio", "audio-opus", "audio-mp3")
BURST = "aevalsrc='0.2*sin(2*PI*880*t)*gte(t,0.5)*(1+0.5*sin(2*PI*3*t))':s={rate}:d={seconds}"


def burst(folder: Path, *, rate: int = 44_100, seconds: float = 2.3, channels: int = 2) -> Path:
    """Half a second of nothing, and then a tone."""
    described = BURST.format(rate=rate, seconds=seconds)
    return make(folder / "s.wav", "-f", "lavfi", "-i", described, "-ac", str(channels), "-c:a", "pcm_s16le")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("files")
    return render(burst(folder), folder / "o", audio_formats=ALL)


def test_each_is_proven_and_plays_elsewhere(made: Made) -> None:
    assert failures(made) == []
    assert [clips.plays(made.path(name)) for name in NAMES] == ["", "", ""]
    found = [clips.stream(made.path(name), "a") for name in NAMES]
    assert [one["codec_name"] for one in found] == ["aac", "opus", "mp3"]
    assert [one["sample_rate"] for one in found] == ["44100", "48000", "44100"]
    assert [made[name].codecs for name in NAMES] == ["mp4a.40.2", "opus", "mp3"]
    assert [made[name].files[0].content_type for name in NAMES] == ["audio/mp4", "audio/ogg", "audio/mpeg"]
    assert [made.path(name).suffix for name in NAMES] == [".m4a", ".opus", ".mp3"]


@pytest.mark.parametrize("name", NAMES)
def test_each_comes_to_the_target_by_gain_alone(made: Made, name: str) -> None:
    assert clips.loudness(made.path(name))[0] == pytest.approx(-16, abs=0.5)
    measures = made[name].proof.measures
    assert measures["integrated_lufs_out"] == pytest.approx(-16, abs=0.5)
    assert float(measures["integrated_lufs_in"]) + float(measures["gain_db"]) == pytest.approx(-16, abs=0.2)


@pytest.mark.parametrize(("rate", "channels", "seconds"), [(44_100, 2, 2.3), (48_000, 1, 1.2345), (8_000, 1, 0.9)])
def test_opus_and_mp3_begin_and_end_to_the_sample(tmp_path: Path, rate: int, channels: int, seconds: float) -> None:
    source = burst(tmp_path, rate=rate, channels=channels, seconds=seconds)
    made = render(source, tmp_path / "o", audio_formats=ALL)
    assert failures(made) == []
    for name in NAMES[1:]:
        sound = clips.samples(made.path(name), channels=1)[:, 0].astype(int)
        published = int(clips.stream(made.path(name), "a")["sample_rate"])
        assert abs(len(sound) - len(clips.samples(source)) * published / rate) <= 1 + published / rate
        onset = int(np.argmax(np.abs(sound) > 2_000)) / published
        assert onset == pytest.approx(0.5, abs=0.005), name
        assert made[name].proof.measures["samples"] == len(sound)


def test_the_last_page_of_ogg_says_where_the_sound_ends(made: Made) -> None:
    data = made.path("audio-opus").read_bytes()
    pages, at = [], 0
    while at < len(data):
        capture, version, _, position, _, _, _, segments = struct.unpack_from("<4sBBqIIIB", data, at)
        assert (capture, version) == (b"OggS", 0)
        at += 27 + segments + sum(data[at + 27 : at + 27 + segments])
        pages.append(position)
    magic, _, channels, skip, rate = struct.unpack_from("<8sBBHI", data, data.index(b"OpusHead"))
    assert (magic, channels, rate) == (b"OpusHead", 2, 48_000)
    assert pages[-1] - skip == made["audio-opus"].proof.measures["samples"]


def test_the_first_frame_of_mp3_says_what_to_leave_out(made: Made) -> None:
    data = made.path("audio-mp3").read_bytes()
    assert data[:2] == b"\xff\xfb", "no tags before the first frame"
    start = data.index(b"Info")
    flags, frames, size = struct.unpack_from(">III", data, start + 4)
    assert flags == 0b1111
    assert size == len(data)
    delay, padding = divmod(int.from_bytes(data[start + 141 : start + 144]), 1 << 12)
    assert frames * 1_152 - delay - padding == made["audio-mp3"].proof.measures["samples"]


def test_nothing_that_the_source_says_of_itself_is_in_any(tmp_path: Path) -> None:
    source = make(tmp_path / "s.flac", "-i", str(burst(tmp_path)), "-metadata", "artist=secret", "-metadata", "title=x")
    made = render(source, tmp_path / "o", audio_formats=ALL)
    for name in NAMES:
        assert "secret" not in json.dumps(clips.probe(made.path(name), "-show_format", "-show_streams"))
        assert b"secret" not in made.path(name).read_bytes()


@pytest.mark.parametrize("seconds", [0.001, 0.02, 0.05])
def test_a_sound_of_a_moment_is_made_as_well(tmp_path: Path, seconds: float) -> None:
    source = make(tmp_path / "s.wav", "-f", "lavfi", "-i", f"sine=f=440:r=48000:d={seconds}", "-c:a", "pcm_s16le")
    made = render(source, tmp_path / "o", audio_formats=ALL)
    assert failures(made) == []
    assert all(clips.plays(made.path(name)) == "" for name in NAMES)


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_file_that_is_not_whole_fails_its_proof(made: Made, tmp_path: Path, name: str) -> None:
    measures = made[name].proof.measures
    samples = int(measures["samples"])
    task = clips.plan(burst(tmp_path), tmp_path / "p", Options(audio_formats=ALL)).task("audio")
    spec = next(spec for spec in task.renditions if isinstance(spec, AudioSpec) and spec.name == name)
    heard = Heard(Damage(track=0), Line(Fraction(0), Fraction(10), position=Fraction(samples, spec.sample_rate)))
    coded = Coded(spec=spec, whole=made.path(name), heard=heard, gain=Gain(decibels=0.0, reason=""), samples=samples,
                  loudness=Loudness(integrated_lufs=None, range_lu=None, true_peak_dbtp=None, seconds=0.0))  # fmt: skip
    assert prove_audio(coded, made.path(name), lambda: None).ok
    cut = tmp_path / "cut"
    cut.write_bytes(made.path(name).read_bytes()[: made[name].size * 3 // 4])
    assert [check.name for check in prove_audio(coded, cut, lambda: None).failures] == ["samples decoded"]


# --- what a gain makes of loudness


@given(levels=st.lists(st.integers(-90, -5), min_size=1, max_size=6), gain_db=st.integers(-30, 40))
@settings(max_examples=25, deadline=None)
def test_loudness_after_a_gain_is_known_without_measuring_again(levels: list[int], gain_db: int) -> None:
    """Also where the gain lifts what was under the absolute gate over it: then it is not just the sum."""
    assume(max(levels) + gain_db <= 0)  # the filter counts no louder blocks than 10 LUFS
    noise = np.random.default_rng(1).standard_normal((len(levels), 24_000))
    sound = (noise * 10 ** (np.array(levels)[:, None] / 20)).astype(np.float32).reshape(1, -1)
    before, after = Meter(sample_rate=48_000, channels=1), Meter(sample_rate=48_000, channels=1)
    gained = Gained(sample_rate=48_000, channels=1, sample_format="fltp", gain=Gain(decibels=float(gain_db), reason=""))
    before.feed(mono(sound))
    for frame in (*gained.feed(mono(sound)), *gained.flush()):
        after.feed(frame)
    expected, found = after.result().integrated_lufs, before.result().after(gain_db)
    if expected is None:
        assert found is None or found < -69
    else:
        assert found == pytest.approx(expected, abs=0.25)


def mono(samples: "np.typing.NDArray[np.float32]") -> AudioFrame:
    frame = AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    frame.sample_rate = 48_000
    return frame
