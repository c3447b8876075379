"""Small values that cannot be wrong: ids, owners, object references, checksums."""

import base64
import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from smmu.domain.quick import quick

UPLOAD, JOB, MEDIA, TASK = "upl", "job", "med", "tsk"

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: sorts as it counts
_ID = re.compile(r"(upl|job|med|tsk)_[0-9a-hjkmnp-tv-z]{26}")
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_DIGITS = (_ALPHABET * 8).encode()  # one for each byte: the lowest five of its bits
_TIME_CHARS, CHANCE_BYTES = 10, 16


def make_id(prefix: str, now: float, chance: bytes) -> str:
    """`prefix_` + 10 characters of milliseconds + 16 of chance: ids sort by creation and cannot be guessed.

    Five bits of each byte of chance are taken.
    """
    if len(chance) != CHANCE_BYTES:
        msg = f"an id needs {CHANCE_BYTES} bytes of chance"
        raise ValueError(msg)
    return f"{prefix}_{_moment(int(now * 1000))}{chance.translate(_DIGITS).decode()}"


def derived_id(prefix: str, *parts: str) -> str:
    """An id that is a pure function of `parts`: asking twice makes the same thing, not two."""
    digest = hashlib.sha256("\n".join(parts).encode()).digest()
    return f"{prefix}_{_base32(int.from_bytes(digest[:16]), _TIME_CHARS + CHANCE_BYTES)}"


def is_id(prefix: str, text: str) -> bool:
    """Whether `text` looks like an id of this prefix (it may still not exist)."""
    return text.startswith(f"{prefix}_") and _ID.fullmatch(text) is not None


@lru_cache(maxsize=16)
def _moment(milliseconds: int) -> str:
    """The same for all ids of one request, and for most of those that come with it."""
    return _base32(milliseconds, _TIME_CHARS)


def _base32(number: int, width: int) -> str:
    """The lowest `width` digits, an even number of them, two at a time."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(5 * width - 10, -1, -10)])


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRef:
    """The very bytes that were stored: key, version and ETag pin them against later overwriting."""

    key: str
    version: str
    etag: str
    size: int


class Algorithm(StrEnum):
    """Checksums a client may give. CRC values and SHA-256 are of the whole object."""

    CRC64NVME = "crc64nvme"
    CRC32C = "crc32c"
    SHA256 = "sha256"


_DIGEST_BYTES = {Algorithm.CRC64NVME: 8, Algorithm.CRC32C: 4, Algorithm.SHA256: 32}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    """A checksum as S3 writes it: the big-endian digest in base 64."""

    algorithm: Algorithm
    value: str

    def __post_init__(self) -> None:
        """Refuse a value that cannot be this algorithm's digest."""
        try:
            digest = base64.b64decode(self.value, validate=True)
        except ValueError as error:
            msg = f"the {self.algorithm} checksum is not base 64"
            raise ValueError(msg) from error
        if len(digest) != _DIGEST_BYTES[self.algorithm]:
            msg = f"a {self.algorithm} checksum has {_DIGEST_BYTES[self.algorithm]} bytes, not {len(digest)}"
            raise ValueError(msg)
