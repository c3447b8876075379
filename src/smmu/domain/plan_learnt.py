"""What only the making has shown, as decisions of the plan: damage of the source, and copies that could not be."""

from collections.abc import Iterable, Iterator, Sequence

from smmu.domain.manifest import Rendition
from smmu.domain.plan import Decision


def settled(decisions: Iterable[Decision], renditions: Sequence[Rendition]) -> tuple[Decision, ...]:
    """The decisions as they came out. The proofs of renditions tell what became of them."""
    encoded = dict(_encoded(renditions))
    kept = (one for one in decisions if not (one.choice == "copied" and one.subject in encoded))
    after_all = (
        Decision(subject=name, choice="encoded", reason=f"it was to be copied, but {why}")
        for name, why in encoded.items()
    )
    return (*kept, *after_all, *_damage(renditions))


def _encoded(renditions: Iterable[Rendition]) -> Iterator[tuple[str, str]]:
    for made in renditions:
        if why := made.proof.measures.get("encoded_because"):
            yield made.name, str(why)


def _damage(renditions: Iterable[Rendition]) -> Iterator[Decision]:
    """Every rung of a film has met the same damage, so it is told once."""
    lost = max((int(made.proof.measures.get("source_packets_undecodable", 0)) for made in renditions), default=0)
    if lost:
        packets = "a packet of it" if lost == 1 else f"{lost} packets of it"
        yield Decision(
            subject="source", choice="damaged", reason=f"{packets} could not be decoded: that much is missing"
        )
