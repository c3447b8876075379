"""Content types as clients write them: other names for the same thing, and what a declaration may mean.

A declared type is a claim. It is compared with what the bytes say, by kind (image, video, audio) and by
container, never trusted and never stored as the truth. Sources: the IANA media type registry, and the types that
browsers, Android, iOS and Windows are known to send.
"""

from typing import Final

from smmu.domain.facts import Kind
from smmu.domain.signatures import FORMATS, Sniffed

# what clients write when they do not know: the sniffed type rules
_UNDECLARED: Final = frozenset(
    {
        "",
        "*/*",
        "undefined",
        "null",
        "none",
        "unknown",
        "unknown/unknown",
        "application/octet-stream",
        "application/unknown",
        "application/x-unknown",
        "application/x-www-form-urlencoded",
        "application/force-download",
        "application/download",
        "binary/octet-stream",
    }
)

ALIASES: Final[dict[str, str]] = {
    "application/mp4": "video/mp4",
    "application/ogg": "audio/ogg",
    "application/x-matroska": "video/x-matroska",
    "application/x-mpegurl": "application/vnd.apple.mpegurl",
    "application/x-pdf": "application/pdf",
    "application/x-zip-compressed": "application/zip",
    "audio/3gpp": "video/3gpp",
    "audio/3gpp2": "video/3gpp2",
    "audio/aacp": "audio/aac",
    "audio/amr-wb": "audio/amr",
    "audio/m4a": "audio/mp4",
    "audio/matroska": "audio/x-matroska",
    "audio/mp3": "audio/mpeg",
    "audio/mp4a-latm": "audio/mp4",
    "audio/mpa": "audio/mpeg",
    "audio/mpeg3": "audio/mpeg",
    "audio/mpegurl": "application/vnd.apple.mpegurl",
    "audio/mpg": "audio/mpeg",
    "audio/opus": "audio/ogg",
    "audio/vnd.wave": "audio/wav",
    "audio/vorbis": "audio/ogg",
    "audio/wave": "audio/wav",
    "audio/wma": "audio/x-ms-wma",
    "audio/x-aac": "audio/aac",
    "audio/x-aiff": "audio/aiff",
    "audio/x-amr": "audio/amr",
    "audio/x-flac": "audio/flac",
    "audio/x-hx-aac-adts": "audio/aac",
    "audio/x-m4a": "audio/mp4",
    "audio/x-m4b": "audio/mp4",
    "audio/x-mp3": "audio/mpeg",
    "audio/x-mpeg": "audio/mpeg",
    "audio/x-mpegurl": "application/vnd.apple.mpegurl",
    "audio/x-ogg": "audio/ogg",
    "audio/x-pn-wav": "audio/wav",
    "audio/x-wav": "audio/wav",
    "image/apng": "image/png",
    "image/avif-sequence": "image/avif",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/svg": "image/svg+xml",
    "image/tif": "image/tiff",
    "image/vnd.mozilla.apng": "image/png",
    "image/x-bmp": "image/bmp",
    "image/x-ms-bmp": "image/bmp",
    "image/x-png": "image/png",
    "image/x-tiff": "image/tiff",
    "image/x-webp": "image/webp",
    "text/vnd.trolltech.linguist": "video/mp2t",  # what Linux desktops call a `.ts` file
    "video/3gp": "video/3gpp",
    "video/avi": "video/x-msvideo",
    "video/flv": "video/x-flv",
    "video/m4v": "video/x-m4v",
    "video/matroska": "video/x-matroska",
    "video/mkv": "video/x-matroska",
    "video/mov": "video/quicktime",
    "video/mp2p": "video/mpeg",
    "video/mpeg2": "video/mpeg",
    "video/mpg": "video/mpeg",
    "video/msvideo": "video/x-msvideo",
    "video/theora": "video/ogg",
    "video/vnd.avi": "video/x-msvideo",
    "video/vnd.dlna.mpeg-tts": "video/mp2t",
    "video/x-avi": "video/x-msvideo",
    "video/x-f4v": "video/mp4",
    "video/x-matroska-3d": "video/x-matroska",
    "video/x-mpeg": "video/mpeg",
    "video/x-mpegts": "video/mp2t",
    "video/x-ms-wmv": "video/x-ms-asf",
    "video/x-ogg": "video/ogg",
    "video/x-quicktime": "video/quicktime",
}

