"""Traits that only rendering can tell: whether somebody speaks, and whether there is anything to hear."""

import pytest

from smmu.domain.classification import classify
from smmu.domain.facts import AudioTrack, Kind, MediaFacts
from smmu.domain.manifest import Proof, Rendition
from smmu.domain.plan import Role

SONG = MediaFacts(
    kind=Kind.AUDIO,
    container="wav",
    content_type="audio/wav",
    size_bytes=1,
    duration_s=10.0,
    audio=(AudioTrack(index=0, codec="pcm_s16le", channels=1, sample_rate=8_000),),
)


def measured(role: Role, **measures: float) -> Rendition:
    return Rendition(name=role, role=role, files=(), duration_s=10.0, proof=Proof(checks=(), measures=measures))


@pytest.mark.parametrize(
    ("rendition", "trait", "there"),
    [
        (measured(Role.TRANSCRIPT, words=3), "has_speech", True),
        (measured(Role.TRANSCRIPT, words=0), "has_speech", False),
        (measured(Role.WAVEFORM, silence_s=10.0), "silence", True),
        (measured(Role.WAVEFORM, silence_s=9.0), "silence", False),
        (measured(Role.WAVEFORM), "silence", False),
    ],
)
def test_what_was_heard_is_a_trait(rendition: Rendition, trait: str, there: bool) -> None:  # noqa: FBT001 - a row of the table
    assert (trait in classify(SONG, [rendition])["traits"]) is there


def test_without_renditions_nothing_is_said_of_what_is_heard() -> None:
    assert classify(SONG)["traits"] == ["has_audio"]
