"""WebVTT of any text is a file of as many cues, in order, that last, and that no text can break out of."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.webvtt import Cue, cues_in, to_webvtt

TIMES = st.fractions(min_value=0, max_value=400_000, max_denominator=90_000)


@st.composite
def cues(draw: st.DrawFn) -> Cue:
    start, length = draw(TIMES), draw(st.fractions(min_value=0, max_value=20, max_denominator=1000))
    return Cue(start, start + length, draw(st.text(max_size=60)))


@given(st.lists(cues(), max_size=8))
def test_any_cues_make_a_valid_file(drawn: list[Cue]) -> None:
    text = to_webvtt(drawn)
    read = cues_in(text)
    assert list(read) == sorted(read, key=lambda cue: cue.start)
    assert all(cue.end > cue.start for cue in read)
    assert len(read) <= len([cue for cue in drawn if cue.text.strip()])
    assert text.count("-->") == len(read)
    assert to_webvtt(read) == text
    assert "<" not in text.replace("-->", "")


def test_times_and_text_are_written_as_the_standard_has_them() -> None:
    made = to_webvtt(
        [Cue(Fraction(3661), Fraction(7325, 2), "a & b\n\n<i>c</i> --> d"), Cue(Fraction(1), Fraction(2), "x")]
    )
    assert made == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nx\n\n"
        "01:01:01.000 --> 01:01:02.500\na &amp; b\n&lt;i&gt;c&lt;/i&gt; --&gt; d\n"
    )


@pytest.mark.parametrize("text", ["", "WEB\n", "WEBVTT\n\n1 --> 2\nx\n"])
def test_what_is_no_file_of_cues_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"cue|begins"):
        cues_in(text)


def test_a_cue_may_have_a_name() -> None:
    named = "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\na &lt; b\n"
    assert cues_in(named) == (Cue(Fraction(1), Fraction(2), "a < b"),)
    assert cues_in("WEBVTT\n") == ()
