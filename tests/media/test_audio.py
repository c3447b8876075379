"""Sound of every kind becomes AAC of the right length, loudness and layout, judged by another build of ffmpeg."""

import json
from pathlib import Path

import numpy as np
import pytest

from smmu.domain.plan import AudioSpec, PlannedTask, Role, TaskKind
from tests.support import clips
from tests.support.clips import FAST, Made, failures, make, render

pytestmark = pytest.mark.media

SPEECHLIKE = "aevalsrc='0.1*sin(2*PI*300*t)*(1+sin(2*PI*3*t))+0.02*sin(2*PI*1500*t)':s={rate}:d={seconds}"


def speechlike(seconds: float, rate: int = 44100) -> list[str]:
    return ["-f", "lavfi", "-i", SPEECHLIKE.format(rate=rate, seconds=seconds)]


def check_all(made: Made) -> None:
    assert failures(made) == []
    assert clips.plays(made.path("audio")) == ""


def test_loudness_comes_to_the_target(tmp_path: Path) -> None:
    source = make(tmp_path / "s.wav", *speechlike(6))
    made = render(source, tmp_path / "o")
    check_all(made)
    before, after = clips.loudness(source)[0], clips.loudness(made.path("audio"))[0]
    measures = made["audio"].proof.measures
    assert before < -20
    assert after == pytest.approx(-16, abs=1)
    assert measures["integrated_lufs_in"] == pytest.approx(before, abs=0.5)
    assert measures["integrated_lufs_out"] == pytest.approx(after, abs=0.5)
    assert measures["gain_reason"] == "to the target of -16.0 LUFS"


def test_a_high_peak_limits_the_gain(tmp_path: Path) -> None:
    click = "aevalsrc='0.01*sin(2*PI*300*t)+0.8*sin(2*PI*1000*t)*between(t,2,2.02)':s=48000:d=4"
    source = make(tmp_path / "s.flac", "-f", "lavfi", "-i", click)
    made = render(source, tmp_path / "o")
    check_all(made)
    assert made["audio"].proof.measures["gain_reason"] == "limited by the ceiling of -1.0 dBTP"
    assert clips.loudness(made.path("audio"))[1] < 0.5


def test_sound_that_is_too_loud_is_turned_down(tmp_path: Path) -> None:
    source = make(tmp_path / "s.wav", "-f", "lavfi", "-i", "aevalsrc='0.9*sin(2*PI*997*t)':s=48000:d=3")
    made = render(source, tmp_path / "o")
    check_all(made)
    assert float(made["audio"].proof.measures["gain_db"]) < -5
    assert clips.loudness(made.path("audio"))[0] == pytest.approx(-16, abs=1)


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        ("anullsrc=r=44100:cl=stereo:d=2", "none: silent"),
        ("sine=f=440:r=44100:d=0.1", "none: shorter than 0.4 s, so it has no loudness"),
    ],
)
def test_sound_without_loudness_is_left_as_it_is_and_says_so(tmp_path: Path, description: str, reason: str) -> None:
    source = make(tmp_path / "s.wav", "-f", "lavfi", "-i", description)
    made = render(source, tmp_path / "o")
    check_all(made)
    assert made["audio"].proof.measures["gain_reason"] == reason
    assert made["audio"].proof.measures["gain_db"] == 0


@pytest.mark.parametrize(
    ("name", "rate", "channels", "options"),
    [
        ("s.wav", 8000, 1, ["-c:a", "pcm_s16le"]),
        ("s.wav", 48000, 2, ["-c:a", "pcm_u8"]),
        ("s.wav", 96000, 2, ["-c:a", "pcm_s24le"]),
        ("s.mp3", 44100, 2, []),
        ("s.ogg", 48000, 2, ["-c:a", "libopus"]),
        ("s.m4a", 44100, 1, ["-c:a", "aac"]),
        ("s.flac", 22050, 1, []),
        ("s.mkv", 48000, 6, ["-c:a", "ac3"]),
    ],
)
def test_every_usual_kind_of_sound_keeps_its_length(
    tmp_path: Path, name: str, rate: int, channels: int, options: list[str]
) -> None:
    source = make(tmp_path / name, *speechlike(2.3, rate), "-ac", str(channels), *options)
    made = render(source, tmp_path / "o")
    check_all(made)
    shown = clips.stream(made.path("audio"), "a")
    assert (shown["codec_name"], shown["profile"], shown["channels"]) == ("aac", "LC", min(channels, 2))
    assert float(shown["start_time"]) == 0
    assert float(shown["duration"]) == pytest.approx(2.3, abs=0.08)


