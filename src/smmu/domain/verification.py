"""Whether a rendition is still what its manifest says: what was listed, against what came of playing it. Pure.

The proofs in a manifest were made by whoever made the renditions. This asks again from outside: nothing is believed but
the list itself.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from posixpath import normpath
from typing import Final

from smmu.domain.plan import Role
from smmu.domain.webvtt import cues_in

_SECONDS_TOLERANCE: Final = 0.1  # what AAC's frames add to an end, and rounding
_NAMES: Final = {"avc1": "h264", "hvc1": "hevc", "av01": "av1", "mp4a": "aac"}
_URI = re.compile(r'URI="([^"]+)"')
_LASTS = re.compile(r"^#EXTINF:([\d.]+),", re.MULTILINE)
_TOLD_TOLERANCE: Final = 0.001  # of the length of one segment, which is told in millionths
_LISTED_FRAMES, _LISTED_KEYFRAMES, _LISTED_CUES = "frames", "keyframes", "cues"
_LISTED_SAMPLES: Final = "samples"
_OFFERED: Final = frozenset({Role.HLS_VIDEO, Role.HLS_AUDIO})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One rendition as a manifest lists it: `files` by path with their sizes and SHA-256."""

    name: str
    role: str
    files: Mapping[str, tuple[int, str]]
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    codecs: str | None = None
    measures: Mapping[str, float | int | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedTrack:
    """One track, decoded to its end. Times in seconds; `keyframes` of pictures only, `samples` of sound."""

    kind: str
    codec: str
    frames: int
    undecodable: int
    start_s: float
    end_s: float
    rising: bool
    width: int = 0
    height: int = 0
    keyframes: tuple[float, ...] = ()
    samples: int = 0


def complaints(listed: Listed, tracks: Sequence[PlayedTrack]) -> Iterator[str]:
    """Everything in which what was played is not what was listed."""
    owed = [_NAMES.get(codec.partition(".")[0], codec) for codec in (listed.codecs or "").split(",") if codec]
    if sorted(track.codec for track in tracks) != sorted(owed):
        yield f"it holds {', '.join(track.codec for track in tracks) or 'nothing'} and not {', '.join(owed)}"
    for track in tracks:
        if track.undecodable:
            yield f"{track.undecodable} packets of its {track.kind} do not decode"
        if not track.rising:
            yield f"the times of its {track.kind} do not rise"
        if track.kind == "video":
            yield from _of_pictures(listed, track)
        samples = listed.measures.get(_LISTED_SAMPLES, track.samples)
        if track.kind == "audio" and track.samples != samples:
            yield f"{track.samples} samples of sound decode and not {samples}"
    end = max((track.end_s for track in tracks), default=0.0)
    if listed.duration_s is not None and abs(end - listed.duration_s) > _tolerance(tracks):
        yield f"it lasts {end:.3f} s and not {listed.duration_s:.3f} s"


def _tolerance(tracks: Sequence[PlayedTrack]) -> float:
    """Packets come in another order than pictures, so the last one's length may be that of two others."""
    return _SECONDS_TOLERANCE + max((2 * (one.end_s - one.start_s) / max(1, one.frames) for one in tracks), default=0.0)


def _of_pictures(listed: Listed, track: PlayedTrack) -> Iterator[str]:
    if (track.width, track.height) != (listed.width, listed.height):
        yield f"its pictures are {track.width} × {track.height} and not {listed.width} × {listed.height}"
    frames, keyframes = listed.measures.get(_LISTED_FRAMES), listed.measures.get(_LISTED_KEYFRAMES)
    if frames is not None and track.frames != frames:
        yield f"{track.frames} pictures decode and not {frames}"
    if keyframes is not None and len(track.keyframes) != keyframes:
        yield f"it has {len(track.keyframes)} keyframes and not {keyframes}"


def grid_complaint(listed: Listed, track: PlayedTrack, first: PlayedTrack) -> str | None:
    """What keeps players from switching between this rung and the first one; `None` when nothing does."""
    if track.keyframes == first.keyframes:
        return None
    return f"its keyframes are not where those of the other rungs are, so {listed.name} cannot be switched to"


def playlist_complaints(text: str, folder: str, there: frozenset[str]) -> Iterator[str]:
    """What a playlist in `folder` names and is not `there`."""
    if not text.startswith("#EXTM3U\n"):
        yield "its playlist is none"
        return
    for name in named_in(text):
        if resolved(folder, name) not in there:
            yield f"its playlist names {name}, which the manifest does not list"
            return


def named_in(playlist: str) -> Iterator[str]:
    """Every address in a playlist of HLS: lines, and those of attributes."""
    for line in playlist.splitlines():
        if line.startswith("#EXT-X"):
            yield from _URI.findall(line)
        elif line and not line.startswith("#"):
            yield line


def segments_complaint(text: str, folder: str, listed: Listed) -> str:
    """What keeps a playlist of one track from being all of it; "" when nothing does."""
    told = {resolved(folder, name) for name in named_in(text)}
    left_out = sum(path.endswith(".m4s") and path not in told for path in listed.files)
    if left_out:
        return f"its playlist leaves out {left_out} of its segments"
    seconds = [float(found) for found in _LASTS.findall(text)]
    owed = listed.duration_s
    if owed is not None and abs(sum(seconds) - owed) > _TOLD_TOLERANCE * max(1, len(seconds)):
        return f"its playlist lasts {sum(seconds):.3f} s and not {owed:.3f} s"
    return ""


def offer_complaint(named: Collection[str], listed: Sequence[Listed]) -> str:
    """What HLS's playlists do not offer of what is listed, given all that they name; "" when it is all there."""
    left = next((one.name for one in listed if one.role in _OFFERED and next(iter(one.files)) not in named), None)
    return "" if left is None else f"it does not offer {left}"


def cues_complaint(text: str, listed: Listed) -> str:
    """What is wrong with a file of cues; "" when nothing is. `ValueError` when it is none."""
    cues = cues_in(text)
    counted = listed.measures.get(_LISTED_CUES)
    if counted is not None and len(cues) != counted:
        return f"it has {len(cues)} cues and not {counted}"
    if any(later.start < cue.start for cue, later in pairwise(cues)):
        return "its cues are not in the order of their times"
    if any(cue.end <= cue.start for cue in cues):
        return "a cue of it lasts no time"
    return ""


def resolved(folder: str, address: str) -> str:
    """What an address in a file in `folder` means, as a path of the manifest; one that leads out of it is no path."""
    return normpath(folder + address)


def is_played(role: str) -> bool:
    """Whether a rendition of this role holds tracks that are decoded."""
    return role in {Role.HLS_VIDEO, Role.HLS_AUDIO, Role.MP4, Role.AUDIO, Role.PREVIEW, Role.LOOP}


def is_picture(one: Listed) -> bool:
    """Whether it is a picture: of something, or of a sound."""
    drawn = one.role == Role.WAVEFORM and one.width is not None
    return drawn or one.role in {Role.IMAGE, Role.CROP, Role.COVER, Role.POSTER}
