"""The rungs of a video: which sizes are made of a source of this size, and how many bits each may take.

A rung is named by its *short* side, so that a portrait phone video gets what a landscape one does. The standard
rungs up to the source's own short side are made; when the source is none of them its own size is the top rung,
unless the next lower one is within 15 %, which then is the top. Nothing is ever enlarged. Above 2160 the ladder
ends, and where a rung's picture, or its pictures a second, are more than H.264's level 5.2 has: players take no more.
Sources: Apple HLS Authoring Specification (30 frames a second up to 432 lines, never over 60, level 5.2), ITU-T H.264
(table A-1), design notes on capped CRF.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Literal

from smmu.domain.plan import Decision, RungSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One standard rung: the short side in pixels, the cap in bits per second, the constant quality."""

    short: int
    bitrate_bps_max: int
    crf: int


STEPS: Final = (
    Step(short=240, bitrate_bps_max=400_000, crf=23),
    Step(short=360, bitrate_bps_max=800_000, crf=23),
    Step(short=480, bitrate_bps_max=1_400_000, crf=23),
    Step(short=720, bitrate_bps_max=3_000_000, crf=22),
    Step(short=1080, bitrate_bps_max=6_000_000, crf=22),
    Step(short=1440, bitrate_bps_max=9_000_000, crf=21),
    Step(short=2160, bitrate_bps_max=16_000_000, crf=21),
)
NEAR: Final = Fraction(85, 100)  # a rung this close under the source makes a rung of the source's own size idle
SLOW_SHORT_MAX: Final = 432
RATE_MAX, RATE_MAX_SLOW = Fraction(60), Fraction(30)
_EVEN_DIVISION_MIN = Fraction(3, 4)
_BITRATE_BPS_MIN = 100_000
MODERN_SHORT_MIN: Final = 64  # x265 takes no picture that is smaller than one of its blocks
# How far up the scale of constant quality the same picture is, and its share of bits (x265 veryfast, SVT-AV1 preset 8).
_MODERN: Final[dict[Literal["hevc", "av1"], tuple[int, Fraction]]] = {
    "hevc": (4, Fraction(65, 100)),
    "av1": (12, Fraction(55, 100)),
}
_BLOCK: Final = 16  # H.264 counts macroblocks: of a picture, and of a second
BLOCKS_MAX, BLOCKS_PER_SECOND_MAX = 36_864, 2_073_600  # of level 5.2
BETTER_CRF_LESS: Final = 2
BETTER_BITS: Final = Fraction(3, 2)  # two steps of CRF take a quarter more, and what is at its cap gets half more
_SIDE_MIN = 2  # the smallest picture that 4:2:0 has


def shorts(size: tuple[int, int], rate: Fraction | None, wanted: Sequence[int] = ()) -> tuple[int, ...]:
    """The short sides of the rungs, in pixels, largest first, for a source of this size and rate (as for `rungs`).

    Of those, the `wanted`; all when none is named, and the top alone when none of the named is there.
    """
    there = _shorts(size, rate)
    return tuple(short for short in there if short in wanted) or (there[:1] if wanted else there)


def _shorts(size: tuple[int, int], rate: Fraction | None) -> tuple[int, ...]:
    by_size = _by_size(min(size))
    slowest = RATE_MAX if rate is None else min(rate, RATE_MAX)
    return tuple(short for short in by_size if _fastest(size, short) >= slowest) or by_size[-1:]


def _fastest(size: tuple[int, int], short: int) -> Fraction:
    """How many pictures a second level 5.2 has for a rung; none where its picture alone is too large."""
    width, height = fitted(size, short)
    blocks = math.ceil(width / _BLOCK) * math.ceil(height / _BLOCK)
    return Fraction(BLOCKS_PER_SECOND_MAX, blocks) if blocks <= BLOCKS_MAX else Fraction(0)


def _by_size(source_short: int) -> tuple[int, ...]:
    standard = [step.short for step in STEPS if step.short <= source_short]
    highest = standard[-1] if standard else 0
    if source_short <= STEPS[-1].short and highest < source_short * NEAR:
        standard.append(_even(source_short))
    return tuple(reversed(standard))


def rungs(size: tuple[int, int], rate: Fraction | None, *, wanted: Sequence[int] = ()) -> tuple[RungSpec, ...]:
    """The ladder for an upright source of `size` pixels and `rate` frames a second (`None`: it varies), top first.

    `wanted` is as in `shorts`.
    """
    made = shorts(size, rate, wanted)
    fastest = min(RATE_MAX, *(_fastest(size, short) for short in made))
    return tuple(_rung(size, short, rate, fastest) for short in made)


def better(spec: RungSpec) -> RungSpec:
    """The same rung with more bits, for the preset `archive`: more quality, and a cap that leaves room for it."""
    return replace(spec, crf=spec.crf - BETTER_CRF_LESS, bitrate_bps_max=int(spec.bitrate_bps_max * BETTER_BITS))


