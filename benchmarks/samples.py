"""Files to upload, made here: the smallest pictures of a given size, and large files that begin like one."""

import struct
import zlib
from pathlib import Path

from smmu.domain.limits import MIB

PNG = "image/png"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def picture(size: int) -> bytes:
    """A valid PNG of one grey pixel, filled up to `size` bytes with a comment."""
    around = [_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))]
    pixel = [_chunk(b"IDAT", zlib.compress(b"\0\x80")), _chunk(b"IEND", b"")]
    empty = len(_SIGNATURE) + sum(map(len, [*around, _comment(0), *pixel]))
    return b"".join([_SIGNATURE, *around, _comment(size - empty), *pixel])


def large(path: Path, size: int) -> None:
    """A file that begins with a picture, of bytes that no file system makes smaller."""
    block = b"".join(zlib.crc32(n.to_bytes(4)).to_bytes(4) for n in range(MIB // 4))
    with path.open("wb") as file:
        file.write(picture(1024))
        for _ in range(size // MIB):
            file.write(block)
        file.truncate(size)


def _comment(length: int) -> bytes:
    return _chunk(b"tEXt", b"Comment\0" + b"." * length)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
