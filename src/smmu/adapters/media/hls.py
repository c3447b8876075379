"""HLS playlists (RFC 8216), written by us because muxers guess what we have measured.

Media playlists are VOD and complete. In the multivariant playlist BANDWIDTH is the peak segment bit rate as the RFC
defines it, AVERAGE-BANDWIDTH the mean, both including the sound; codecs are those of the real configuration records.
Refuses to write a playlist for something that was not made.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
INIT_TYPE, SEGMENT_TYPE = "video/mp4", "video/iso.segment"
VERSION = 7  # EXT-X-MAP in a playlist of plain media segments needs 6, fMP4 with independent segments is told as 7
AUDIO_GROUP = "audio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One segment as a playlist sees it; `name` relative to the playlist."""

    name: str
    duration: Fraction
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One rung or one audio rendition, measured."""

    uri: str
    codecs: str
    peak_bps: int
    average_bps: int
    width: int = 0
    height: int = 0
    frame_rate: Fraction | None = None
    channels: int = 0
    name: str = ""
    language: str = ""


def target_seconds(pieces: Sequence[Piece]) -> int:
    """The target duration: no EXTINF, rounded to the nearest second, may exceed it."""
    return max(1, *(math.floor(piece.duration + Fraction(1, 2)) for piece in pieces))


def average_bps(pieces: Sequence[Piece]) -> int:
    """Bits per second over the whole."""
    return math.ceil(sum(piece.size for piece in pieces) * 8 / sum(piece.duration for piece in pieces))


def peak_bps(pieces: Sequence[Piece]) -> int:
    """The largest bit rate of any contiguous run of segments that lasts 0.5 to 1.5 target durations."""
    target = target_seconds(pieces)
    peak = average_bps(pieces)
    for first in range(len(pieces)):
        size, seconds = 0, Fraction(0)
        for piece in pieces[first:]:
            size, seconds = size + piece.size, seconds + piece.duration
            if seconds > target * Fraction(3, 2):
                break
            if seconds >= Fraction(target, 2):
                peak = max(peak, math.ceil(size * 8 / seconds))
    return peak


def media_playlist(init_name: str, pieces: Sequence[Piece]) -> str:
    """A complete VOD playlist over one track's segments."""
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{target_seconds(pieces)}",
        "#EXT-X-MEDIA-SEQUENCE:1",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{init_name}"',
    ]
    for piece in pieces:
        lines += [f"#EXTINF:{float(piece.duration):.6f},", piece.name]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def multivariant_playlist(rungs: Sequence[Stream], audio: Sequence[Stream]) -> str:
    """The playlist that players open: best rung first, so that a player which does not adapt shows the best."""
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    lines += [_audio_line(sound, first=sound is audio[0]) for sound in audio]
    for rung in sorted(rungs, key=lambda rung: rung.average_bps, reverse=True):
        lines += [_variant_line(rung, audio), rung.uri]
    return "\n".join([*lines, ""])


def _audio_line(sound: Stream, *, first: bool) -> str:
    chosen = "YES" if first else "NO"
    language = f'LANGUAGE="{sound.language}",' if sound.language else ""
    return (
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{AUDIO_GROUP}",NAME="{sound.name}",{language}DEFAULT={chosen},'
        f'AUTOSELECT=YES,CHANNELS="{sound.channels}",URI="{sound.uri}"'
    )


def _variant_line(rung: Stream, audio: Sequence[Stream]) -> str:
    peak = rung.peak_bps + max((sound.peak_bps for sound in audio), default=0)
    average = rung.average_bps + max((sound.average_bps for sound in audio), default=0)
    codecs = ",".join(dict.fromkeys([rung.codecs, *(sound.codecs for sound in audio)]))
    rate = f"FRAME-RATE={float(rung.frame_rate):.3f}," if rung.frame_rate else ""
    group = f',AUDIO="{AUDIO_GROUP}"' if audio else ""
    return (
        f'#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS="{codecs}",'
        f"RESOLUTION={rung.width}x{rung.height},{rate}VIDEO-RANGE=SDR{group}"
    )