def also(spec: RungSpec, codec: Literal["hevc", "av1"]) -> RungSpec:
    """The same rung in a codec that needs fewer bits: its own scale of quality, and a lower cap."""
    crf_more, share = _MODERN[codec]
    bitrate = max(_BITRATE_BPS_MIN, int(spec.bitrate_bps_max * share))
    return replace(spec, name=f"{spec.name}-{codec}", codec=codec, crf=spec.crf + crf_more, bitrate_bps_max=bitrate)


def decisions(size: tuple[int, int], rate: Fraction | None, wanted: Sequence[int] = ()) -> Iterator[Decision]:
    """Why each standard rung is made or skipped, and why the source's own size is or is not one, top first."""
    made, asked = shorts(size, rate, wanted), ", ".join(map(str, wanted))
    for one in _possible(size, rate):
        if not wanted or one.choice != "made":
            yield one
        elif int(one.subject.removesuffix("p")) not in made:
            yield replace(one, choice="skipped", reason=f"the rungs asked for are {asked}")
        elif made[0] in wanted:
            yield replace(one, reason="asked for")
        else:
            yield replace(one, reason=f"the highest there is: of the rungs asked for ({asked}) none fits the source")


def _possible(size: tuple[int, int], rate: Fraction | None) -> Iterator[Decision]:
    there = _shorts(size, rate)
    for one in _that_fit(min(size)):
        short = int(one.subject.removesuffix("p"))
        is_beyond = one.choice == "made" and short not in there
        yield replace(one, choice="skipped", reason=_beyond(size, rate, short)) if is_beyond else one


def _that_fit(source: int) -> Iterator[Decision]:
    top = _by_size(source)[0]
    for step in reversed(STEPS):
        if step.short > source:
            yield _decision(step.short, "skipped", f"the source's short side is {source}")
        else:
            yield _decision(step.short, "made", f"a standard rung within the source's {source}")
    if top not in {step.short for step in STEPS}:
        yield _decision(top, "made", f"the source's own size, as {source} is no standard rung")
    elif top < source:
        why = f"{top}p is within 15 % of it" if source * NEAR <= top else "the ladder ends below it"
        yield _decision(source, "skipped", f"the source's own size: {why}")


def _beyond(size: tuple[int, int], rate: Fraction | None, short: int) -> str:
    width, height = fitted(size, short)
    fast = f" at {float(min(rate or RATE_MAX, RATE_MAX)):.3g} pictures a second" if _fastest(size, short) else ""
    return f"{width} × {height}{fast} is more than level 5.2 of H.264 has"


def fitted(size: tuple[int, int], short: int) -> tuple[int, int]:
    """`size` made smaller until its short side is `short`: both sides even, the aspect kept within one pixel."""
    ratio = min(Fraction(1), Fraction(short, min(size)))
    return (_scaled(size[0], ratio), _scaled(size[1], ratio))


def _decision(short: int, choice: str, reason: str) -> Decision:
    return Decision(subject=f"{short}p", choice=choice, reason=reason)


def _rung(size: tuple[int, int], short: int, rate: Fraction | None, fastest: Fraction) -> RungSpec:
    width, height = fitted(size, short)
    return RungSpec(
        name=f"{short}p",
        width=width,
        height=height,
        frame_rate_max=_rate_max(short, rate, fastest),
        crf=_at_or_below(short).crf,
        bitrate_bps_max=_bitrate(max(short, math.isqrt(width * height * 9 // 16))),
    )


def _rate_max(short: int, rate: Fraction | None, fastest: Fraction) -> Fraction:
    """The cap, or the source's rate divided whole: 59.94 plays smoother at 29.97 than at 30."""
    cap = RATE_MAX_SLOW if short <= SLOW_SHORT_MAX else fastest
    if rate is None or rate <= cap:
        return cap
    divided = rate / -(-rate // cap)
    return divided if divided >= cap * _EVEN_DIVISION_MIN else cap


def _bitrate(short: int) -> int:
    """The table's cap; between its rows in proportion to the pixels, so that the ladder stays monotone.

    `short` of a picture that is wider than 16:9 is that of one of 16:9 with as many pixels.
    """
    lower, upper = _at_or_below(short), _at_or_above(short)
    if short < lower.short:
        return max(_BITRATE_BPS_MIN, lower.bitrate_bps_max * short**2 // lower.short**2)
    if lower is upper:
        return lower.bitrate_bps_max
    share = Fraction(short**2 - lower.short**2, upper.short**2 - lower.short**2)
    return lower.bitrate_bps_max + int(share * (upper.bitrate_bps_max - lower.bitrate_bps_max))


def _at_or_below(short: int) -> Step:
    return next((step for step in reversed(STEPS) if step.short <= short), STEPS[0])


def _at_or_above(short: int) -> Step:
    return next((step for step in STEPS if step.short >= short), STEPS[-1])


def _scaled(side: int, ratio: Fraction) -> int:
    """The nearest even number, but never over the source."""
    return max(_SIDE_MIN, min(round(side * ratio / 2) * 2, side // 2 * 2))


def _even(side: int) -> int:
    return max(_SIDE_MIN, side // 2 * 2)
