"""Facts in, plan out: what is made of each kind of file, example by example; properties are beside this file."""

from fractions import Fraction
from typing import Any

import pytest

from smmu.domain.facts import Transfer
from smmu.domain.limits import GIB, Limits
from smmu.domain.options import Options
from smmu.domain.plan import (
    AudioSpec,
    ImageSpec,
    LoopSpec,
    Mp4Spec,
    Plan,
    PosterSpec,
    Role,
    RungSpec,
    StoryboardSpec,
    TaskKind,
    Transform,
)
from smmu.domain.planner import plan
from tests.support.planned import STEREO, choices, image, names, planned, sound, specs, video
from tests.support.strategies import LIMITS

# --- pictures


WAVEFORMS = ["waveform", "waveform-dat", "waveform-png"]


def widths(made: Plan) -> list[int]:
    return [spec.width for spec in whole(made) if spec.format == "webp"]


def whole(made: Plan) -> list[ImageSpec]:
    return [spec for spec in specs(made) if isinstance(spec, ImageSpec) and not spec.crop]


def crops(made: Plan) -> dict[str, tuple[int, int]]:
    return {spec.name: (spec.width, spec.height) for spec in specs(made) if isinstance(spec, ImageSpec) and spec.crop}


def test_a_picture_is_made_in_every_width_as_webp_and_jpeg() -> None:
    made = planned(image())
    assert [spec.name for spec in whole(made)] == [
        f"image-{width}-{kind}" for width in (320, 640, 1280, 1920, 2560) for kind in ("webp", "jpeg")
    ]
    assert list(names(made)) == ["images"]
    assert made.task("images").kind is TaskKind.IMAGES
    assert ImageSpec(name="image-320-webp", format="webp", width=320, height=240) in specs(made)
    assert ImageSpec(name="image-2560-jpeg", format="jpeg", width=2560, height=1920) in specs(made)


def test_no_picture_is_enlarged() -> None:
    made = planned(image(width=1000, height=500))
    assert widths(made) == [320, 640, 1000]
    assert choices(made)["image-1280", "skipped"] == "the source is only 1000 wide"
    assert ("image-1000", "made") in choices(made)


def test_a_pictures_own_width_is_left_out_where_one_is_near_it() -> None:
    assert widths(planned(image(width=700, height=700))) == [320, 640]
    assert widths(planned(image(width=8000, height=6000))) == [320, 640, 1280, 1920, 2560]


def test_a_small_picture_is_made_in_its_own_width() -> None:
    assert [spec.name for spec in whole(planned(image(width=100, height=80)))] == ["image-100-webp", "image-100-jpeg"]
    assert names(planned(image(width=1, height=1)))["images"] == ["image-1-webp", "image-1-jpeg"]


def test_a_picture_is_made_upright() -> None:
    made = planned(image(orientation=6))
    assert ImageSpec(name="image-320-webp", format="webp", width=320, height=427) in specs(made)
    assert ("source", "made upright") in choices(made)


def test_no_side_is_larger_than_webp_can_hold() -> None:
    made = planned(image(width=400, height=60_000))
    assert [(spec.width, spec.height) for spec in whole(made)] == [(109, 16_350)] * 2
    assert choices(made)["image-320", "skipped"] == "it would be over 16383 pixels high, which WebP cannot hold"
    thin = specs(planned(image(width=1, height=60_000)))
    assert {(spec.width, spec.height) for spec in thin if isinstance(spec, ImageSpec)} == {(1, 16_383)}


def test_an_animation_stays_one_in_webp_and_is_still_in_jpeg() -> None:
    made = planned(image("image/gif", width=400, height=400, frames=20))
    assert {(spec.format, spec.animated) for spec in whole(made)} == {
        ("webp", True),
        ("jpeg", False),
    }


