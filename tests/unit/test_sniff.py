"""What a file is, by its first bytes; and whether that agrees with what it was said to be."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.content_types import ALIASES, EXTENSIONS, by_filename, by_type, canonical, compatible, is_admitted
from smmu.domain.facts import Kind
from smmu.domain.signatures import FORMATS, SIGNATURES
from smmu.domain.sniff import Sniffed, sniff
from tests.support.corpus import CorpusFile, each_corpus_file

SNIFF_BYTES = 16 * 1024


def key_of(head: bytes) -> str | None:
    found = sniff(head)
    return next((key for key, known in FORMATS.items() if known is found), None)


def box(name: bytes, body: bytes = b"") -> bytes:
    return (8 + len(body)).to_bytes(4) + name + body


def ftyp(major: bytes, *others: bytes) -> bytes:
    return box(b"ftyp", major + bytes(4) + b"".join(others))


def moov(*handlers: bytes) -> bytes:
    return box(b"moov", b"".join(box(b"hdlr", bytes(8) + handler + bytes(12)) for handler in handlers))


def ebml(doctype: bytes, *codec_ids: bytes) -> bytes:
    head = b"\x1aE\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\x82" + bytes([0x80 | len(doctype)]) + doctype
    return head + b"".join(b"\x86" + bytes([0x80 | len(codec)]) + codec for codec in codec_ids)


def mp3_frame() -> bytes:
    return b"\xff\xfb\x90\x00" + bytes(413)  # 128 kb/s at 44.1 kHz: 417 bytes


def adts_frame(size: int = 100) -> bytes:
    return bytes([0xFF, 0xF1, 0x50, 0x80 | size >> 11, size >> 3 & 0xFF, (size & 7) << 5 | 0x1F, 0xFC]) + bytes(
        size - 7
    )


def id3(size: int, flags: int = 0) -> bytes:
    return b"ID3\x04\x00" + bytes([flags, 0, 0, size >> 7, size & 0x7F]) + bytes(size)


def transport(step: int, count: int, skip: int = 0) -> bytes:
    return (b"\x01" * skip + b"\x47" + b"\x02" * (step - skip - 1)) * count


CASES: dict[str, tuple[bytes, str | None]] = {
    "jpeg": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "jpeg"),
    "png": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00IDATacTL", "png"),
    "animated png": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00acTL\x00IDAT", "apng"),
    "gif 87": (b"GIF87a\x01\x00", "gif"),
    "gif 89": (b"GIF89a\x01\x00", "gif"),
    "webp": (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "webp"),
    "avif": (ftyp(b"avif", b"mif1", b"miaf"), "avif"),
    "avif that calls itself a general picture": (ftyp(b"mif1", b"avif", b"miaf"), "avif"),
    "avif sequence": (ftyp(b"avis", b"msf1"), "avis"),
    "heic": (ftyp(b"heic", b"mif1"), "heic"),
    "heic in 10 bits": (ftyp(b"heix", b"mif1"), "heic"),
    "heic sequence": (ftyp(b"hevc", b"msf1"), "hevc"),
    "heif": (ftyp(b"mif1", b"mif1", b"heic"), "mif1"),
    "heif sequence": (ftyp(b"msf1", b"hevc"), "msf1"),
    "heic under an unknown major brand": (ftyp(b"abcd", b"isom", b"heic"), "heic"),
    "mp4": (ftyp(b"isom", b"iso2", b"avc1", b"mp41"), "mp4"),
    "mp4 of an unknown brand": (ftyp(b"zzzz"), "mp4"),
    "mp4 that is compatible with much": (ftyp(b"mp42", b"M4A ", b"3gp5", b"qt  "), "mp4"),
    "mp4 after padding": (box(b"free", bytes(100)) + ftyp(b"isom"), "mp4"),
    "mp4 with pictures and sound": (ftyp(b"isom") + moov(b"vide", b"soun"), "mp4"),
    "mp4 with sound alone": (ftyp(b"isom") + moov(b"soun"), "m4a"),
    "mp4 whose index is cut": (ftyp(b"isom") + moov(b"soun")[:-4], "mp4"),
    "m4v": (ftyp(b"M4V ", b"isom"), "m4v"),
    "m4a": (ftyp(b"M4A ", b"isom"), "m4a"),
    "audio book": (ftyp(b"M4B "), "m4a"),
    "quicktime": (ftyp(b"qt  "), "mov"),
    "old quicktime, index first": (box(b"moov", bytes(50)), "mov"),
    "old quicktime, data first": (b"\x20\x00\x00\x00mdat" + bytes(100), "mov"),
    "old quicktime, wide then data": (box(b"wide") + b"\x20\x00\x00\x00mdat", "mov"),
    "old quicktime, long data box": (b"\x00\x00\x00\x01mdat" + (2**40).to_bytes(8), "mov"),
    "old quicktime, padding over the head": (b"\x00\x10\x00\x00free" + bytes(100), "mov"),
    "a box of the size that looks like an icon": ((256).to_bytes(4) + b"free" + bytes(248) + ftyp(b"isom"), "mp4"),
    "a box of the size that looks like mpeg": ((0x1BA).to_bytes(4) + b"moov" + bytes(434), "mov"),
    "a meta box without ftyp": (box(b"meta", bytes(50)), None),
    "a fragment without its beginning": (box(b"moof", bytes(50)), None),
    "3gp": (ftyp(b"3gp5"), "3gp"),
    "3g2": (ftyp(b"3g2a"), "3g2"),
    "camera raw in boxes": (ftyp(b"crx "), "raw"),
    "matroska": (ebml(b"matroska", b"V_MPEG4/ISO/AVC", b"A_AAC"), "mkv"),
    "matroska sound": (ebml(b"matroska", b"A_FLAC"), "mka"),
    "webm": (ebml(b"webm", b"V_VP9"), "webm"),
    "webm sound": (ebml(b"webm", b"A_OPUS"), "weba"),
    "webm whose tracks are further on": (ebml(b"webm"), "webm"),
    "ebml of another kind": (ebml(b"secret"), None),
    "avi": (b"RIFF\x10\x00\x00\x00AVI LIST", "avi"),
    "wav": (b"RIFF\x10\x00\x00\x00WAVEfmt ", "wav"),
    "long wav": (b"RF64\xff\xff\xff\xffWAVEds64", "wav"),
    "riff of another kind": (b"RIFF\x10\x00\x00\x00CDXA", None),
    "aiff": (b"FORM\x00\x00\x00\x10AIFFCOMM", "aiff"),
    "compressed aiff": (b"FORM\x00\x00\x00\x10AIFCCOMM", "aiff"),
    "flac": (b"fLaC\x00\x00\x00\x22", "flac"),
    "vorbis": (b"OggS\x00\x02" + bytes(22) + b"\x01vorbis", "ogg"),
    "opus": (b"OggS\x00\x02" + bytes(22) + b"OpusHead", "ogg"),
    "theora": (b"OggS\x00\x02" + bytes(22) + b"\x80theora", "ogv"),
    "theora after sound": (b"OggS\x00\x02" + bytes(22) + b"\x01vorbis" + b"OggS" + bytes(24) + b"\x80theora", "ogv"),
    "mp3 with a tag": (id3(100) + mp3_frame() * 2, "mp3"),
    "mp3 with a tag longer than the head": (id3(8000)[:1000], "mp3"),
    "mp3 with padding after its tag": (id3(10) + bytes(500) + mp3_frame() * 2, "mp3"),
    "mp3 without a tag": (mp3_frame() * 2, "mp3"),
    "mp3 cut inside a frame": (b"\x12\x00\x9f" * 40 + mp3_frame() * 4, "mp3"),
    "sound of layer 1": ((b"\xff\xff\x10\x00" + bytes(28)) * 2, "mp3"),
    "frames that disagree": (mp3_frame() + b"\xff\xfb\x94\x00" + bytes(413), None),
    "a frame without a frequency": (b"\xff\xf1\x7c\x80\x0c\x9f\xfc" + bytes(93) + adts_frame()[:90], None),
    "a box smaller than its header": (b"\x00\x00\x00\x03free\xfe\xff", None),
    "one mp3 frame": (mp3_frame() + b"\x00" * 20, None),
    "flac after a tag": (id3(20) + b"fLaC", "flac"),
    "aac": (adts_frame() * 3, "aac"),
    "aac after a tag": (id3(20) + adts_frame() * 3, "aac"),
    "many tags": (id3(0) * 1600, "mp3"),
    "amr": (b"#!AMR\n\x3c", "amr"),
    "wide amr": (b"#!AMR-WB\n\x3c", "amr"),
    "transport stream": (transport(188, 5), "ts"),
    "transport stream of a camera": (transport(192, 5, 4), "ts"),
    "transport stream with error correction": (transport(204, 5), "ts"),
    "transport stream cut inside a packet": (b"\x99" * 50 + transport(188, 8), "ts"),
    "two transport packets": (transport(188, 2), None),
    "program stream": (b"\x00\x00\x01\xba\x44\x00", "mpeg"),
    "elementary stream": (b"\x00\x00\x01\xb3\x16\x00", "mpeg"),
    "bare h264": (b"\x00\x00\x00\x01\x67\x64\x00", "h264"),
    "flash video": (b"FLV\x01\x05\x00", "flv"),
    "windows media": (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(20), "asf"),
    "windows media sound": (
        bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
        + bytes(20)
        + bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b"),
        "wma",
    ),
    "bmp": (b"BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00", "bmp"),
    "two letters that are no bmp": (b"BM\x9c\xff\x12\x99\xff\x00\xfe\xff\x80\x00", None),
    "tiff, little end": (b"II*\x00\x08\x00\x00\x00\x01\x00", "tiff"),
    "tiff, big end": (b"MM\x00*\x00\x00\x00\x08\x00\x01", "tiff"),
    "big tiff": (b"II+\x00\x08\x00\x00\x00", "tiff"),
    "camera raw in tiff": (b"II*\x00\x10\x00\x00\x00CR\x02", "raw"),
    "jpeg 2000": (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),
    "jpeg xl": (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jxl"),
    "bare jpeg xl": (b"\xff\x0a\xfa\x1f", "jxl"),
    "svg": (b"<svg xmlns='x'>", "svg"),
    "svg with all that may precede": (
        codecs.BOM_UTF8 + b'<?xml version="1.0"?>\n<!-- a <html> --><!DOCTYPE svg [<!ENTITY a "b">]>\n<svg:svg>',
        "svg",
    ),
    "svg in 16 bits": (codecs.BOM_UTF16_LE + "<svg/>".encode("utf-16-le"), "svg"),
    "html": (b"\n<!DOCTYPE HTML><title>", "html"),
    "html without a doctype": (b"<HTML><body>", "html"),
    "xml": (b'<?xml version="1.0"?><note>', "xml"),
    "less than": (b"<3 you", "text"),
    "hls playlist": (b"#EXTM3U\n#EXT-X-VERSION:3", "hls"),
    "hls playlist with a mark": (codecs.BOM_UTF8 + b"\n#EXTM3U\n", "hls"),
    "dash manifest": (b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">', "mpd"),
    "concatenation script": (b"ffconcat version 1.0\nfile a.mp4", "concat"),
    "session description": (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1", "sdp"),
    "pls playlist": (b"[playlist]\nFile1=x", "pls"),
    "asx playlist": (b"<asx version='3.0'>", "asx"),
    "subtitles": (b"WEBVTT\n\n00:00.000 --> 00:01.000", "vtt"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3", "pdf"),
    "pdf after other bytes": (b"\x00\xfe" * 40 + b"%PDF-1.4", "pdf"),
    "word": (b"PK\x03\x04\x14\x00" + bytes(30) + b"word/document.xml", "docx"),
    "zip": (b"PK\x03\x04\x14\x00" + bytes(30) + b"a.txt", "zip"),
    "gzip": (b"\x1f\x8b\x08\x00", "gzip"),
    "tar": (b"a.txt" + bytes(252) + b"ustar\x0000", "tar"),
    "windows program": (b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\x00\x00", "exe"),
    "linux program": (b"\x7fELF\x02\x01", "elf"),
    "script": (b"#!/bin/sh\necho", "script"),
    "json": (b' {"a": 1}', "json"),
    "text": ("Grüße, Welt".encode(), "text"),
    "text whose last character is cut": (("x" * 20 + "é").encode()[:-1], "text"),
    "text that begins like a program": (b"MZ is what DOS programs begin with", "text"),
    "text with a box name": (b"Get free tickets", "text"),
    "noise": (b"\x00\x01\x02\x03\x9c\x9d" * 30, None),
    "zeros": (bytes(1000), None),
    "blanks": (b" \n\n ", None),
    "nothing": (b"", None),
}


@pytest.mark.parametrize(("head", "expected"), CASES.values(), ids=CASES.keys())
def test_first_bytes_name_the_format(head: bytes, expected: str | None) -> None:
    assert key_of(head) == expected


@pytest.mark.parametrize(("offset", "magic", "key"), SIGNATURES)
def test_every_signature_of_the_table_is_reached(offset: int, magic: bytes, key: str) -> None:
    assert key_of(bytes(offset) + magic + bytes(600)) == key


def test_every_name_that_is_used_is_in_the_table() -> None:
    assert {key for _, _, key in SIGNATURES} <= FORMATS.keys()
    assert set(EXTENSIONS.values()) <= FORMATS.keys()


def test_what_is_no_media_is_never_admitted_and_can_be_named() -> None:
    for known in FORMATS.values():
        assert known.admitted <= (known.kind is not None)
        assert known.label.startswith(("a ", "an "))
    pdf = sniff(b"%PDF-1.7")
    assert pdf is not None
    assert (pdf.kind, pdf.label, pdf.admitted) == (None, "a PDF document", False)


@given(st.binary(max_size=600))
def test_any_bytes_get_an_answer(head: bytes) -> None:
    assert sniff(head) is None or isinstance(sniff(head), Sniffed)


@given(st.sampled_from([head for head, key in CASES.values() if key]), st.binary(max_size=64))
def test_any_bytes_after_a_known_beginning_get_an_answer(head: bytes, rest: bytes) -> None:
    assert sniff((head + rest)[:SNIFF_BYTES]) is None or sniff(head + rest) is not None


@pytest.mark.parametrize(
    "head",
    [
        b"\xff" * SNIFF_BYTES,
        b"<?" * 8192,
        b"<!--" * 4096,
        b"<!DOCTYPE a[" + b"]" * 16000,
        b"G" * SNIFF_BYTES,
        id3(0) * 1638,
    ],
)
def test_bytes_made_to_be_slow_are_not(head: bytes) -> None:
    assert sniff(head) is None or sniff(head) is not None


# --- the open corpus: where the manifest names a type that the first kilobytes hold, it is the one found

BEYOND_THE_HEAD = {
    "broken/Pillow__broken.png",  # a PNG signature and noise: inspection's to refuse
    "broken/media__100kB-garbage-prefix.mp3",  # 100 kB of text come first
    "broken/mp4parse-rust__no-ftyp.avif",  # unrecognised, as it should be
    "video/media__sample_ac3_aac.mp4",  # its index is behind the head: a container for both
}


@each_corpus_file()
def test_corpus_files_are_what_their_manifest_says(corpus_file: CorpusFile) -> None:
    with corpus_file.path.open("rb") as file:
        found = sniff(file.read(SNIFF_BYTES))
    if corpus_file.name in BEYOND_THE_HEAD:
        assert corpus_file.expected["should_accept"] in {"reject", "policy"}
        return
    assert found is not None
    assert found.content_type == corpus_file.expected["expected_mime"]
    assert found.admitted or corpus_file.expected["should_accept"] != "accept"


# --- what was declared


@pytest.mark.parametrize(
    "declared", ["", "undefined", "null", "application/octet-stream", " Application/Octet-Stream ;x=1", "*/*"]
)
def test_an_undeclared_type_agrees_with_everything(declared: str) -> None:
    assert canonical(declared) == ""
    assert all(compatible(declared, known) for known in FORMATS.values())


@pytest.mark.parametrize(
    ("declared", "key"),
    [
        ("audio/mp3", "mp3"),
        ("audio/x-wav", "wav"),
        ("image/jpg", "jpeg"),
        ("IMAGE/JPEG; charset=binary", "jpeg"),
        ("image/heif", "heic"),
        ("image/heic", "mif1"),
        ("image/png", "jpeg"),
        ("image/*", "webp"),
        ("audio/mp4", "mp4"),
        ("video/mp4", "m4a"),
        ("video/quicktime", "mp4"),
        ("video/mp4", "mov"),
        ("audio/x-m4a", "m4a"),
        ("audio/3gpp", "3gp"),
        ("audio/webm", "webm"),
        ("video/webm", "mkv"),
        ("application/ogg", "ogv"),
        ("audio/ogg", "ogv"),
        ("video/x-ms-wmv", "wma"),
        ("text/vnd.trolltech.linguist", "ts"),
        ("application/pdf", "pdf"),
    ],
)
def test_a_declared_type_agrees_within_its_kind_or_container(declared: str, key: str) -> None:
    assert compatible(declared, FORMATS[key])


@pytest.mark.parametrize(
    ("declared", "key"),
    [
        ("image/png", "mp4"),
        ("video/mp4", "jpeg"),
        ("audio/mpeg", "mp4"),
        ("video/mp4", "wav"),
        ("image/webp", "json"),
        ("video/mp4", "hls"),
        ("video/*", "mp3"),
        ("application/pdf", "jpeg"),
        ("made/up", "jpeg"),
    ],
)
def test_a_declared_type_of_another_kind_does_not_agree(declared: str, key: str) -> None:
    assert not compatible(declared, FORMATS[key])


@given(st.sampled_from(sorted(FORMATS)))
def test_a_format_agrees_with_its_own_type(key: str) -> None:
    assert compatible(FORMATS[key].content_type, FORMATS[key])
    assert is_admitted(FORMATS[key].content_type) or not FORMATS[key].admitted


def test_aliases_lead_to_a_name_that_is_no_alias() -> None:
    assert not set(ALIASES) & set(ALIASES.values())
    assert all(by_type(name) for name in ALIASES.values())


@pytest.mark.parametrize(
    ("filename", "kind"),
    [("Film.MOV", Kind.VIDEO), ("a.b.jpeg", Kind.IMAGE), ("x.opus", Kind.AUDIO), ("bill.pdf", None)],
)
def test_an_extension_claims_a_format(filename: str, kind: Kind | None) -> None:
    claimed = by_filename(filename)
    assert claimed is not None
    assert claimed.kind is kind


@pytest.mark.parametrize("filename", ["", "mp4", ".mp4", "x.", "x.strange", "no extension"])
def test_a_name_without_a_known_extension_claims_nothing(filename: str) -> None:
    assert by_filename(filename) is None