# format: the extensions that claim it
_EXTENSIONS_OF: Final[dict[str, str]] = {
    "jpeg": "jpg jpeg jpe jfif",
    "png": "png apng",
    "gif": "gif",
    "webp": "webp",
    "avif": "avif avifs",
    "heic": "heic heics",
    "mif1": "heif heifs hif",
    "tiff": "tif tiff",
    "bmp": "bmp dib",
    "mp4": "mp4 f4v",
    "m4v": "m4v",
    "mov": "mov qt",
    "3gp": "3gp 3gpp",
    "3g2": "3g2",
    "mkv": "mkv",
    "webm": "webm",
    "avi": "avi",
    "ogv": "ogv",
    "ts": "ts m2ts mts",
    "mpeg": "mpg mpeg mpe vob m2v",
    "flv": "flv",
    "asf": "asf wmv",
    "m4a": "m4a m4b",
    "mka": "mka",
    "weba": "weba",
    "wma": "wma",
    "wav": "wav wave",
    "aiff": "aif aiff aifc",
    "flac": "flac",
    "ogg": "ogg oga opus spx",
    "mp3": "mp3",
    "aac": "aac",
    "amr": "amr",
    "jp2": "jp2 j2k jpx",
    "jxl": "jxl",
    "svg": "svg svgz",
    "psd": "psd",
    "ico": "ico cur",
    "exr": "exr",
    "raw": "cr2 cr3 nef arw raf rw2 orf",
    "mxf": "mxf",
    "rm": "rm rmvb",
    "caf": "caf",
    "au": "au",
    "ac3": "ac3",
    "ape": "ape",
    "wavpack": "wv",
    "midi": "mid midi",
    "pdf": "pdf",
    "docx": "docx",
    "xlsx": "xlsx",
    "pptx": "pptx",
    "ole": "doc xls ppt",
    "epub": "epub",
    "zip": "zip jar apk",
    "gzip": "gz tgz",
    "bzip2": "bz2",
    "xz": "xz",
    "zstd": "zst",
    "7z": "7z",
    "rar": "rar",
    "tar": "tar",
    "rtf": "rtf",
    "ps": "ps eps",
    "exe": "exe dll scr",
    "wasm": "wasm",
    "swf": "swf",
    "sqlite": "sqlite",
    "font": "ttf otf woff woff2",
    "script": "sh py js php bat ps1",
    "hls": "m3u m3u8",
    "pls": "pls",
    "mpd": "mpd",
    "asx": "asx",
    "sdp": "sdp",
    "html": "htm html xhtml",
    "xml": "xml",
    "json": "json",
    "vtt": "vtt",
    "text": "txt md csv log srt",
}
EXTENSIONS: Final[dict[str, str]] = {
    extension: key for key, extensions in _EXTENSIONS_OF.items() for extension in extensions.split()
}

# the same container holds pictures, sound or both: what is in it is known after inspection only
_FAMILIES: Final[tuple[frozenset[str], ...]] = (
    frozenset({"video/mp4", "audio/mp4", "video/quicktime", "video/x-m4v", "video/3gpp", "video/3gpp2", "audio/aac"}),
    frozenset({"video/webm", "audio/webm", "video/x-matroska", "audio/x-matroska"}),
    frozenset({"video/ogg", "audio/ogg"}),
    frozenset({"video/x-ms-asf", "audio/x-ms-wma"}),
    frozenset({"video/mp2t", "video/mpeg", "audio/mpeg"}),
)

_BY_TYPE: Final[dict[str, Sniffed]] = {known.content_type: known for known in reversed(FORMATS.values())}
ADMITTED_TYPES: Final = frozenset(known.content_type for known in FORMATS.values() if known.admitted)
_KINDS: Final = {f"{kind}/*": kind for kind in Kind}


def canonical(declared: str) -> str:
    """The one name of a content type: lower case, no parameters, aliases resolved, "" when undeclared."""
    bare = declared.partition(";")[0].strip().lower()
    return "" if bare in _UNDECLARED else ALIASES.get(bare, bare)


def by_type(declared: str) -> Sniffed | None:
    """The known format of this content type, if any."""
    return _BY_TYPE.get(canonical(declared))


def by_filename(filename: str) -> Sniffed | None:
    """The known format that the extension of `filename` claims, if any."""
    stem, dot, extension = filename.strip().rpartition(".")
    return FORMATS.get(EXTENSIONS.get(extension.lower(), "")) if stem and dot else None


def is_admitted(declared: str) -> bool:
    """Whether a file declared so may enter. Undeclared may: its bytes will say what it is."""
    bare = canonical(declared)
    return not bare or bare in ADMITTED_TYPES or bare in _KINDS


def compatible(declared: str, sniffed: Sniffed) -> bool:
    """Whether the declared type agrees with what the bytes say: undeclared, of one kind, or of one container.

    A PNG declared as a JPEG agrees (both are pictures, and the type found is the one that is kept); a PNG
    declared as a video does not.
    """
    return agrees(declared, sniffed.content_type, sniffed.kind)


def agrees(declared: str, found_type: str, found_kind: Kind | None) -> bool:
    """As `compatible`, for a type and a kind that were found in another way than by sniffing."""
    bare, found = canonical(declared), canonical(found_type)
    if not bare or bare == found:
        return True
    if any({bare, found} <= family for family in _FAMILIES):
        return True
    return found_kind is not None and _kind_of(bare) is found_kind


def _kind_of(bare: str) -> Kind | None:
    known = _BY_TYPE.get(bare)
    return known.kind if known else _KINDS.get(bare)
