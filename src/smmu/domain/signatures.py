"""Every format the product can name, and the literal bytes that name it.

The table knows far more formats than are admitted, so that a refusal says what a file *is* ("this is a PDF
document") instead of what it is not. Nothing here reads structure: containers that need a look inside are in
`sniff.py`. Sources: IANA media types, the formats' own specifications, and libmagic's tables for the rest.
"""

from dataclasses import dataclass

from smmu.domain.facts import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Sniffed:
    """What the first bytes say a file is.

    `kind` is `None` for what is no media. `container` is a short stable name. `label` is for a person and
    carries its article. `admitted` says whether a file of this format may enter; without a kind it never may.
    """

    content_type: str
    kind: Kind | None
    container: str
    label: str
    admitted: bool


_Row = tuple[str, str, str]


def _formats(kind: Kind | None, rows: dict[str, _Row], *, admitted: bool) -> dict[str, Sniffed]:
    return {
        key: Sniffed(content_type=row[0], kind=kind, container=row[1], label=row[2], admitted=admitted)
        for key, row in rows.items()
    }


# key: (content type, container, label)
_IMAGES: dict[str, _Row] = {
    "jpeg": ("image/jpeg", "jpeg", "a JPEG image"),
    "png": ("image/png", "png", "a PNG image"),
    "apng": ("image/png", "apng", "an animated PNG image"),
    "gif": ("image/gif", "gif", "a GIF image"),
    "webp": ("image/webp", "webp", "a WebP image"),
    "avif": ("image/avif", "avif", "an AVIF image"),
    "avis": ("image/avif", "avis", "an AVIF image sequence"),
    "heic": ("image/heic", "heif", "a HEIC image"),
    "hevc": ("image/heic-sequence", "heif", "a HEIC image sequence"),
    "mif1": ("image/heif", "heif", "a HEIF image"),
    "msf1": ("image/heif-sequence", "heif", "a HEIF image sequence"),
    "tiff": ("image/tiff", "tiff", "a TIFF image"),
    "bmp": ("image/bmp", "bmp", "a BMP image"),
}
_VIDEOS: dict[str, _Row] = {
    "mp4": ("video/mp4", "mp4", "an MP4 video"),
    "m4v": ("video/x-m4v", "mp4", "an M4V video"),
    "mov": ("video/quicktime", "mov", "a QuickTime movie"),
    "3gp": ("video/3gpp", "mp4", "a 3GP video"),
    "3g2": ("video/3gpp2", "mp4", "a 3G2 video"),
    "mkv": ("video/x-matroska", "matroska", "a Matroska video"),
    "webm": ("video/webm", "matroska", "a WebM video"),
    "avi": ("video/x-msvideo", "avi", "an AVI video"),
    "ogv": ("video/ogg", "ogg", "an Ogg video"),
    "ts": ("video/mp2t", "mpegts", "an MPEG transport stream"),
    "mpeg": ("video/mpeg", "mpeg", "an MPEG video"),
    "flv": ("video/x-flv", "flv", "a Flash video"),
    "asf": ("video/x-ms-asf", "asf", "a Windows Media file"),
}
_SOUNDS: dict[str, _Row] = {
    "m4a": ("audio/mp4", "mp4", "an MP4 audio file"),
    "mka": ("audio/x-matroska", "matroska", "a Matroska audio file"),
    "weba": ("audio/webm", "matroska", "a WebM audio file"),
    "wma": ("audio/x-ms-wma", "asf", "a Windows Media audio file"),
    "wav": ("audio/wav", "wav", "a WAV audio file"),
    "aiff": ("audio/aiff", "aiff", "an AIFF audio file"),
    "flac": ("audio/flac", "flac", "a FLAC audio file"),
    "ogg": ("audio/ogg", "ogg", "an Ogg audio file"),
    "mp3": ("audio/mpeg", "mp3", "an MP3 audio file"),
    "aac": ("audio/aac", "aac", "an AAC audio file"),
    "amr": ("audio/amr", "amr", "an AMR audio file"),
}
_OTHER_IMAGES: dict[str, _Row] = {
    "jp2": ("image/jp2", "jp2", "a JPEG 2000 image"),
    "jxl": ("image/jxl", "jxl", "a JPEG XL image"),
    "svg": ("image/svg+xml", "svg", "an SVG drawing, which can carry scripts"),
    "psd": ("image/vnd.adobe.photoshop", "psd", "a Photoshop document"),
    "ico": ("image/vnd.microsoft.icon", "ico", "an icon file"),
    "exr": ("image/x-exr", "exr", "an OpenEXR image"),
    "hdr": ("image/vnd.radiance", "hdr", "a Radiance image"),
    "raw": ("image/x-raw", "raw", "a camera raw file"),
}
_OTHER_VIDEOS: dict[str, _Row] = {
    "mxf": ("application/mxf", "mxf", "an MXF video"),
    "rm": ("application/vnd.rn-realmedia", "rm", "a RealMedia file"),
    "y4m": ("video/x-yuv4mpeg", "y4m", "an uncompressed Y4M video"),
    "ivf": ("video/x-ivf", "ivf", "an IVF video"),
    "h264": ("video/h264", "h264", "a bare H.264 stream without a container"),
}
_OTHER_SOUNDS: dict[str, _Row] = {
    "caf": ("audio/x-caf", "caf", "a CAF audio file"),
    "au": ("audio/basic", "au", "an AU audio file"),
    "ac3": ("audio/ac3", "ac3", "an AC-3 audio file"),
    "wavpack": ("audio/x-wavpack", "wavpack", "a WavPack audio file"),
    "ape": ("audio/x-ape", "ape", "a Monkey's Audio file"),
    "midi": ("audio/midi", "midi", "a MIDI file, which holds notes and no sound"),
}
_OFFICE = "application/vnd.openxmlformats-officedocument"
_STRANGERS: dict[str, _Row] = {
    "pdf": ("application/pdf", "pdf", "a PDF document"),
    "docx": (
        f"{_OFFICE}.wordprocessingml.document",
        "zip",
        "a Word document",
    ),
    "xlsx": (f"{_OFFICE}.spreadsheetml.sheet", "zip", "an Excel workbook"),
    "pptx": (
        f"{_OFFICE}.presentationml.presentation",
        "zip",
        "a PowerPoint presentation",
    ),
    "epub": ("application/epub+zip", "zip", "an EPUB book"),
    "zip": ("application/zip", "zip", "a ZIP archive"),
    "gzip": ("application/gzip", "gzip", "a gzip archive"),
    "bzip2": ("application/x-bzip2", "bzip2", "a bzip2 archive"),
    "xz": ("application/x-xz", "xz", "an xz archive"),
    "zstd": ("application/zstd", "zstd", "a Zstandard archive"),
    "7z": ("application/x-7z-compressed", "7z", "a 7-Zip archive"),
    "rar": ("application/vnd.rar", "rar", "a RAR archive"),
    "tar": ("application/x-tar", "tar", "a tar archive"),
    "ole": ("application/x-ole-storage", "ole", "an old Microsoft Office document"),
    "rtf": ("application/rtf", "rtf", "an RTF document"),
    "ps": ("application/postscript", "ps", "a PostScript document"),
    "exe": ("application/vnd.microsoft.portable-executable", "exe", "a Windows program"),
    "elf": ("application/x-elf", "elf", "a Linux program"),
    "macho": ("application/x-mach-binary", "macho", "a program"),
    "wasm": ("application/wasm", "wasm", "a WebAssembly program"),
    "swf": ("application/x-shockwave-flash", "swf", "a Flash program"),
    "script": ("text/x-script", "text", "a script"),
    "sqlite": ("application/vnd.sqlite3", "sqlite", "an SQLite database"),
    "font": ("font/collection", "font", "a font"),
    "hls": ("application/vnd.apple.mpegurl", "playlist", "a playlist that only points to other files"),
    "pls": ("audio/x-scpls", "playlist", "a playlist that only points to other files"),
    "mpd": ("application/dash+xml", "playlist", "a DASH manifest that only points to other files"),
    "asx": ("video/x-ms-asx", "playlist", "a playlist that only points to other files"),
    "sdp": ("application/sdp", "playlist", "a session description that only points to other places"),
    "concat": ("text/x-ffconcat", "playlist", "a concatenation script that only points to other files"),
    "html": ("text/html", "text", "an HTML page"),
    "xml": ("text/xml", "text", "an XML document"),
    "json": ("application/json", "text", "a JSON document"),
    "vtt": ("text/vtt", "text", "a subtitle file"),
    "text": ("text/plain", "text", "a text file"),
}

