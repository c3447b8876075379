"""How a file is cut into parts: exact arithmetic, from one byte to 48.8 TiB, and nothing but arithmetic.

Parts are numbered from 1. All but the last have the same size, a multiple of 1 MiB, never under the preferred
one and never so small that more than 10,000 are needed. Nothing here knows what a part holds or where it goes.
Source of the bounds: S3 user guide, "Multipart upload limits".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from smmu.domain.errors import Code, Reason
from smmu.domain.limits import MIB, OBJECT_BYTES_MAX, PART_COUNT_MAX, Limits
from smmu.domain.quick import quick


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class PartLayout:
    """The cut of one file. Sizes in bytes; `size` and `part_count` are `None` when the client does not know.

    `single` is one PUT of the whole file: one part of `part_size` = `size`. `number_max` bounds the part numbers
    that may be signed; with a known size it is `part_count`.
    """

    method: Literal["single", "multipart"]
    size: int | None
    part_size: int
    part_count: int | None
    number_max: int

    def offset_of(self, number: int) -> int:
        """The place in the file of the first byte of part `number`. `ValueError` when there is no such part."""
        if not 1 <= number <= self.number_max:
            msg = f"there is no part {number}: parts are numbered from 1 to {self.number_max}"
            raise ValueError(msg)
        return (number - 1) * self.part_size

    def size_of(self, number: int) -> int | None:
        """The exact size of part `number`; `None`: up to `part_size`, as only the client will know the last one."""
        offset = self.offset_of(number)
        return None if self.size is None else min(self.part_size, self.size - offset)


def layout(size: int | None, limits: Limits) -> PartLayout:
    """The cut of a file of `size` bytes. `ValueError` for what cannot be stored: admission has refused it."""
    if size is None:
        return _many(limits.unknown_size_bytes, limits, known=False)
    if not 1 <= size <= OBJECT_BYTES_MAX:
        msg = f"{size} bytes cannot be one object"
        raise ValueError(msg)
    if size <= limits.single_bytes_max:
        return PartLayout(method="single", size=size, part_size=size, part_count=1, number_max=1)
    return _many(size, limits, known=True)


def _many(ceiling: int, limits: Limits, *, known: bool) -> PartLayout:
    part_size = max(_whole_mib(limits.part_bytes_preferred), _whole_mib(-(-ceiling // PART_COUNT_MAX)))
    count = -(-ceiling // part_size)
    return PartLayout(
        method="multipart",
        size=ceiling if known else None,
        part_size=part_size,
        part_count=count if known else None,
        number_max=count,
    )


def _whole_mib(size: int) -> int:
    return -(-size // MIB) * MIB


def missing(cut: PartLayout, stored: Mapping[int, int]) -> tuple[int, ...]:
    """The numbers of the parts still to be sent, given the sizes by number that the storage measured.

    A part of the wrong size is missing. With an unknown size every part up to the highest that arrived is due,
    all of them full but the last one; when nothing arrived, part 1 is.
    """
    last = cut.part_count or max(stored, default=1)
    return tuple(n for n in range(1, last + 1) if not _fits(stored.get(n), cut, n, last))


def _fits(size: int | None, cut: PartLayout, number: int, last: int) -> bool:
    if size is None or number > cut.number_max:
        return False
    if cut.size is None and number == last:
        return 1 <= size <= cut.part_size
    return size == (cut.size_of(number) or cut.part_size)


def check_signing(numbers: Sequence[int], cut: PartLayout, limits: Limits) -> tuple[Reason, ...]:
    """Why URLs for these part numbers cannot be signed; pointers are `/numbers/…`."""
    if not 1 <= len(numbers) <= limits.parts_signed_max:
        words = f"Ask for one to {limits.parts_signed_max} parts at a time, not {len(numbers)}."
        return (Reason(code=Code.INVALID_PART, message=words, pointer="/numbers"),)
    return tuple(_out_of_range(numbers, cut, "/numbers/{}"))


def check_completion(numbers: Sequence[int], cut: PartLayout) -> tuple[Reason, ...]:
    """Why a client's list of parts is not this file: it names 1 to n, once each, in order; pointers `/parts/…`.

    Whether those parts have arrived is not asked here: see `missing`.
    """
    reasons = (*_out_of_range(numbers, cut, "/parts/{}/number"), *_out_of_order(numbers))
    if reasons:
        return reasons
    wanted = cut.part_count or max(1, len(numbers))
    if len(numbers) == wanted:
        return ()
    words = f"The list has {len(numbers)} parts and the file has {wanted}: list every part, or none."
    return (Reason(code=Code.INVALID_PART, message=words, pointer="/parts"),)


def _out_of_range(numbers: Sequence[int], cut: PartLayout, pointer: str) -> Iterator[Reason]:
    for at, number in enumerate(numbers):
        if not 1 <= number <= cut.number_max:
            words = f"There is no part {number}: this file's parts are numbered from 1 to {cut.number_max}."
            yield Reason(code=Code.INVALID_PART, message=words, pointer=pointer.format(at))


def _out_of_order(numbers: Sequence[int]) -> Iterator[Reason]:
    """Only the first place is named: all that follow it would be wrong as well."""
    for at, number in enumerate(numbers):
        if number != at + 1:
            words = f"Part {number} stands where part {at + 1} belongs: list each part once, in order, from 1."
            yield Reason(code=Code.INVALID_PART, message=words, pointer=f"/parts/{at}/number")
            return
