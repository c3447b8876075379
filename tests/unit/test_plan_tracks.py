"""Which sounds and texts of a film may be chosen from, what they are called, and why others may not."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain import plan_tracks
from smmu.domain.facts import Purpose, SubtitleTrack
from smmu.domain.languages import code_of, name_of, tag_of
from smmu.domain.options import Options
from smmu.domain.plan import AudioSpec, Mp4Spec, SubtitlesSpec
from tests.support.planned import STEREO, choices, planned, specs, video, wished
from tests.support.strategies import FACTS, OPTIONS


def track(index: int, language: str = "", **changed: Any) -> Any:
    return replace(STEREO, index=index, language=language, **changed)


def sounds(made: Any) -> list[AudioSpec]:
    return [spec for spec in specs(made) if isinstance(spec, AudioSpec)]


def test_every_language_is_a_sound_of_its_own_and_the_main_one_is_first() -> None:
    made = planned(video(track(1, "en"), track(2, "de", default=True), track(3, "fr")))
    assert [(spec.name, spec.language, spec.title) for spec in sounds(made)] == [
        ("hls-audio", "de", "German"),
        ("hls-audio-1", "en", "English"),
        ("hls-audio-3", "fr", "French"),
    ]
    assert choices(made)["track 1", "made as another sound"] == "it says that it is in English"
    assert next(spec for spec in specs(made) if isinstance(spec, Mp4Spec)).audio == "hls-audio"


def test_six_channels_are_there_in_stereo_and_in_5_1() -> None:
    made = planned(video(track(1, "en", channels=8), track(2, "de")))
    assert [(spec.name, spec.channels, spec.bitrate_bps) for spec in sounds(made)] == [
        ("hls-audio", 2, 128_000),
        ("hls-audio-surround", 6, 256_000),
        ("hls-audio-2", 2, 128_000),
    ]
    assert {("track 1", "mixed to stereo"), ("track 1", "kept in 5.1 too")} <= choices(made).keys()
    # Groups pair by what a menu calls them.
    assert [spec.title for spec in sounds(made)] == ["English", "English", "German"]


@pytest.mark.parametrize(
    ("other", "wishes", "reason"),
    [
        (track(2), {}, "it does not say which language it is in, so nobody could choose it"),
        (track(2, "en"), {}, "track 1 is in the same language, for the same purpose"),
        (track(2, "de", channels=0), {}, "it states no channels or no sample rate"),
        (track(2, "de", duration_s=4.0), {"clip_start_s": 5.0}, "it ends before the clip begins"),
        (track(2, "de"), {"preset": "preview-only"}, "the preset preview-only makes the main sound alone"),
    ],
)
def test_a_sound_that_is_left_out_has_its_reason(other: Any, wishes: dict[str, Any], reason: str) -> None:
    made = wished(video(track(1, "en", default=True), other), **wishes)
    assert [spec.name for spec in sounds(made)] == ["hls-audio"]
    assert choices(made)["track 2", "skipped"] == reason


def test_a_commentary_in_the_same_language_is_another_sound() -> None:
    made = planned(video(track(1, "en"), track(2, "en", purpose=Purpose.COMMENTARY), track(3, "en", title="Director")))
    assert [spec.title for spec in sounds(made)] == ["English", "English, commentary", "Director"]


def test_of_many_sounds_the_first_are_made() -> None:
    languages = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs")
    made = planned(video(*(track(at, language) for at, language in enumerate(languages, 1))))
    assert len(sounds(made)) == plan_tracks.SOUNDS_MAX
    assert choices(made)["track 9", "skipped"] == "8 sounds are made at most"


def test_text_is_carried_over_and_pictures_of_text_are_not() -> None:
    tracks = (SubtitleTrack(index=5, codec="subrip", language="de"), SubtitleTrack(index=6, codec="dvd_subtitle"))
    facts = replace(video(), subtitles=tracks)
    made = planned(facts)
    assert SubtitlesSpec(name="subtitles-5", track_index=5, language="de", title="German") in specs(made)
    assert choices(made)["track 5", "carried over as WebVTT"] == "it is text (subrip)"
    assert choices(made)["track 6", "skipped"] == "dvd_subtitle is no text that could be shown as WebVTT"
    assert choices(planned(facts, "preview-only"))["track 5", "skipped"] == "the preset preview-only makes no subtitles"


@given(FACTS, OPTIONS)
def test_no_two_sounds_or_texts_are_called_alike(facts: Any, options: Options) -> None:
    made, _ = plan_tracks.sounds(facts, options)
    for wide in (False, True):
        titles = [spec.title for spec in made if (spec.channels > 2) is wide]
        assert len(set(titles)) == len(titles)
    assert len({spec.name for spec in made}) == len(made) <= 2 * plan_tracks.SOUNDS_MAX
    assert bool(made) == (not options.mute and any(track.playable for track in facts.audio))


@given(st.lists(st.sampled_from(["A", "A 2", "A 3", "B"])))
def test_titles_become_unique_and_the_first_keeps_its_own(titles: list[str]) -> None:
    found = plan_tracks.unique(titles)
    assert len(set(found)) == len(titles)
    assert all(ours.startswith(its) for ours, its in zip(found, titles, strict=True))
    assert found[:1] == titles[:1]


@pytest.mark.parametrize(
    ("code", "tag", "name"),
    [
        ("ger", "de", "German"),
        ("deu", "de", "German"),
        ("de", "de", "German"),
        ("por-BR", "pt-br", "Portuguese (br)"),
        ("gsw", "gsw", "gsw"),
        ("", "", ""),
    ],
)
def test_a_language_has_the_shortest_tag_and_a_name(code: str, tag: str, name: str) -> None:
    assert (tag_of(code), name_of(tag_of(code))) == (tag, name)


@pytest.mark.parametrize(
    ("tag", "code"),
    [("de", "deu"), ("pt-br", "por"), ("zh-Hant", "zho"), ("gsw", "gsw"), ("", "und"), ("xx", "und"), ("mañ", "und")],
)
def test_a_container_has_three_letters_for_a_language(tag: str, code: str) -> None:
    assert code_of(tag) == code
