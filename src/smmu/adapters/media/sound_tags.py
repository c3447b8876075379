"""What a sound says of itself (ID3, Vorbis comments, MP4's atoms, RIFF's INFO), as FFmpeg names it for all of them.

Nothing is believed or cleaned here: `domain/tags.py` does that, in a process that no file can reach.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from smmu.domain.tags import DESCRIPTION_CHARS_MAX, Tags

_CHARS_MAX = 4 * DESCRIPTION_CHARS_MAX
_NAMES: Mapping[str, str] = {
    "title": "title",
    "artist": "artist",
    "album": "album",
    "album_artist": "album_artist",
    "albumartist": "album_artist",
    "composer": "composer",
    "genre": "genre",
    "comment": "description",
    "description": "description",
    "copyright": "copyright",
}
_NUMBERS: Mapping[str, str] = {"track": "track", "tracknumber": "track", "disc": "disc", "discnumber": "disc"}
_DATES = ("date", "year")
_NUMBER = re.compile(r"\s*(\d{1,6})\b")
_DATE = re.compile(r"\s*(\d{4}(?:-\d\d(?:-\d\d)?)?)")


def sound_tags(told: Sequence[Mapping[str, str]]) -> Tags | None:
    """All that is said by the container and its track, the container first; `None` when nothing is."""
    said: dict[str, str] = {}
    for metadata in told:
        for name, words in metadata.items():
            said.setdefault(name.lower(), words[:_CHARS_MAX])
    found: dict[str, Any] = {}
    for name, field in _NAMES.items():
        if said.get(name, "").strip():
            found.setdefault(field, said[name])
    for name, field in _NUMBERS.items():
        if number := _NUMBER.match(said.get(name, "")):
            found.setdefault(field, int(number[1]))
    dates = (_DATE.match(said.get(name, "")) for name in _DATES)
    if date := next(filter(None, dates), None):
        found["released"] = date[1]
    return Tags(**found) if found else None
