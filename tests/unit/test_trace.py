"""Traces as W3C writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.trace import CHANCE_BYTES, Trace, begun, derived, id_in, parse

ID, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@given(st.binary(min_size=CHANCE_BYTES, max_size=CHANCE_BYTES).filter(lambda b: any(b[:16]) and any(b[16:])))
def test_what_is_written_is_read_again(chance: bytes) -> None:
    trace = begun(chance)
    assert parse(trace.parent) == trace
    assert id_in(trace.parent) == trace.id


@given(st.text())
def test_anything_at_all_is_a_trace_or_none(text: str) -> None:
    known = parse(text)
    assert known is None or parse(known.parent) == known


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (f"00-{ID}-{SPAN}-00", Trace(ID, SPAN)),
        (f"00-{ID}-{SPAN}-01", Trace(ID, SPAN, sampled=True)),
        (f"00-{ID}-{SPAN}-03", Trace(ID, SPAN, sampled=True)),
        (f"cc-{ID}-{SPAN}-01-what-comes", Trace(ID, SPAN, sampled=True)),
        (f"00-{ID}-{SPAN}-01-what-comes", None),
        (f"ff-{ID}-{SPAN}-01", None),
        (f"00-{ID.upper()}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{ID}-{'0' * 16}-01", None),
        (f"00-{ID}-{SPAN}", None),
        ("", None),
    ],
)
def test_what_is_a_trace_and_what_is_none(text: str, known: Trace | None) -> None:
    assert parse(text) == known


def test_what_began_without_a_trace_has_one_that_follows_from_its_name() -> None:
    assert derived("upl_1") == derived("upl_1") != derived("upl_2")
    assert parse(derived("upl_1").parent) == derived("upl_1")
