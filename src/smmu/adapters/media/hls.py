"""HLS playlists (RFC 8216), written by us because muxers guess what we have measured.

Media playlists are VOD and complete; each rung has a second one, of its keyframes alone, for seeking with pictures. In
the multivariant playlist BANDWIDTH is the peak segment bit rate as the RFC defines it, AVERAGE-BANDWIDTH the mean, both
including the sound; codecs are those of the real configuration records. Which of Apple's rules hold, and by which test,
is in docs/hls.md. Refuses to write a playlist for something that was not made.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from smmu.adapters.media.segments import INIT_NAME, KeyPicture
from smmu.domain.facts import Purpose

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
PLAYLIST_NAME, KEYS_NAME = "playlist.m3u8", "keyframes.m3u8"
INIT_TYPE, SOUND_INIT_TYPE, SEGMENT_TYPE = "video/mp4", "audio/mp4", "video/iso.segment"
VERSION = 7  # EXT-X-MAP in a playlist of plain media segments needs 6, fMP4 with independent segments is told as 7
AUDIO_GROUP, SURROUND_GROUP, UNDETERMINED = "audio", "surround", "und"
STEREO_CHANNELS = 2
EVERYWHERE = "avc1"
DESCRIBES = "public.accessibility.describes-video"
BEGUN_WITH_BPS = 2_000_000  # players begin with the first variant: Apple's rule 1.32


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One segment as a playlist sees it; `name` relative to the playlist. With `offset`, `size` bytes from there."""

    name: str
    duration: Fraction
    size: int
    offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One rung or one sound, as HLS and DASH describe it. `folder` has its files and is relative to the playlist.

    `ticks` are a second of its time. `keys` are a rung's keyframes alone. `name` is a sound's in menus, `purpose` what
    it is for. `id` is the end of `folder` that DASH knows a track of an earlier revision by; a new one's is all of it.
    """

    folder: str
    id: str = ""
    codecs: str
    ticks: int
    pieces: Sequence[Piece]
    keys: Sequence[Piece] = ()
    width: int = 0
    height: int = 0
    frame_rate: Fraction | None = None
    channels: int = 0
    name: str = ""
    language: str = ""
    purpose: str = ""

    @property
    def seconds(self) -> Fraction:
        """How long it lasts."""
        return sum((piece.duration for piece in self.pieces), Fraction(0))


def target_seconds(*tracks: Sequence[Piece]) -> int:
    """The target duration of tracks that are played together: no EXTINF, rounded to the nearest second, exceeds it."""
    return max(1, *(math.floor(piece.duration + Fraction(1, 2)) for pieces in tracks for piece in pieces))


def average_bps(pieces: Sequence[Piece]) -> int:
    """Bits per second over the whole."""
    return math.ceil(sum(piece.size for piece in pieces) * 8 / sum(piece.duration for piece in pieces))


def peak_bps(pieces: Sequence[Piece], target: int) -> int:
    """The largest bit rate of any contiguous run of segments that lasts 0.5 to 1.5 target durations."""
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


def key_pieces(keys: Sequence[tuple[str, KeyPicture]], end: Fraction) -> list[Piece]:
    """The keyframes of named segments, each shown until the next, the last until `end`."""
    starts = [*(key.start for _, key in keys), end]
    return [
        Piece(name=name, duration=until - start, size=key.size, offset=key.offset)
        for (name, key), (start, until) in zip(keys, pairwise(starts), strict=True)
    ]


def media_playlist(pieces: Sequence[Piece], target: int, *, keys_only: bool = False) -> str:
    """A complete VOD playlist over one track's segments, or over its keyframes alone."""
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{target}",
        "#EXT-X-MEDIA-SEQUENCE:1",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-I-FRAMES-ONLY" if keys_only else "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{INIT_NAME}"',
    ]
    for piece in pieces:
        lines.append(f"#EXTINF:{float(piece.duration):.6f},")
        if piece.offset is not None:
            lines.append(f"#EXT-X-BYTERANGE:{piece.size}@{piece.offset}")
        lines.append(piece.name)
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def by_codec(rungs: Sequence[Track]) -> list[list[Track]]:
    """The rungs that a player may switch between while it plays, those first that every player can show (H.264)."""
    found: dict[str, list[Track]] = {}
    for rung in rungs:
        found.setdefault(rung.codecs.partition(".")[0], []).append(rung)
    return sorted(found.values(), key=lambda members: not members[0].codecs.startswith(EVERYWHERE))


