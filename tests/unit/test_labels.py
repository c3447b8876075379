"""What is kept of a classifier's answer, and which picture it is shown."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.labels import (
    CONFIDENCE_MIN,
    LABELS_MAX,
    PICTURE_BYTES_MAX,
    Label,
    Sight,
    seen,
    seen_before,
    shown,
)
from smmu.domain.manifest import Proof, RenderedFile, Rendition

MODELS = {"labels": "seer 3", "moderation": "seer 7"}
labels = st.builds(Label, name=st.sampled_from(("Sea", "Sky", "Hand")), confidence=st.floats(0, 1))


def a_picture(name: str, width: int, role: str = "image", **more: Any) -> Rendition:
    size, content_type = more.get("size", 1_000), more.get("content_type", "image/jpeg")
    file = RenderedFile(path=f"{name}.jpg", size=size, sha256="0" * 64, content_type=content_type)
    height = more.get("height", max(1, width * 2 // 3))
    proof = Proof(checks=(), measures={})
    return Rendition(name=name, role=role, files=(file,), width=width, height=height, proof=proof)


def chosen(*pictures: Rendition) -> str | None:
    found = shown(pictures)
    return found[0].name if found else None


def test_the_widest_that_is_of_use_is_shown() -> None:
    pictures = [a_picture(f"image-{width}", width) for width in (2560, 320, 1280, 640)]
    assert chosen(*pictures) == "image-1280"
    assert chosen(a_picture("large", 2560), a_picture("larger", 4000)) == "large"


def test_the_whole_picture_is_shown_before_a_films_poster_and_a_sounds_cover() -> None:
    cover, poster, image = a_picture("c", 1000, "cover"), a_picture("p", 640, "poster"), a_picture("i", 320)
    assert chosen(cover, poster, image) == "i"
    assert chosen(cover, poster) == "p"
    assert chosen(cover) == "c"


@pytest.mark.parametrize(
    "picture",
    [
        a_picture("crop", 640, "crop"),
        a_picture("webp", 640, content_type="image/webp"),
        a_picture("heavy", 640, size=PICTURE_BYTES_MAX + 1),
        a_picture("thin", 640, height=79),
        a_picture("board", 640, "storyboard"),
    ],
)
def test_what_shows_less_or_could_not_be_taken_is_not(picture: Rendition) -> None:
    assert chosen(picture) is None


@given(st.lists(labels, max_size=80).map(tuple), st.lists(labels, max_size=3).map(tuple))
def test_what_is_likely_is_kept_the_surest_first_and_not_without_end(
    found: tuple[Label, ...], refused: tuple[Label, ...]
) -> None:
    kept = seen(Sight(labels=found, moderation=refused, models=MODELS), a_picture("poster", 640))
    for name, given_labels in (("labels", found), ("moderation", refused)):
        told = [one["confidence"] for one in kept[name]]
        likely = sum(one.confidence >= CONFIDENCE_MIN for one in given_labels)
        assert len(told) == min(likely, LABELS_MAX)
        assert told == sorted(told, reverse=True)
        assert all(one >= CONFIDENCE_MIN for one in told)
    assert kept["classifier"] == {"picture": "poster", **MODELS}


def test_what_was_seen_is_found_again_among_all_else() -> None:
    kept = seen(Sight(labels=(), moderation=(), models=MODELS), a_picture("poster", 640))
    assert seen_before({"kind": "video", "traits": [], **kept}) == kept
    assert seen_before({"kind": "video", "traits": []}) == {}


def test_what_nobody_has_looked_for_is_left_out_and_not_said_to_be_empty() -> None:
    poster = a_picture("poster", 640)
    assert seen(Sight(labels=()), poster) == {"labels": [], "classifier": {"picture": "poster"}}
    assert seen(Sight(moderation=()), poster) == {"moderation": [], "classifier": {"picture": "poster"}}


@pytest.mark.parametrize(
    ("name", "confidence"),
    [("", 1), (" ", 1), ("two\nlines", 1), ("x" * 101, 1), ("Sea", -0.1), ("Sea", 1.1), ("Sea", float("nan"))],
)
def test_what_could_not_be_shown_is_no_label(name: str, confidence: float) -> None:
    with pytest.raises(ValueError, match="label"):
        Label(name=name, confidence=confidence)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"labels": None, "moderation": None, "models": MODELS},
        {"labels": ["Sea"]},
        {"labels": ("Sea",)},
        {"moderation": [Label(name="Sea", confidence=1.0)]},
        {"labels": (), "models": None},
        {"labels": (), "models": {"labels": object()}},
        {"labels": (), "models": {"labels": "x" * 101}},
        {"labels": (), "models": {"moderation": "two\nlines"}},
        {"labels": (), "models": {"picture": "poster"}},
        {"labels": (), "models": {str(number): "seer" for number in range(1_000)}},
    ],
)
def test_what_could_not_be_kept_is_no_sight(given: Any) -> None:
    with pytest.raises(ValueError, match="sight"):
        Sight(**given)


@pytest.mark.parametrize("confidence", [Decimal("0.75"), Fraction(3, 4), 1])
def test_any_number_that_a_classifier_counts_in_can_be_written_down(confidence: Any) -> None:
    kept = seen(Sight(labels=(Label(name="Sea", confidence=confidence),)), a_picture("poster", 640))
    assert json.loads(json.dumps(kept)) == kept
