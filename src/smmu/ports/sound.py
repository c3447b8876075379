"""`Sound`: what a recogniser listens to: plain samples, made by the isolated decoder, and where in them a voice is."""

from collections.abc import Mapping
from dataclasses import dataclass

from smmu.domain.transcript import Span
from smmu.ports.objects import Source

SAMPLE_RATE = 16_000  # samples a second, which is what every engine was trained on
SAMPLE_BYTES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """`samples` are mono, 16-bit, little-endian and without a header, from the file's common zero on.

    `voiced` are the stretches in which somebody may speak, in order and apart, none longer than 20 s. `measures` are
    worth keeping in a proof.
    """

    samples: Source
    seconds: float
    voiced: tuple[Span, ...]
    measures: Mapping[str, float | int | str]
