"""What a policy may answer, and what its owner is told of a rejection."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.errors import FINAL, Code
from smmu.domain.policy import WORDS_CHARS_MAX, Verdict, rejections

CODES = st.from_regex(r"[a-z][a-z0-9_]{0,63}", fullmatch=True)
WORDS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=80)


@given(CODES, WORDS)
def test_a_rejection_is_one_printable_sentence_with_the_deployments_code(code: str, words: str) -> None:
    (reason,) = rejections(Verdict(accepted=False, code=code, message=words))
    assert reason.code is Code.REJECTED_BY_POLICY
    assert code in reason.message
    assert words.strip() in reason.message
    assert reason.message.isprintable()
    assert reason.message[-1] in ".!?"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        *(("", "No."), ("No", "No."), ("9", "No."), ("a" * 65, "No."), ("no\n", "No.")),
        *(("no", ""), ("no", " "), ("no", "a\nb"), ("no", "a" * (WORDS_CHARS_MAX + 1))),
    ],
)
def test_a_rejection_that_could_not_be_shown_is_none(code: str, message: str) -> None:
    with pytest.raises(ValueError, match="of a rejection is"):
        Verdict(accepted=False, code=code, message=message)


def test_what_is_accepted_has_no_reasons_and_a_rejection_is_final() -> None:
    assert rejections(Verdict(accepted=True)) == ()
    assert Code.REJECTED_BY_POLICY in FINAL
