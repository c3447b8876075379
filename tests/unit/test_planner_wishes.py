"""What an owner asked for, and what the planner makes of it."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from smmu.domain.errors import Code
from smmu.domain.facts import MediaFacts
from smmu.domain.judgement import judge_options
from smmu.domain.options import Options
from smmu.domain.plan import Clip, Mp4Spec
from tests.support.planned import STEREO, choices, image, names, sound, specs, video, wished


def test_the_rungs_asked_for_are_made_alone() -> None:
    made = wished(video(STEREO), rungs=(360, 720))
    assert names(made)["video"] == ["720p", "360p", "hls-audio", "hls", "dash", "mp4"]
    assert choices(made)["720p", "made"] == "asked for"
    assert choices(made)["1080p", "skipped"] == "the rungs asked for are 360, 720"
    assert choices(made)["2160p", "skipped"] == "the source's short side is 1080"


def test_where_no_rung_asked_for_fits_the_highest_there_is_is_made() -> None:
    made = wished(video(width=1240, height=700), rungs=(1080, 2160))
    assert names(made)["video"] == ["700p", "hls", "dash", "mp4"]
    assert "of the rungs asked for (1080, 2160) none fits" in choices(made)["700p", "made"]


def test_a_muted_video_has_no_sound_anywhere() -> None:
    made = wished(video(STEREO), mute=True)
    assert "audio" not in names(made)
    assert Mp4Spec(rung="1080p", audio=None) in specs(made)
    assert choices(made)["mute", "no sound"] == "asked for"


def test_a_clip_is_a_part_of_everything() -> None:
    made = wished(video(STEREO), clip_start_s=10.5, clip_end_s=90.0)
    assert {(task.clip, task.duration_s) for stage in made.stages for task in stage.tasks} == {
        (Clip(start=Fraction("10.5"), end=Fraction(90)), 49.5)
    }
    assert choices(made)["clip", "from 10.5 s until its end"] == "asked for"


def test_what_a_picture_does_not_have_is_not_applied() -> None:
    made = wished(image(), rungs=(240,), codecs=("h264", "av1"), clip_start_s=3.0, mute=True)
    assert {("rungs", "not applied"), ("codecs", "not applied"), ("clip", "not applied"), ("mute", "not applied")} <= (
        choices(made).keys()
    )
    assert made.task("images").clip.is_whole


@pytest.mark.parametrize(
    ("facts", "wishes", "pointer"),
    [
        (video(), {"clip_start_s": 60.0}, "/options/clip_start_s"),
        (sound(STEREO), {"mute": True}, "/options/mute"),
        (video(), {"clip_start_s": 59.9, "mute": True}, None),
        (replace(video(), duration_exact=False), {"clip_start_s": 70.0}, None),
        (image(), {"clip_start_s": 70.0, "mute": True}, None),
    ],
)
def test_a_wish_that_a_file_cannot_grant_is_refused(
    facts: MediaFacts, wishes: dict[str, Any], pointer: str | None
) -> None:
    reasons = judge_options(facts, Options(**wishes))
    assert [(one.code, one.pointer) for one in reasons] == ([(Code.INVALID_OPTIONS, pointer)] if pointer else [])
