"""What only the making has shown is said where the rest of the plan is."""

from typing import Any

from smmu.domain.manifest import Proof, Rendition
from smmu.domain.plan import Decision, Role
from smmu.domain.plan_learnt import settled

COPIED = Decision(subject="720p", choice="copied", reason="it is right already")
OTHER = Decision(subject="mp4", choice="made", reason="of 720p")


def made(name: str, **measures: Any) -> Rendition:
    return Rendition(name=name, role=Role.HLS, files=(), proof=Proof(checks=(), measures=measures))


def test_a_copy_that_was_made_stays_one() -> None:
    assert settled((COPIED, OTHER), [made("720p", packets_copied=50), made("480p")]) == (COPIED, OTHER)


def test_a_copy_that_could_not_be_is_told_as_what_was_done() -> None:
    found = settled((COPIED, OTHER), [made("720p", encoded_because="a packet of it is cut off")])
    reason = "it was to be copied, but a packet of it is cut off"
    assert found == (OTHER, Decision(subject="720p", choice="encoded", reason=reason))


def test_damage_is_told_once() -> None:
    rungs = [made(name, source_packets_undecodable=39) for name in ("720p", "480p")]
    reason = "39 packets of it could not be decoded: that much is missing"
    assert settled((), rungs) == (Decision(subject="source", choice="damaged", reason=reason),)
