"""WebVTT of any text is a file of as many cues, in order, that last, and that no text can break out of."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.webvtt import Cue, times_in, to_webvtt

TIMES = st.fractions(min_value=0, max_value=400_000, max_denominator=90_000)


@st.composite
def cues(draw: st.DrawFn) -> Cue:
    start, length = draw(TIMES), draw(st.fractions(min_value=0, max_value=20, max_denominator=1000))
    return Cue(start, start + length, draw(st.text(max_size=60)))


@given(st.lists(cues(), max_size=8))
def test_any_cues_make_a_valid_file(drawn: list[Cue]) -> None:
    text = to_webvtt(drawn)
    times = times_in(text)
    assert list(times) == sorted(times, key=lambda time: time[0])
    assert all(end > start for start, end in times)
    shown = [cue for cue in drawn if "".join(filter(str.isprintable, cue.text)).strip()]
    assert len(times) <= len(shown)
    assert text.count("-->") == len(times)
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
        times_in(text)


def test_a_cue_may_have_a_name() -> None:
    assert times_in("WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\nx\n") == ((Fraction(1), Fraction(2)),)
    assert times_in("WEBVTT\n") == ()