def test_sound_is_not_shifted_by_the_encoders_priming(tmp_path: Path) -> None:
    source = make(
        tmp_path / "s.wav", "-f", "lavfi", "-i", "aevalsrc='if(gte(t,0.5),0.5*sin(2*PI*880*t),0)':s=48000:d=1"
    )
    made = render(source, tmp_path / "o")
    onsets = [first_sound(clips.samples(path, channels=1)) for path in (source, made.path("audio"))]
    assert onsets[1] == pytest.approx(onsets[0], abs=300)


def first_sound(samples: "np.typing.NDArray[np.int16]") -> int:
    return int(np.argmax(np.abs(samples[:, 0].astype(int)) > 3000))


def test_surround_is_mixed_to_stereo_and_its_centre_is_heard_on_both_sides(tmp_path: Path) -> None:
    centre = "aevalsrc='0|0|0.5*sin(2*PI*440*t)|0|0|0':c=5.1:s=48000:d=1.5"
    source = make(tmp_path / "s.flac", "-f", "lavfi", "-i", centre)
    made = render(source, tmp_path / "o")
    check_all(made)
    left, right = clips.samples(made.path("audio")).astype(float).T
    assert np.abs(left).mean() > 500
    assert np.corrcoef(left, right)[0, 1] > 0.99


def test_only_the_track_that_was_planned_is_heard(tmp_path: Path) -> None:
    inputs = [f"sine=f={frequency}:r=48000:d=1.5" for frequency in (300, 3000)]
    source = make(tmp_path / "s.mka", *(word for one in inputs for word in ("-f", "lavfi", "-i", one)), "-map", "0",
                  "-map", "1", "-c:a", "flac")  # fmt: skip
    for track, frequency in ((0, 300), (1, 3000)):
        spec = AudioSpec(name="audio", track_index=track, channels=1, sample_rate=48000, bitrate_bps=64_000)
        folder = tmp_path / str(track)
        task = PlannedTask(name="audio", kind=TaskKind.AUDIO, renditions=(spec,), duration_s=1.5, memory_bytes=1, seconds_max=1)  # fmt: skip
        (made,) = clips.run(source, folder, task)
        spectrum = np.abs(np.fft.rfft(clips.samples(folder / made.path, channels=1)[:48000, 0]))
        assert int(np.argmax(spectrum)) == pytest.approx(frequency, abs=2)


def test_a_gap_in_the_timestamps_becomes_silence(tmp_path: Path) -> None:
    parts = [make(tmp_path / f"{number}.ts", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=1", "-c:a", "mp2",
                  "-output_ts_offset", str(offset)) for number, offset in enumerate((0, 2))]  # fmt: skip
    source = tmp_path / "s.ts"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    made = render(source, tmp_path / "o")
    check_all(made)
    sound = np.abs(clips.samples(made.path("audio"), channels=1)[:, 0].astype(int))
    assert len(sound) / 48000 == pytest.approx(3, abs=0.1)
    assert sound[int(1.2 * 48000) : int(1.8 * 48000)].max() < 50
    assert sound[int(2.2 * 48000) : int(2.8 * 48000)].max() > 2000
    assert float(made["audio"].proof.measures["silence_filled_s"]) == pytest.approx(1, abs=0.1)


def test_a_cover_picture_and_tags_are_left_behind(tmp_path: Path) -> None:
    cover = make(tmp_path / "c.jpg", "-f", "lavfi", "-i", "testsrc2=s=64x64", "-frames:v", "1")
    source = make(tmp_path / "s.mp3", *speechlike(1), "-i", str(cover), "-map", "0", "-map", "1", "-metadata",
                  "artist=secret", "-disposition:v", "attached_pic")  # fmt: skip
    made = render(source, tmp_path / "o")
    check_all(made)
    found = clips.probe(made.path("audio"), "-show_format", "-show_streams")
    assert len(found["streams"]) == 1
    assert "secret" not in json.dumps(found)


def test_the_index_is_in_front_so_that_playing_starts_at_once(tmp_path: Path) -> None:
    source = make(tmp_path / "s.wav", *speechlike(1))
    data = render(source, tmp_path / "o").path("audio").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_sound_of_a_video_is_segmented_beside_its_picture(tmp_path: Path) -> None:
    source = make(tmp_path / "s.mp4", "-f", "lavfi", "-t", "13", "-i", "testsrc2=s=160x120:r=10", *speechlike(13, 48000),
                  *FAST)  # fmt: skip
    made = render(source, tmp_path / "o", "video")
    assert failures(made) == []
    sound = next(one for one in made.renditions.values() if one.role == Role.HLS_AUDIO)
    lines = (made.folder / sound.path).read_text().splitlines()
    lengths = [float(line[8:-1]) for line in lines if line.startswith("#EXTINF")]
    assert sum(lengths) == pytest.approx(13, abs=0.03)
    # Cuts follow the picture's grid and do not drift from it by a fraction of a frame each.
    assert np.cumsum(lengths)[:-1] == pytest.approx([6, 12], abs=1024 / 48000)