def test_the_pages_of_a_tiff_are_no_animation() -> None:
    made = planned(image("image/tiff", frames=3))
    assert not any(spec.animated for spec in specs(made) if isinstance(spec, ImageSpec))
    assert ("source", "first picture only") in choices(made)


def test_what_is_lost_of_a_picture_is_said() -> None:
    told = choices(planned(image(has_alpha=True, bit_depth=16, colour="cmyk")))
    assert {
        ("source", "flattened on white in JPEG"),
        ("source", "reduced to 8 bits"),
        ("source", "converted to sRGB"),
    } <= told.keys()


def test_two_crops_are_made_of_what_draws_the_eye() -> None:
    assert crops(planned(image())) == {
        "square-webp": (640, 640),
        "square-jpeg": (640, 640),
        "wide-webp": (1280, 720),
        "wide-jpeg": (1280, 720),
    }
    assert {spec.role for spec in specs(planned(image())) if isinstance(spec, ImageSpec) and spec.crop} == {Role.CROP}
    assert crops(planned(image(width=900, height=200))) == {
        "square-webp": (200, 200),
        "square-jpeg": (200, 200),
        "wide-webp": (355, 200),
        "wide-jpeg": (355, 200),
    }


def test_a_crop_that_would_show_nothing_new_or_nothing_at_all_is_not_made() -> None:
    square, tiny = planned(image(width=700, height=700)), planned(image(width=100, height=60))
    assert set(crops(square)) == {"wide-webp", "wide-jpeg"}
    assert choices(square)["square", "skipped"] == "the source has this shape itself"
    assert crops(tiny) == {}
    assert choices(tiny)["square", "skipped"] == "it would be only 60 × 60"
    assert crops(planned(image(), "preview-only")) == {}


def test_crops_of_an_animation_are_still() -> None:
    made = planned(image("image/gif", width=400, height=300, frames=20))
    assert not any(spec.animated for spec in specs(made) if isinstance(spec, ImageSpec) and spec.crop)


def test_a_large_animation_is_a_muted_loop_too() -> None:
    made = planned(image("image/gif", width=2001, height=1001, frames=20))
    assert specs(made)[-1] == LoopSpec(width=1280, height=640, frames=20)
    assert made.task("loop").kind is TaskKind.LOOP
    assert ("loop", "made") in choices(made)
    small = planned(image("image/gif", width=400, height=400, frames=20))
    assert choices(small)["loop", "skipped"] == "the animation is small enough to stay a picture"
    assert "loop" not in names(planned(image("image/gif", width=2000, height=1000, frames=20), "preview-only"))
    assert "loop" not in names(planned(image("image/tiff", width=2000, height=1000, frames=20)))


def test_avif_is_made_beside_the_others_where_it_is_wished_for() -> None:
    made = plan(image(), Options(image_formats=("webp", "jpeg", "avif")), LIMITS)
    assert {spec.quality for spec in whole(made) if spec.format == "avif"} == {60}
    assert {spec.format for spec in whole(made)} == {"webp", "jpeg", "avif"}
    assert {"square-avif", "wide-avif"} <= set(crops(made))
    assert not any(spec.format == "avif" for spec in whole(planned(image())))


def test_wanted_widths_are_made_instead_of_the_usual() -> None:
    made = plan(image(), Options(image_widths=(100, 5000)), LIMITS)
    assert widths(made) == [100, 4000]


# --- videos


def test_a_video_with_sound_gets_everything() -> None:
    made = planned(video(STEREO))
    ladder = ["1080p", "720p", "480p", "360p", "240p"]
    assert names(made) == {
        "video": [*ladder, "hls-audio", "hls", "dash", "mp4"],
        "poster": ["poster", "storyboard", "preview"],
        "audio": WAVEFORMS,
    }
    assert AudioSpec(
        name="hls-audio",
        role=Role.HLS_AUDIO,
        track_index=1,
        channels=2,
        sample_rate=48_000,
        bitrate_bps=128_000,
        title="Sound",
    ) in specs(made)
    assert Mp4Spec(rung="1080p", audio="hls-audio") in specs(made)
    assert PosterSpec(width=1280, height=720) in specs(made)
    assert choices(made)["1440p", "skipped"] == "the source's short side is 1080"


