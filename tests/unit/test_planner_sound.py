"""What is made of a sound file: which track, as which files, as a stream, and what goes with it."""

from dataclasses import replace
from typing import Any

import pytest

from smmu.domain.facts import ImageFacts, MediaFacts
from smmu.domain.options import Options
from smmu.domain.plan import AudioSpec, ImageSpec, Role, WaveformSpec
from smmu.domain.planner import plan
from tests.support.clips import LIMITS
from tests.support.planned import STEREO, choices, image, names, planned, sound, specs, video

SOUND = ["audio", "hls-audio", "hls", "dash", "waveform", "waveform-dat", "waveform-png"]


def test_sound_is_made_whole_with_its_waveform() -> None:
    made = planned(sound(STEREO))
    assert names(made) == {"audio": SOUND}
    assert WaveformSpec(track_index=1) in specs(made)
    assert made.task("audio").duration_s == 60.0


@pytest.mark.parametrize(
    ("channels", "sample_rate", "expected"),
    [
        (1, 44_100, (1, 44_100, 64_000)),
        (2, 48_000, (2, 48_000, 128_000)),
        (6, 48_000, (2, 48_000, 128_000)),
        (2, 22_050, (2, 44_100, 128_000)),
        (2, 88_200, (2, 44_100, 128_000)),
        (1, 8_000, (1, 48_000, 64_000)),
        (2, 96_000, (2, 48_000, 128_000)),
    ],
)
def test_sound_is_mono_or_stereo_at_44_1_or_48_khz(
    channels: int, sample_rate: int, expected: tuple[int, int, int]
) -> None:
    track = replace(STEREO, channels=channels, sample_rate=sample_rate)
    spec = next(spec for spec in specs(planned(sound(track))) if isinstance(spec, AudioSpec))
    assert (spec.channels, spec.sample_rate, spec.bitrate_bps) == expected
    told = choices(planned(sound(track))).keys()
    assert (("track 1", "mixed to stereo") in told) == (channels > 2)
    assert (("track 1", f"resampled to {expected[1]} Hz") in told) == (sample_rate != expected[1])


def test_opus_and_mp3_are_made_beside_aac_where_they_are_wished_for() -> None:
    made = plan(sound(replace(STEREO, sample_rate=44_100)), Options(audio_formats=("aac", "opus", "mp3")), LIMITS)
    assert names(made) == {"audio": ["audio", "audio-opus", "audio-mp3", *SOUND[1:]]}
    files = [spec for spec in specs(made) if isinstance(spec, AudioSpec) and spec.role is Role.AUDIO]
    assert [(spec.codec, spec.sample_rate, spec.bitrate_bps) for spec in files] == [
        ("aac", 44_100, 128_000),
        ("opus", 48_000, 96_000),
        ("mp3", 44_100, 192_000),
    ]
    assert {("opus", "made beside AAC"), ("mp3", "made beside AAC")} <= choices(made).keys()


def test_the_stream_and_the_file_of_aac_are_of_one_encoding() -> None:
    file, stream = (spec for spec in specs(planned(sound(STEREO))) if isinstance(spec, AudioSpec))
    assert replace(stream, name=file.name, role=file.role) == file


@pytest.mark.parametrize("facts", [image(), video(STEREO)])
def test_audio_formats_of_what_is_no_sound_file_are_told_not_to_be_applied(facts: MediaFacts) -> None:
    made = plan(facts, Options(audio_formats=("aac", "mp3")), LIMITS)
    assert ("audio_formats", "not applied") in choices(made)
    assert not any(name.endswith("mp3") for task in names(made).values() for name in task)


@pytest.mark.parametrize(
    ("tracks", "main"),
    [
        ([{}, {"default": True}], 11),
        ([{}, {}], 10),
        ([{"channels": 0, "default": True}, {}], 11),
        ([{"default": True}, {"default": True}], 10),
    ],
)
def test_the_main_sound_is_the_default_or_the_first_that_plays(tracks: list[dict[str, Any]], main: int) -> None:
    made = planned(sound(*(replace(STEREO, index=10 + at, **changed) for at, changed in enumerate(tracks))))
    assert {spec.track_index for spec in specs(made) if isinstance(spec, (AudioSpec, WaveformSpec))} == {main}
    assert (f"track {21 - main}", "skipped") in choices(made)


def test_cover_art_is_made_as_pictures_that_are_never_enlarged() -> None:
    made = planned(sound(STEREO, has_cover_art=True, cover=ImageFacts(width=700, height=600)))
    covers = [f"cover-{width}-{kind}" for width in (320, 640) for kind in ("webp", "jpeg")]
    assert names(made) == {"audio": [*SOUND, *covers]}
    pictures = [spec for spec in specs(made) if isinstance(spec, ImageSpec)]
    assert {spec.role for spec in pictures} == {Role.COVER}
    assert {(spec.width, spec.height) for spec in pictures} == {(320, 274), (640, 549)}
    assert not any(spec.crop or spec.animated for spec in pictures)
    reason = "the sound carries a picture of 700 × 600, which is no video"
    assert choices(made)["cover art", "made as pictures"] == reason


def test_cover_art_that_is_no_picture_is_left_out() -> None:
    made = planned(sound(STEREO, has_cover_art=True))
    assert names(made) == {"audio": SOUND}
    assert choices(made)["cover art", "skipped"] == "what is attached to the sound cannot be decoded as a picture"


def test_a_large_cover_has_the_memory_that_it_needs() -> None:
    cover = ImageFacts(width=12_000, height=12_000)
    large = planned(sound(STEREO, has_cover_art=True, cover=cover)).task("audio").memory_bytes
    assert large > planned(sound(STEREO)).task("audio").memory_bytes


def test_preview_only_makes_a_sound_as_one_file() -> None:
    made = planned(sound(STEREO), "preview-only")
    assert names(made) == {"audio": ["audio", "waveform"]}
    assert ("hls", "skipped") in choices(made)
