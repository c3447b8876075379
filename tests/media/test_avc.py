"""Units of H.264 in packets of both kinds: what is kept of them, and that no bytes whatever do more than be refused."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.adapters.media import avc, cmaf

pytestmark = pytest.mark.media

SPS, PPS = b"\x67\x64\x00\x28\xac\xd9", b"\x68\xeb\xe3\xcb"
IDR, SLICE, DELIMITER, PLACE = b"\x65\x88\x84", b"\x41\x9a\x24", b"\x09\xf0", b"\x06\x05\x04camera here\x80"
# No zero and no one: start codes inside of a unit are escaped, and an escaped unit ends in none.
BODIES = st.binary(min_size=1, max_size=40).map(lambda data: bytes(byte % 254 + 2 for byte in data))
UNITS = st.lists(
    st.builds(lambda kind, body: bytes([kind]) + body, st.sampled_from((0x41, 0x65, 0x06, 0x09, 0x0C)), BODIES),
    min_size=1,
    max_size=8,
)
RECORD = cmaf.avc_configuration(b"".join(cmaf.START_CODE + unit for unit in (SPS, PPS)))


def behind_codes(*units: bytes) -> bytes:
    return b"".join(b"\0" + cmaf.START_CODE + unit for unit in units)


def behind_lengths(*units: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(unit)) + unit for unit in units)


def test_both_kinds_of_header_give_the_same_configuration() -> None:
    recorded, plain = avc.layout(RECORD), avc.layout(behind_codes(SPS, PPS))
    assert (recorded.length, plain.length) == (4, 0)
    assert recorded.configuration == plain.configuration == RECORD
    assert cmaf.avc_codec(plain.configuration) == "avc1.640028"


@given(UNITS)
def test_slices_and_nothing_else_are_kept_from_either_kind_of_packet(units: list[bytes]) -> None:
    kept = [unit for unit in units if unit[0] in {0x41, 0x65}]
    for layout, packet in (
        (avc.layout(RECORD), behind_lengths(*units)),
        (avc.layout(behind_codes(SPS, PPS)), behind_codes(SPS, PPS, *units)),
    ):
        if kept:
            assert layout.slices(packet) == kept
            assert avc.shipped(kept) == behind_lengths(*kept)
            assert layout.is_closed(packet) == any(unit[0] == 0x65 for unit in kept)
        else:
            with pytest.raises(avc.UnlikeError, match="no picture"):
                layout.slices(packet)


@pytest.mark.parametrize(
    ("units", "reason"),
    [
        ((SPS + b"\x01", IDR), "parameters change"),
        ((PPS + b"\x01", IDR), "parameters change"),
        ((b"\x42\x9a",), "partitions"),
        ((DELIMITER, PLACE), "no picture"),
    ],
)
def test_what_a_copy_would_lose_or_spoil_is_refused(units: tuple[bytes, ...], reason: str) -> None:
    with pytest.raises(avc.UnlikeError, match=reason):
        avc.layout(RECORD).slices(behind_lengths(*units))


@pytest.mark.parametrize("header", [b"", b"\1", RECORD[:9], behind_codes(SPS), behind_codes(SPS, SPS + b"\2", PPS)])
def test_a_header_that_does_not_say_once_how_it_is_coded_is_refused(header: bytes) -> None:
    with pytest.raises(avc.UnlikeError, match="once and for all"):
        avc.layout(header)


@given(st.binary(max_size=60), st.binary(max_size=60), st.sampled_from((b"", b"\1", RECORD, behind_codes(SPS, PPS))))
def test_no_bytes_do_more_than_be_refused(header: bytes, packet: bytes, known: bytes) -> None:
    for given_header in (known, known + header, header):
        with contextlib.suppress(avc.UnlikeError):
            layout = avc.layout(given_header)
            layout.is_closed(packet)
            layout.slices(packet)