def audio_groups(sounds: Sequence[Track]) -> dict[str, list[Track]]:
    """The sounds to choose from, by group: stereo, and 5.1 where there is any.

    Groups have the same members, as RFC 8216 asks: what has no 5.1 is in both as it is.
    """
    plain = [sound for sound in sounds if sound.channels <= STEREO_CHANNELS]
    wide = {sound.name: sound for sound in sounds if sound.channels > STEREO_CHANNELS}
    groups = {AUDIO_GROUP: plain} if plain else {}
    return groups | ({SURROUND_GROUP: [wide.get(sound.name, sound) for sound in plain]} if wide else {})


def multivariant_playlist(rungs: Sequence[Track], sounds: Sequence[Track]) -> str:
    """The playlist that players open: first the rung to begin with, then the others from the best down.

    Each is there once for every group of sounds, those with stereo first, which everybody can play.
    """
    groups = audio_groups(sounds)
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    lines += [_audio_line(one, group, first=one is members[0]) for group, members in groups.items() for one in members]
    target = target_seconds(*(track.pieces for track in (*rungs, *sounds)))
    best_first = sorted(rungs, key=lambda rung: average_bps(rung.pieces), reverse=True)
    anybodys = by_codec(best_first)[0]
    begun_with = min(anybodys, key=lambda rung: abs(average_bps(rung.pieces) - BEGUN_WITH_BPS))
    for group, heard in groups.items() or [("", [])]:
        for rung in sorted(best_first, key=lambda rung: rung is not begun_with):
            lines += [_variant_line(rung, heard, group, target), f"{rung.folder}/{PLAYLIST_NAME}"]
    lines += [_keys_line(rung) for rung in best_first if rung.keys]
    return "\n".join([*lines, ""])


def sound_playlist(sound: Track) -> str:
    """The playlist that players open where there are no pictures: its one variant is the sound itself."""
    peak, average = peak_bps(sound.pieces, target_seconds(sound.pieces)), average_bps(sound.pieces)
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS="{sound.codecs}"',
        f"{sound.folder}/{PLAYLIST_NAME}",
    ]
    return "\n".join([*lines, ""])


def _audio_line(sound: Track, group: str, *, first: bool) -> str:
    chosen = "YES" if first else "NO"
    by_itself = "YES" if first or sound.purpose != Purpose.COMMENTARY else "NO"
    traits = f'CHARACTERISTICS="{DESCRIBES}",' if sound.purpose == Purpose.DESCRIPTION else ""
    return (
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{group}",NAME="{sound.name}",'
        f'LANGUAGE="{sound.language or UNDETERMINED}",DEFAULT={chosen},AUTOSELECT={by_itself},'
        f'CHANNELS="{sound.channels}",{traits}URI="{sound.folder}/{PLAYLIST_NAME}"'
    )


def _variant_line(rung: Track, sounds: Sequence[Track], group: str, target: int) -> str:
    peak = peak_bps(rung.pieces, target) + max((peak_bps(sound.pieces, target) for sound in sounds), default=0)
    average = average_bps(rung.pieces) + max((average_bps(sound.pieces) for sound in sounds), default=0)
    codecs = ",".join(dict.fromkeys([rung.codecs, *(sound.codecs for sound in sounds)]))
    rate = f"FRAME-RATE={float(rung.frame_rate):.3f}," if rung.frame_rate else ""
    heard = f',AUDIO="{group}"' if sounds else ""
    return (
        f'#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS="{codecs}",'
        f"RESOLUTION={rung.width}x{rung.height},{rate}VIDEO-RANGE=SDR{heard},CLOSED-CAPTIONS=NONE"
    )


def _keys_line(rung: Track) -> str:
    peak, average = peak_bps(rung.keys, target_seconds(rung.keys)), average_bps(rung.keys)
    return (
        f'#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS="{rung.codecs}",'
        f'RESOLUTION={rung.width}x{rung.height},VIDEO-RANGE=SDR,URI="{rung.folder}/{KEYS_NAME}"'
    )
