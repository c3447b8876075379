"""Numbers as a person reads them. For sentences only: nothing is ever parsed back from here."""

_UNITS = ("KiB", "MiB", "GiB", "TiB")


def in_bytes(size: int) -> str:
    """`size` bytes with at most one decimal, rounded down: "1 byte", "999 bytes", "1.5 GiB"."""
    if size < 1024:  # noqa: PLR2004 - under the first unit
        return f"{size} byte{'' if size == 1 else 's'}"
    unit = min((size.bit_length() - 1) // 10, len(_UNITS))
    tenths = size * 10 >> 10 * unit
    return f"{tenths // 10}{f'.{tenths % 10}' if tenths % 10 else ''} {_UNITS[unit - 1]}"
