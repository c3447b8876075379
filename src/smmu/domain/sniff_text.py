"""Text that was uploaded as media, named for what it would do.

Playlists and scripts point elsewhere, drawings and pages run code. None of it is admitted, and nothing here
parses it further than its first element: a name makes the refusal useful.
"""

import codecs
import re

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_PROLOGUE = re.compile(
    r"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE(?!\s+html)[^\[>]*(?:\[.*?\]\s*)?>)", re.DOTALL | re.IGNORECASE
)

# the first that matches, case aside, names the text
_STARTS: tuple[tuple[str, str], ...] = (
    ("#extm3u", "hls"),
    ("ffconcat version", "concat"),
    ("[playlist]", "pls"),
    ("v=0\r", "sdp"),
    ("v=0\n", "sdp"),
    ("webvtt", "vtt"),
    ("#!", "script"),
)
_ELEMENTS: tuple[tuple[str, str], ...] = (
    ("<mpd", "mpd"),
    ("<smoothstreamingmedia", "mpd"),
    ("<asx", "asx"),
    ("<smil", "asx"),
    ("<svg", "svg"),
    ("<!doctype html", "html"),
    ("<html", "html"),
    ("<head", "html"),
    ("<body", "html"),
    ("<script", "html"),
)


def probe_text(head: bytes) -> str | None:
    """Name the text in `head`, or answer `None` when it is not text."""
    text = _decoded(head)
    if text is None:
        return None
    plain = text.lstrip()
    for start, key in _STARTS:
        if plain.lower().startswith(start):
            return key
    if plain.startswith("<"):
        return _markup(plain)
    if plain.startswith(("{", "[")):
        return "json"
    return "text" if plain else None


def _markup(text: str) -> str:
    """The first element decides: an XML declaration, comments and a document type come before it."""
    declared = text.startswith("<?xml")
    while match := _PROLOGUE.match(text):
        text = text[match.end() :]
    root = re.sub(r"^<(?:\w+:)(?=\w)", "<", text.lstrip()).lower()
    for start, key in _ELEMENTS:
        if root.startswith(start):
            return key
    return "xml" if declared or re.match(r"<[a-z_!?]", root) else "text"


def _decoded(head: bytes) -> str | None:
    """The text of `head`, whose last character may be cut; `None` when it holds what no text does."""
    bom, encoding = next((row for row in _BOMS if head.startswith(row[0])), (b"", "utf-8"))
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head[len(bom) :])
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text
