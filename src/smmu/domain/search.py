"""What a text is found by: its words without case, accents and punctuation; the same of what is kept and of questions.

Writing without spaces (Han, kana) is found by its characters. A question is found where each of its words begins a word
of the text.
"""

import re
import unicodedata
from typing import Final

TOKEN_CHARS_MAX: Final = 40  # of longer words the beginning is kept
TOKENS_MAX: Final = 20_000  # of one text; a day of speech has fewer different words
QUESTION_CHARS_MAX: Final = 200
_WORD: Final = re.compile(r"[^\W_]+")
_ALONE: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def tokens(text: str) -> frozenset[str]:
    """The different words of a text."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    spaced = _ALONE.sub(lambda found: f" {found[0]} ", bare)
    words = dict.fromkeys(word[:TOKEN_CHARS_MAX] for word in _WORD.findall(spaced))
    return frozenset(list(words)[:TOKENS_MAX])


def matches(question: frozenset[str], kept: frozenset[str]) -> bool:
    """Whether each word of a question begins one that is kept."""
    return all(any(word.startswith(asked) for word in kept) for asked in question)