FORMATS: dict[str, Sniffed] = {
    **_formats(Kind.IMAGE, _IMAGES, admitted=True),
    **_formats(Kind.VIDEO, _VIDEOS, admitted=True),
    **_formats(Kind.AUDIO, _SOUNDS, admitted=True),
    **_formats(Kind.IMAGE, _OTHER_IMAGES, admitted=False),
    **_formats(Kind.VIDEO, _OTHER_VIDEOS, admitted=False),
    **_formats(Kind.AUDIO, _OTHER_SOUNDS, admitted=False),
    **_formats(None, _STRANGERS, admitted=False),
}

# (offset, bytes, key): long before short, because the first that matches wins
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),
    (0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jxl"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", "asf"),
    (0, b"FUJIFILMCCD-RAW", "raw"),
    (0, b"SQLite format 3\x00", "sqlite"),
    (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01", "mxf"),
    (0, b"YUV4MPEG2 ", "y4m"),
    (0, b"#!AMR-WB\n", "amr"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"#!AMR\n", "amr"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"Rar!\x1a\x07", "rar"),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (0, b"#?RADIANCE", "hdr"),
    (0, b"%PDF-", "pdf"),
    (0, b"{\\rtf", "rtf"),
    (0, b"\xff\x4f\xff\x51", "jp2"),
    (0, b"IIRO", "raw"),
    (0, b"IIRS", "raw"),
    (0, b"IIU\x00", "raw"),
    (0, b"8BPS", "psd"),
    (0, b"\x76\x2f\x31\x01", "exr"),
    (0, b"fLaC", "flac"),
    (0, b"caff", "caf"),
    (0, b".snd", "au"),
    (0, b"wvpk", "wavpack"),
    (0, b"MAC ", "ape"),
    (0, b"MThd", "midi"),
    (0, b".RMF", "rm"),
    (0, b"DKIF", "ivf"),
    (0, b"FLV\x01", "flv"),
    (0, b"\x00\x00\x01\xba", "mpeg"),
    (0, b"\x00\x00\x01\xb3", "mpeg"),
    (0, b"\x00\x00\x01\x00", "ico"),
    (0, b"\x00\x00\x02\x00", "ico"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"\x7fELF", "elf"),
    (0, b"\x00asm", "wasm"),
    (0, b"\xca\xfe\xba\xbe", "macho"),
    (0, b"\xfe\xed\xfa\xce", "macho"),
    (0, b"\xfe\xed\xfa\xcf", "macho"),
    (0, b"\xce\xfa\xed\xfe", "macho"),
    (0, b"\xcf\xfa\xed\xfe", "macho"),
    (0, b"wOFF", "font"),
    (0, b"wOF2", "font"),
    (0, b"OTTO\x00", "font"),
    (0, b"\x00\x01\x00\x00\x00", "font"),
    (0, b"%!PS", "ps"),
    (0, b"BZh", "bzip2"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"FWS", "swf"),
    (0, b"CWS", "swf"),
    (0, b"ZWS", "swf"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"\x0b\x77", "ac3"),
    (0, b"\xff\x0a", "jxl"),
    (257, b"ustar", "tar"),
)
