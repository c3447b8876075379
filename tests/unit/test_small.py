"""Which tasks need no machine of their own: by the size of the source and the time that is predicted, and what it costs."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.facts import AudioTrack, MediaFacts
from smmu.domain.limits import MIB, Limits
from smmu.domain.machines import FUNCTION_BYTES, WORKER_BYTES, container_for, function_dollars
from smmu.domain.options import Options
from smmu.domain.plan import Plan, PlannedTask, TaskKind
from smmu.domain.planner import plan
from smmu.domain.small import predicted_seconds
from tests.support.planned import STEREO, choices, image, sound, video
from tests.support.strategies import LIMITS, WISHES

SMALL = Limits(small_seconds_max=15)
PHOTO = replace(image(), size_bytes=4 * MIB)
_NONE, _ITS_OWN = "needs no machine of its own", "has a machine of its own"


def made(facts: MediaFacts, limits: Limits = SMALL, **wishes: Any) -> Plan:
    return plan(facts, Options(**wishes), limits)


def tasks(known: Plan) -> list[PlannedTask]:
    return [task for stage in known.stages for task in stage.tasks]


def small(known: Plan) -> set[str]:
    return {task.name for task in tasks(known) if task.small}


@given(WISHES)
def test_nothing_is_small_unless_a_deployment_says_so(wish: tuple[MediaFacts, Options]) -> None:
    assert small(plan(*wish, LIMITS)) == set()


@given(WISHES, st.integers(1, 600))
def test_a_mark_changes_nothing_else_and_is_put_on_what_is_bounded(
    wish: tuple[MediaFacts, Options], seconds: int
) -> None:
    limits = replace(LIMITS, small_seconds_max=seconds)
    plain, marked = plan(*wish, LIMITS), plan(*wish, limits)
    assert [replace(task, small=False) for task in tasks(marked)] == tasks(plain)
    assert marked.decisions[: len(plain.decisions)] == plain.decisions
    for task in tasks(marked):
        predicted = predicted_seconds(task, wish[0])
        if task.small:
            assert predicted is not None
            assert 0 < predicted <= seconds
            assert wish[0].size_bytes <= limits.small_bytes_max
            assert (task.cores, task.memory_bytes + WORKER_BYTES <= FUNCTION_BYTES) == (1, True)


@given(WISHES, st.integers(1, 300), st.integers(1, 300))
def test_what_is_small_for_less_is_small_for_more(wish: tuple[MediaFacts, Options], one: int, other: int) -> None:
    less, more = (small(plan(*wish, replace(LIMITS, small_seconds_max=limit))) for limit in sorted((one, other)))
    assert less <= more


def test_a_photo_is_small_and_the_plan_says_what_it_costs() -> None:
    known = made(PHOTO)
    assert small(known) == {"images"}
    (task,) = tasks(known)
    seconds = predicted_seconds(task, PHOTO) or 0.0
    assert 2 < seconds < 6
    reason = choices(known)["images", _NONE]
    assert f"about {seconds:.1f} s are predicted" in reason
    assert f"${function_dollars(seconds):.6f} on Lambda" in reason
    assert "$0.000823 on ECS" in reason  # a minute of 1 vCPU and 2 GB, as docs/cost.md has it


@pytest.mark.parametrize(
    ("facts", "name", "why"),
    [
        (replace(PHOTO, size_bytes=33 * MIB), "images", "a source of over 32 MiB is not small"),
        (sound(STEREO, duration_s=600.0), "audio", "more than 15 s is not small"),
        (image(width=20_000, height=12_000), "images", "more memory or time than a function has"),
    ],
)
def test_what_is_not_small_has_its_reason(facts: MediaFacts, name: str, why: str) -> None:
    limits = replace(SMALL, small_seconds_max=60) if name == "images" else SMALL
    known = made(facts, limits)
    assert small(known) == set()
    assert why in choices(known)[name, _ITS_OWN]


def test_a_short_sound_is_small_and_one_of_unknown_length_is_not() -> None:
    assert small(made(sound(STEREO, duration_s=60.0))) == {"audio"}
    assert small(made(sound(STEREO, duration_s=None))) == set()


def test_more_to_make_takes_longer() -> None:
    seconds = [
        predicted_seconds(tasks(made(PHOTO, image_formats=formats))[0], PHOTO) or 0.0
        for formats in (("webp", "jpeg"), ("webp", "jpeg", "avif"))
    ]
    assert seconds[0] < seconds[1]
    both = [sound(STEREO, duration_s=60.0), sound(STEREO, duration_s=60.0, cover=PHOTO.image, has_cover_art=True)]
    plain, covered = (predicted_seconds(tasks(made(facts))[0], facts) or 0.0 for facts in both)
    assert plain < covered


def test_a_film_has_machines_of_its_own_but_for_its_sound() -> None:
    track = AudioTrack(index=1, codec="aac", channels=2, sample_rate=48_000)
    known = made(replace(video(track, duration_s=10.0), size_bytes=MIB))
    assert {task.kind for task in tasks(known) if task.small} <= {TaskKind.AUDIO}
    assert predicted_seconds(known.task("video"), PHOTO) is None


@given(st.integers(0, 60))
def test_a_container_has_a_minutes_price_at_least(seconds: int) -> None:
    size = container_for(1, 1_536 * MIB)
    assert (size.cores, size.gib) == (1, 2)
    assert size.dollars(seconds) == size.dollars(60) < size.dollars(61)
