"""What is a filename: one name of one file, readable by a person, in any language.

The name is kept for the person only: it never becomes a path, a key or a header. It is still refused when it
could mislead whoever reads it or saves it later. Nothing is repaired: a name is taken as it is or refused.
"""

import unicodedata
from collections.abc import Iterator
from typing import Final

# Unicode's embeddings, overrides and isolates: they can show a name ending in "4pm.exe" as "exe.mp4". The plain
# marks (U+200E, U+200F) reverse nothing, and messengers put them into the names of pictures: they stay.
_BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSEEN: Final = frozenset({"Cc", "Zl", "Zp", "Cs"})


def complaints(filename: str, chars_max: int) -> Iterator[str]:
    """Everything that is wrong with `filename`, each in one sentence; nothing when it may be used."""
    if not filename.strip():
        yield "The filename is empty: give the file a name."
        return
    if not filename.strip(". "):
        yield "The filename has no letters, only dots: give the file a name."
    if "/" in filename or "\\" in filename:
        yield "The filename contains a slash: send the name of the file alone, without folders."
    suspect = "" if filename.isprintable() else filename  # nothing of either set is printable
    if any(unicodedata.category(char) in _UNSEEN for char in suspect):
        yield "The filename contains control characters or line breaks: rename the file."
    if any(char in _BIDI for char in suspect):
        yield "The filename contains characters that reverse its direction and can disguise it: rename the file."
    if filename.strip(". ") and filename.endswith((".", " ")):
        yield "The filename ends in a dot or a space, which many systems drop: rename the file."
    if len(filename) > chars_max:
        yield f"The filename has {len(filename)} characters: at most {chars_max} are allowed."
