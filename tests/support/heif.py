"""Boxes put into HEIF files, as phones put them there: where the items' places are moved along, decoders see no more."""

from pathlib import Path


def box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return (8 + len(body)).to_bytes(4) + name + body


def auxiliary(kind: str) -> bytes:
    """The property by which an item says what it is to another."""
    return box(b"auxC", bytes(4), kind.encode() + b"\0")


def light(primaries: int, transfer: int) -> bytes:
    return box(b"colr", b"nclx", primaries.to_bytes(2), transfer.to_bytes(2), b"\0\x09", b"\x80")


def entry(number: int, kind: bytes, version: int = 2) -> bytes:
    """An item of a kind."""
    return box(b"infe", bytes([version, 0, 0, 0]), number.to_bytes(4 if version > 2 else 2), bytes(2), kind, b"\0")


def belongs(item: int, *indices: int) -> bytes:
    told = bytes([len(indices), *(0x80 | index for index in indices)])
    return box(b"ipma", bytes(4), (1).to_bytes(4), item.to_bytes(2), told)


def meta(
    *properties: bytes, items: tuple[bytes, ...] = (), primary: int = 1, of_primary: tuple[int, ...] = ()
) -> bytes:
    """A box of metadata with these properties of which the primary item has some."""
    listed = box(b"iinf", bytes(4), len(items).to_bytes(2), *items)
    owned = box(b"iprp", box(b"ipco", *properties), belongs(primary, *of_primary))
    return box(b"meta", bytes(4), box(b"pitm", bytes(4), primary.to_bytes(2)), listed, owned)


def with_property(path: Path, more: bytes) -> Path:
    """The file with one more property that no item has. What lies behind it is moved, and so are the places of items."""
    data = bytearray(path.read_bytes())
    outer = [_find(data, 0, len(data), b"meta")]
    for name in (b"iprp", b"ipco"):
        start = outer[-1] + (12 if name == b"iprp" else 8)
        outer.append(_find(data, start, outer[-1] + _size(data, outer[-1]), name))
    end = outer[-1] + _size(data, outer[-1])
    _move_items(data, _find(data, outer[0] + 12, outer[0] + _size(data, outer[0]), b"iloc"), len(more))
    for at in outer:
        data[at : at + 4] = (_size(data, at) + len(more)).to_bytes(4)
    path.write_bytes(data[:end] + more + data[end:])
    return path


def _size(data: bytearray, at: int) -> int:
    return int.from_bytes(data[at : at + 4])


def _find(data: bytearray, at: int, end: int, name: bytes) -> int:
    while data[at + 4 : at + 8] != name:
        at += _size(data, at)
        assert at < end, name
    return at


def _move_items(data: bytearray, iloc: int, by: int) -> None:
    """Every item whose place is counted from the beginning of the file. libheif writes it as a base of four bytes."""
    version, sizes = data[iloc + 8], data[iloc + 12 : iloc + 14]
    extent = (sizes[0] >> 4) + (sizes[0] & 15)
    assert (version < 2, sizes[1] >> 4) == (True, 4), "as libheif writes it"
    at, has_method = iloc + 16, version == 1
    for _ in range(int.from_bytes(data[iloc + 14 : iloc + 16])):
        in_file = not has_method or data[at + 3] & 15 == 0
        at += 6 if has_method else 4
        if in_file:
            data[at : at + 4] = (int.from_bytes(data[at : at + 4]) + by).to_bytes(4)
        at += 6 + int.from_bytes(data[at + 4 : at + 6]) * extent