def test_a_silent_video_owes_no_sound() -> None:
    made = planned(video(width=640, height=360))
    assert names(made) == {
        "video": ["360p", "240p", "hls", "dash", "mp4"],
        "poster": ["poster", "storyboard", "preview"],
    }
    assert Mp4Spec(rung="360p", audio=None) in specs(made)
    assert ("source", "no sound") in choices(made)


def test_the_progressive_file_is_at_most_1080() -> None:
    large = video(width=3840, height=2160)
    assert Mp4Spec(rung="1080p", audio=None) in specs(planned(large))
    made = plan(large, Options(rungs=(1440, 2160)), LIMITS)
    assert names(made)["video"] == ["2160p", "1440p", "hls", "dash"]
    assert choices(made)["mp4", "skipped"] == "none of the rungs asked for has 1080 lines or fewer"


def test_a_picture_that_is_turned_mirrored_and_interlaced_is_put_right() -> None:
    made = planned(video(index=3, rotation_cw=90, reflected=True, interlaced=True, transfer=Transfer.HLG))
    expected = Transform(track_index=3, rotation_cw=90, reflected=True, deinterlace=True, tone_map="hlg")
    assert made.task("video").transform == made.task("poster").transform == expected
    top = next(spec for spec in specs(made) if isinstance(spec, RungSpec))
    assert (top.name, top.width, top.height) == ("1080p", 1080, 1920)
    assert {
        ("source", "rotated 90°"),
        ("source", "mirrored"),
        ("source", "deinterlaced"),
        ("source", "tone-mapped"),
    } <= choices(made).keys()


@pytest.mark.parametrize(("transfer", "tone_map"), [(Transfer.SDR, None), (Transfer.PQ, "pq"), (Transfer.HLG, "hlg")])
def test_light_of_high_range_is_mapped(transfer: Transfer, tone_map: str | None) -> None:
    assert planned(video(transfer=transfer)).task("video").transform.tone_map == tone_map


def test_pixels_that_are_not_square_become_so() -> None:
    made = planned(video(width=720, height=576, sample_aspect=Fraction(64, 45)))
    top = next(spec for spec in specs(made) if isinstance(spec, RungSpec))
    assert (top.name, top.width, top.height) == ("576p", 1024, 576)
    assert ("source", "square pixels, 1024 × 576") in choices(made)


def test_a_rate_that_varies_is_kept_and_a_high_one_is_not() -> None:
    assert ("source", "timestamps kept") in choices(planned(video(variable_frame_rate=True, frame_rate=Fraction(240))))
    assert ("source", "at most 60 frames a second") in choices(planned(video(frame_rate=Fraction(240))))
    top = next(
        spec
        for spec in specs(planned(video(variable_frame_rate=True, frame_rate=Fraction(31))))
        if isinstance(spec, RungSpec)
    )
    assert top.frame_rate_max == 60


def test_one_frame_and_no_duration_make_a_plan() -> None:
    made = planned(video(frames=1, frame_rate=None, duration_s=None))
    assert "hls" in names(made)["video"]
    assert {("source", "one frame"), ("source", "duration measured by render")} <= choices(made).keys()
    assert made.task("video").seconds_max == LIMITS.heavy_task_seconds_max


def test_odd_sides_and_many_bits_are_said() -> None:
    told = choices(planned(video(width=853, height=481, bit_depth=10)))
    assert {("source", "made even"), ("source", "reduced to 8 bits")} <= told.keys()


