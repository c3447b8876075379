"""How checksums are computed, so that client, stores and workers agree (Amazon's own routines, from `awscrt`)."""

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from awscrt import checksums

from smmu.domain.values import Algorithm, Checksum

_CRC: dict[Algorithm, tuple[Callable[[bytes, int], int], Callable[[int, int, int], int], int]] = {
    Algorithm.CRC64NVME: (checksums.crc64nvme, checksums.combine_crc64nvme, 8),
    Algorithm.CRC32C: (checksums.crc32c, checksums.combine_crc32c, 4),
}


class Digest:
    """A running checksum of bytes fed in order."""

    def __init__(self, algorithm: Algorithm) -> None:
        self._algorithm = algorithm
        self._crc = 0
        self._sha = hashlib.sha256() if algorithm is Algorithm.SHA256 else None

    def update(self, data: bytes) -> None:
        """Feed the next bytes."""
        if self._sha is not None:
            self._sha.update(data)
        else:
            self._crc = _CRC[self._algorithm][0](data, self._crc)

    def checksum(self) -> Checksum:
        """The checksum of everything so far."""
        if self._sha is not None:
            return _checksum(self._algorithm, self._sha.digest())
        return _checksum(self._algorithm, self._crc.to_bytes(_CRC[self._algorithm][2]))


@dataclass(frozen=True, slots=True)
class Span:
    """A checksum of `length` consecutive bytes."""

    checksum: Checksum
    length: int


def combine(spans: Iterable[Span]) -> Checksum | None:
    """The checksum of all spans in order, without their bytes; `None` for SHA-256, which cannot do that."""
    first, *rest = spans
    algorithm = first.checksum.algorithm
    if algorithm is Algorithm.SHA256:
        return first.checksum if not rest else None
    _, joined, width = _CRC[algorithm]
    total = _number(first.checksum)
    for span in rest:
        total = joined(total, _number(span.checksum), span.length)
    return _checksum(algorithm, total.to_bytes(width))


def _number(checksum: Checksum) -> int:
    return int.from_bytes(base64.b64decode(checksum.value))


def _checksum(algorithm: Algorithm, digest: bytes) -> Checksum:
    return Checksum(algorithm=algorithm, value=base64.b64encode(digest).decode())
