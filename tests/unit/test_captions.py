"""Words become captions that are valid whatever was heard, and that say what was heard and nothing else."""

import json
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.captions import CUE_MS_MAX, Cue, cues, document, problems, read_webvtt, srt, text, webvtt
from smmu.domain.transcript import Doubt, Span, Transcript, Word, review

SECONDS = 10_000.0
ANYWHERE = (Span(start=0.0, end=SECONDS),)

moments = st.floats(-5, SECONDS + 5) | st.sampled_from([float("nan"), float("inf"), 0.0, 3_599.9996])
texts = st.text(max_size=60) | st.sampled_from(
    ["-->", "<b>", "&amp;", "a-->b", "\n\n", "WEBVTT", "NOTE", "日本", "語。", "no."]
)
words = st.builds(Word, text=texts, start=moments, end=moments, confidence=st.floats(-1, 2) | st.just(float("nan")))


def spoken(*said: str, each: float = 0.4, start: float = 0.0, confidence: float = 0.9) -> tuple[Word, ...]:
    """These words, one after the other without a pause."""
    return tuple(
        Word(text=word, start=start + number * each, end=start + (number + 1) * each, confidence=confidence)
        for number, word in enumerate(said)
    )


def heard(*said: Word) -> Transcript:
    return Transcript(words=said, language="en", engine="test")


def shown(*said: Word) -> tuple[Cue, ...]:
    return cues(review(heard(*said), ANYWHERE, SECONDS).transcript.words)


# --- laws


@given(st.lists(words, max_size=40))
def test_captions_keep_every_rule_whatever_was_heard(said: list[Word]) -> None:
    made = shown(*said)
    assert problems(made) == ()
    for cue in made:
        assert 0 <= cue.start_ms < cue.end_ms <= cue.start_ms + CUE_MS_MAX
        assert 1 <= len(cue.lines) <= 2
        assert all(1 <= len(line) <= 42 for line in cue.lines)
    assert all(first.end_ms <= second.start_ms for first, second in pairwise(made))


@given(st.lists(words, max_size=40))
def test_captions_say_all_that_was_heard_and_nothing_else(said: list[Word]) -> None:
    kept = review(heard(*said), ANYWHERE, SECONDS).transcript.words
    assert _bare("".join(line for cue in cues(kept) for line in cue.lines)) == _bare(
        "".join(word.text for word in kept)
    )


@given(st.lists(words, max_size=40))
def test_webvtt_reads_back_as_it_was_meant(said: list[Word]) -> None:
    made = shown(*said)
    written = webvtt(made)
    assert read_webvtt(written) == made
    timings = [line for line in written.splitlines() if "-->" in line]
    assert len(timings) == len(made)
    payload = [line for line in written.splitlines() if "-->" not in line]
    assert not any("<" in line or re.search(r"&(?!amp;|lt;|gt;)", line) for line in payload)


@given(st.lists(words, max_size=40))
def test_srt_has_as_many_blocks_as_cues(said: list[Word]) -> None:
    made = shown(*said)
    blocks = [block for block in srt(made).split("\n\n") if block.strip()]
    assert len(blocks) == len(made)
    assert sum(block.count("-->") for block in blocks) == len(made)
    for number, block in enumerate(blocks, start=1):
        assert re.match(rf"{number}\n\d{{2,}}:\d\d:\d\d,\d{{3}} --> \d{{2,}}:\d\d:\d\d,\d{{3}}\n.", block)


@given(st.lists(words, max_size=40))
def test_the_document_is_json_and_can_be_stored_as_utf8(said: list[Word]) -> None:
    found = review(heard(*said), ANYWHERE, SECONDS)
    made = cues(found.transcript.words)
    written = json.dumps(document(found, made, ANYWHERE, SECONDS), allow_nan=False, ensure_ascii=False)
    assert json.loads(written.encode())["words_outside_voice"] == 0
    webvtt(made).encode()
    srt(made).encode()


@given(st.lists(words, max_size=40), st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50)), max_size=4))
def test_no_word_is_kept_where_nobody_spoke(said: list[Word], voiced: list[tuple[float, float]]) -> None:
    spans = tuple(Span(start=min(pair), end=max(pair)) for pair in voiced)
    found = review(heard(*said), spans, SECONDS)
    for word in found.transcript.words:
        assert any(word.start < span.end + 0.5 and word.end > span.start - 0.5 for span in spans)
    assert found.outside + len(found.transcript.words) <= len(said)