def test_a_storyboard_has_about_a_hundred_tiles() -> None:
    def interval(seconds: float | None, **changed: Any) -> Fraction:
        found = next(s for s in specs(planned(video(duration_s=seconds, **changed))) if isinstance(s, StoryboardSpec))
        assert max(found.width, found.height) <= 160
        return found.interval

    assert [interval(seconds) for seconds in (5.0, 100.0, 101.0, 7200.0, None)] == [1, 1, 2, 72, 10]
    assert interval(60.0, width=32, height=18) == 1


def test_what_is_over_at_once_gets_its_poster_alone() -> None:
    made = planned(video(duration_s=2.9))
    assert names(made)["poster"] == ["poster"]
    assert {("storyboard", "skipped"), ("preview", "skipped")} <= choices(made).keys()
    assert names(planned(video(duration_s=4.0)))["poster"] == ["poster", "storyboard"]


# --- presets


def test_archive_is_web_with_more_bits() -> None:
    web, archive = planned(video(STEREO)), planned(video(STEREO), "archive")
    assert names(web) == names(archive)
    usual, better = ([spec for spec in specs(made) if isinstance(spec, RungSpec)] for made in (web, archive))
    assert [spec.crf - 2 for spec in usual] == [spec.crf for spec in better]
    assert [spec.bitrate_bps_max * 3 // 2 for spec in usual] == [spec.bitrate_bps_max for spec in better]
    assert choices(archive)["archive", "more bits"] == "asked for: a CRF lower by 2, and caps half as high again"
    assert ("archive", "more bits") not in choices(web)
    assert {spec.quality for spec in specs(planned(image(), "archive")) if isinstance(spec, ImageSpec)} == {90}


def test_preview_only_makes_the_least_that_shows_what_it_is() -> None:
    made = planned(video(STEREO), "preview-only")
    assert names(made) == {"video": ["240p", "hls-audio", "hls", "dash", "mp4"], "poster": ["poster", "preview"]}
    assert choices(made)["1080p", "skipped"] == "the preset preview-only makes the lowest rung alone"
    assert names(planned(image(), "preview-only"))["images"] == [
        "image-320-webp",
        "image-320-jpeg",
        "image-640-webp",
        "image-640-jpeg",
    ]


def test_audio_only_makes_just_the_sound_of_a_video() -> None:
    assert names(planned(video(STEREO), "audio-only")) == {"audio": ["audio", "hls-audio", "hls", "dash", *WAVEFORMS]}


def test_audio_only_of_what_has_no_sound_makes_something_and_says_so() -> None:
    silent, picture = planned(video(), "audio-only"), planned(image(), "audio-only")
    assert names(silent) == {"poster": ["poster"]}
    assert len(names(picture)["images"]) == 4
    assert ("audio-only", "not possible") in choices(silent)
    assert ("audio-only", "not possible") in choices(picture)


# --- bounds


def test_a_1080p_ladder_has_a_gibibyte_and_a_half() -> None:
    assert planned(video(STEREO)).task("video").memory_bytes == LIMITS.child_memory_bytes
    assert 4 * GIB < planned(video(STEREO, width=3840, height=2160)).task("video").memory_bytes < 8 * GIB


def test_time_grows_with_the_work_and_ends() -> None:
    def seconds(**changed: Any) -> int:
        return planned(video(**changed)).task("video").seconds_max

    assert seconds(duration_s=60.0, width=640, height=360) < seconds(duration_s=60.0) < seconds(duration_s=600.0)
    assert seconds(duration_s=86_400.0) == LIMITS.heavy_task_seconds_max


def test_a_file_with_nothing_in_it_has_no_plan() -> None:
    with pytest.raises(ValueError, match="not admissible"):
        planned(sound())


def test_the_bounds_follow_the_limits() -> None:
    tight = Limits(heavy_task_seconds_max=100, child_memory_bytes=3 * GIB)
    task = plan(video(STEREO), Options(), tight).task("video")
    assert (task.seconds_max, task.memory_bytes) == (100, 3 * GIB)