# --- examples


def test_no_speech_is_a_valid_result() -> None:
    found = review(heard(), (), 3.0)
    assert (found.confidence, found.flags, cues(found.transcript.words)) == (None, (), ())
    assert webvtt(()) == "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n"
    assert srt(()) == "\n"
    assert document(found, (), (), 3.0)["text"] == ""


def test_captions_as_they_are_written() -> None:
    made = shown(*spoken("Tom", "&", "Jerry", "<run>", "-->", each=0.5, start=3_600))
    assert webvtt(made) == (
        "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n01:00:00.000 --> 01:00:02.500\nTom &amp; Jerry &lt;run&gt; --&gt;\n"
    )  # fmt: skip
    assert srt(made) == "1\n01:00:00,000 --> 01:00:02,500\nTom & Jerry <run> ->\n"


def test_a_cue_ends_with_a_sentence() -> None:
    made = shown(*spoken("We", "went", "home.", "Then", "it", "rained."))
    assert [cue.lines for cue in made] == [("We went home.",), ("Then it rained.",)]


def test_a_cue_ends_where_nobody_speaks() -> None:
    made = shown(*spoken("first"), *spoken("second", start=5.0))
    assert [(cue.start_ms, cue.end_ms) for cue in made] == [(0, 1_000), (5_000, 6_000)]


def test_two_lines_are_about_as_long_as_each_other() -> None:
    (made,) = shown(*spoken(*("four words make five " * 3).split(), each=0.3))
    lengths = [len(line) for line in made.lines]
    assert len(lengths) == 2
    assert max(lengths) - min(lengths) <= 6


def test_a_word_longer_than_a_line_is_cut() -> None:
    made = shown(Word(text="x" * 100, start=0, end=3, confidence=1))
    assert [len(line) for cue in made for line in cue.lines] == [42, 42, 16]


def test_scripts_without_spaces_get_none() -> None:
    assert shown(*spoken("今日", "は", "OK", "です"))[0].lines == ("今日は OK です",)
    assert text(spoken("今日", "は", "OK")) == "今日は OK"


@pytest.mark.parametrize(
    ("said", "doubt"),
    [
        (spoken(*["thank", "you"] * 5), Doubt.REPETITION),
        (spoken("so", *["bye"] * 4), Doubt.REPETITION),
        (spoken(*["one", "two", "three", "four", "five", "six", "seven", "eight"], each=0.1), Doubt.TOO_FAST),
        (spoken("maybe", "this", confidence=0.2), Doubt.UNSURE),
    ],
)
def test_what_looks_invented_is_flagged(said: tuple[Word, ...], doubt: Doubt) -> None:
    (flag,) = review(heard(*said), ANYWHERE, SECONDS).flags
    assert flag.doubt is doubt
    assert said[0].start <= flag.start < flag.end <= said[-1].end


@pytest.mark.parametrize(
    "said", [spoken("no", "no", "no"), spoken(*["a", "good", "sure", "calm", "sentence", "of", "eight", "words"])]
)
def test_what_people_say_is_not(said: tuple[Word, ...]) -> None:
    assert review(heard(*said), ANYWHERE, SECONDS).flags == ()


@pytest.mark.parametrize("wrong", ["", "WEBVTT\n\n1\nnever --> later\nx", "SRT\n\n1"])
def test_what_is_no_webvtt_of_ours_is_not_read(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"WebVTT|times"):
        read_webvtt(wrong)


@pytest.mark.parametrize(
    "cue",
    [
        Cue(start_ms=5, end_ms=5, lines=("x",)),
        Cue(start_ms=0, end_ms=7_001, lines=("x",)),
        Cue(start_ms=0, end_ms=9, lines=()),
        Cue(start_ms=0, end_ms=9, lines=("x", "y", "z")),
        Cue(start_ms=0, end_ms=9, lines=("x" * 43,)),
    ],
)
def test_a_broken_rule_is_seen(cue: Cue) -> None:
    assert len(problems([cue])) == 1
    assert problems([Cue(start_ms=0, end_ms=100, lines=("x",)), Cue(start_ms=99, end_ms=200, lines=("y",))])


def _bare(said: str) -> str:
    return "".join(said.split())
