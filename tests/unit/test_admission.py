"""What may enter, asked of the request and of the stored bytes: every reason, where it is wrong."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.domain.admission import UploadRequest, admit, check_stored
from smmu.domain.errors import Code, Reason, Refused
from smmu.domain.limits import GIB, MIB
from smmu.domain.options import IMAGE_WIDTHS, PRESETS, Options, parse_options
from smmu.domain.signatures import FORMATS
from smmu.domain.values import Algorithm, Checksum
from tests.support.strategies import LIMITS

GOOD = UploadRequest(filename="Ferien am Meer.mov", size=5 * GIB, content_type="video/quicktime")


def places(reasons: tuple[Reason, ...]) -> list[tuple[Code, str]]:
    return [(reason.code, reason.pointer) for reason in reasons]


def checksum(algorithm: Algorithm, size: int, byte: bytes = b"\x00") -> Checksum:
    return Checksum(algorithm=algorithm, value=base64.b64encode(byte * size).decode())


CRC = checksum(Algorithm.CRC64NVME, 8)
SHA = checksum(Algorithm.SHA256, 32)


# --- the request


def test_a_fine_request_is_admitted() -> None:
    assert admit(GOOD, LIMITS) == ()


@pytest.mark.parametrize(
    "filename",
    [
        "a.mp4",
        "旅行.mp4",
        "école d'été.mp4",
        "עברית.mp4",
        "a b  c.mp4",
        ".hidden.mp4",
        "…",
        "a..b.mp4",
        "👨‍👩‍👧.jpg",
        "\u200eIMG.jpg",
        "x" * 255,
        "🎬" * 255,
    ],
)
def test_names_of_any_language_are_filenames(filename: str) -> None:
    assert admit(replace(GOOD, filename=filename), LIMITS) == ()


@pytest.mark.parametrize(
    "filename",
    [
        "",
        "   ",
        ".",
        "..",
        "...",
        ". .",
        "a/b.mp4",
        "../a.mp4",
        "..\\a.mp4",
        "C:\\a.mp4",
        "/etc/passwd",
        "a\x00.mp4",
        "a\nb.mp4",
        "a\x7f.mp4",
        "a\u2028b.mp4",
        "photo\u202egpj.exe",
        "a\u2066b.mp4",
        "x" * 256,
        "a.mp4.",
        "a.mp4 ",
        "\ud800.mp4",
    ],
)
def test_what_is_no_filename_is_refused(filename: str) -> None:
    assert set(places(admit(replace(GOOD, filename=filename), LIMITS))) == {(Code.INVALID_FILENAME, "/filename")}


@pytest.mark.parametrize(
    ("size", "code"),
    [(0, Code.FILE_EMPTY), (-1, Code.INVALID_SIZE), (LIMITS.upload_bytes_max + 1, Code.FILE_TOO_LARGE)],
)
def test_a_size_that_cannot_be_is_refused(size: int, code: Code) -> None:
    assert places(admit(replace(GOOD, size=size), LIMITS)) == [(code, "/size")]


@pytest.mark.parametrize("size", [None, 1, LIMITS.upload_bytes_max])
def test_an_unknown_size_and_the_largest_are_admitted(size: int | None) -> None:
    assert admit(replace(GOOD, size=size), LIMITS) == ()


def test_an_empty_file_is_told_so() -> None:
    (reason,) = admit(replace(GOOD, size=0), LIMITS)
    assert reason.message == "The file is empty: choose a file that has something in it."


@pytest.mark.parametrize(
    "declared",
    ["video/mp4", "image/jpg", "audio/x-m4a; codecs=x", "image/*", "", "undefined", "application/octet-stream"],
)
def test_media_and_the_undeclared_are_admitted(declared: str) -> None:
    assert admit(replace(GOOD, content_type=declared), LIMITS) == ()


@pytest.mark.parametrize(
    "declared", ["application/pdf", "image/svg+xml", "text/html", "application/x-mpegURL", "made/up", "x", "text/*"]
)
def test_other_types_are_refused(declared: str) -> None:
    assert places(admit(replace(GOOD, content_type=declared), LIMITS)) == [(Code.TYPE_NOT_ADMITTED, "/content_type")]


@pytest.mark.parametrize("filename", ["bill.pdf", "drawing.SVG", "list.m3u8", "setup.exe"])
def test_undeclared_files_are_refused_by_an_extension_of_something_else(filename: str) -> None:
    request = replace(GOOD, content_type="", filename=filename)
    assert places(admit(request, LIMITS)) == [(Code.TYPE_NOT_ADMITTED, "/filename")]


def test_undeclared_files_of_unknown_extension_may_enter() -> None:
    assert admit(replace(GOOD, content_type="", filename="film.strange"), LIMITS) == ()


def test_a_refusal_says_what_the_file_is() -> None:
    (reason,) = admit(replace(GOOD, content_type="application/pdf"), LIMITS)
    assert reason.message == (
        "This is a PDF document (application/pdf), which is not accepted: send an image, a video or an audio file."
    )


def test_sha_256_is_for_files_of_one_request() -> None:
    assert admit(replace(GOOD, size=100 * MIB, checksum=SHA), LIMITS) == ()
    assert admit(replace(GOOD, checksum=CRC), LIMITS) == ()
    assert places(admit(replace(GOOD, checksum=SHA), LIMITS)) == [(Code.INVALID_CHECKSUM, "/checksum")]
    assert places(admit(replace(GOOD, size=None, checksum=SHA), LIMITS)) == [(Code.INVALID_CHECKSUM, "/checksum")]


@pytest.mark.parametrize(
    ("metadata", "pointer"),
    [
        ({"a": "x" * 8192}, "/metadata"),
        ({"a": "é" * 4096}, "/metadata"),
        ({str(n): "" for n in range(65)}, "/metadata"),
        ({"": "x"}, "/metadata/"),
        ({"a/b~\n": "x"}, "/metadata/a~1b~0\n"),
        ({"k" * 129: "x"}, "/metadata/" + "k" * 129),
    ],
)
def test_metadata_is_bounded(metadata: dict[str, str], pointer: str) -> None:
    assert places(admit(replace(GOOD, metadata=metadata), LIMITS)) == [(Code.INVALID_METADATA, pointer)]
    assert admit(replace(GOOD, metadata={"título": "x" * 8000}), LIMITS) == ()


def test_every_reason_is_listed() -> None:
    request = UploadRequest(filename="a/b", size=0, content_type="text/html", checksum=None, metadata={"": ""})
    assert [code for code, _ in places(admit(request, LIMITS))] == [
        Code.INVALID_FILENAME,
        Code.FILE_EMPTY,
        Code.TYPE_NOT_ADMITTED,
        Code.INVALID_METADATA,
    ]


@given(
    st.text(max_size=300),
    st.none() | st.integers(),
    st.text(max_size=40),
    st.dictionaries(st.text(), st.text(), max_size=4),
)
def test_any_request_is_judged_in_sentences(
    filename: str, size: int | None, declared: str, metadata: dict[str, str]
) -> None:
    for reason in admit(UploadRequest(filename=filename, size=size, content_type=declared, metadata=metadata), LIMITS):
        assert reason.message.endswith(".")
        assert ": " in reason.message or "1 or more" in reason.message
        assert reason.pointer.startswith("/")


# --- the options


def test_no_options_are_the_defaults() -> None:
    assert parse_options({}) == Options() == Options(preset="web", image_widths=IMAGE_WIDTHS)


@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_may_be_asked_for(preset: str) -> None:
    assert parse_options({"preset": preset}).preset == preset


def test_widths_are_sorted_and_taken_once() -> None:
    assert parse_options({"image_widths": [640, 320, 640]}).image_widths == (320, 640)


def test_the_usual_formats_are_always_among_those_wished_for() -> None:
    assert parse_options({"image_formats": ["avif"]}).image_formats == ("webp", "jpeg", "avif")
    assert parse_options({"audio_formats": ["mp3", "opus"]}).audio_formats == ("aac", "opus", "mp3")
    assert parse_options({"read_metadata": True}).read_metadata


@pytest.mark.parametrize(
    ("given_options", "pointers"),
    [
        ({"preset": "best"}, ["/options/preset"]),
        ({"preset": None}, ["/options/preset"]),
        ({"preset": ["web"]}, ["/options/preset"]),
        ({"image_widths": []}, ["/options/image_widths"]),
        ({"image_widths": [15]}, ["/options/image_widths"]),
        ({"image_widths": [8193]}, ["/options/image_widths"]),
        ({"image_widths": [True]}, ["/options/image_widths"]),
        ({"image_widths": [320.0]}, ["/options/image_widths"]),
        ({"image_widths": "320"}, ["/options/image_widths"]),
        ({"image_formats": ["gif"]}, ["/options/image_formats"]),
        ({"audio_formats": ["wav"]}, ["/options/audio_formats"]),
        ({"audio_formats": "mp3"}, ["/options/audio_formats"]),
        ({"image_formats": []}, ["/options/image_formats"]),
        ({"image_formats": [["avif"]]}, ["/options/image_formats"]),
        ({"read_metadata": "yes"}, ["/options/read_metadata"]),
        ({"image_widths": list(range(100, 109))}, ["/options/image_widths"]),
        (
            {"pre/set": "web", "preset": 1, "image_widths": 5},
            ["/options/pre~1set", "/options/preset", "/options/image_widths"],
        ),
        *(({"rungs": value}, ["/options/rungs"]) for value in ([], [241], [240.0], ["240"], [True], 240, None)),
        *(({"codecs": value}, ["/options/codecs"]) for value in ([], ["vp9"], "h264", [None], [["av1"]])),
        *(({"clip_start_s": value}, ["/options/clip_start_s"]) for value in (-1, True, "1", None, 1e9, float("nan"))),
        *(({"clip_end_s": value}, ["/options/clip_end_s"]) for value in (-1, False, "1", float("inf"))),
        ({"clip_end_s": 0}, ["/options/clip_end_s"]),
        ({"clip_start_s": 5, "clip_end_s": 5.05}, ["/options/clip_end_s"]),
        ({"mute": 1}, ["/options/mute"]),
        ({"mute": True, "preset": "audio-only"}, ["/options/mute"]),
    ],
)
def test_every_bad_option_is_named(given_options: dict[str, Any], pointers: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        parse_options(given_options)
    assert places(caught.value.reasons) == [(Code.INVALID_OPTIONS, pointer) for pointer in pointers]


def test_what_is_asked_for_is_kept_in_order() -> None:
    given = {"rungs": [720, 240], "codecs": ["av1"], "clip_start_s": 1, "clip_end_s": 2.5, "mute": True}
    assert parse_options(given) == Options(
        rungs=(240, 720), codecs=("h264", "av1"), clip_start_s=1.0, clip_end_s=2.5, mute=True
    )
    assert parse_options({"clip_end_s": None}) == Options()


# --- what was stored


def stored(**changed: Any) -> list[tuple[Code, str]]:
    base: dict[str, Any] = {
        "declared_size": 10,
        "stored_size": 10,
        "declared_type": "video/mp4",
        "sniffed": FORMATS["mp4"],
        "limits": LIMITS,
    }
    return places(check_stored(**{**base, **changed}))


def test_what_was_declared_may_become_a_job() -> None:
    assert stored() == []
    assert stored(checksums=(CRC,), stored_checksums={CRC.algorithm: CRC.value}) == []
    assert stored(declared_size=None, declared_type="", sniffed=FORMATS["flac"]) == []


@pytest.mark.parametrize(
    ("changed", "reasons"),
    [
        ({"stored_size": 9}, [(Code.SIZE_MISMATCH, "")]),
        ({"stored_size": 0, "sniffed": None}, [(Code.SIZE_MISMATCH, "")]),
        ({"declared_size": None, "stored_size": 0, "sniffed": None}, [(Code.FILE_EMPTY, "")]),
        ({"declared_size": None, "stored_size": 5 * GIB + 1}, [(Code.FILE_TOO_LARGE, "")]),
        ({"declared_size": None, "stored_size": LIMITS.upload_bytes_max + 1}, [(Code.FILE_TOO_LARGE, "")]),
        ({"sniffed": None}, [(Code.TYPE_UNRECOGNISED, "")]),
        ({"sniffed": FORMATS["jpeg"]}, [(Code.TYPE_MISMATCH, "/content_type")]),
        ({"sniffed": FORMATS["pdf"]}, [(Code.TYPE_MISMATCH, "/content_type"), (Code.TYPE_NOT_ADMITTED, "")]),
        ({"sniffed": FORMATS["pdf"], "declared_type": ""}, [(Code.TYPE_NOT_ADMITTED, "")]),
        ({"sniffed": FORMATS["jxl"], "declared_type": "image/jpeg"}, [(Code.TYPE_NOT_ADMITTED, "")]),
        ({"checksums": (CRC,)}, [(Code.CHECKSUM_MISMATCH, "/checksum")]),
        (
            {"checksums": (CRC,), "stored_checksums": {CRC.algorithm: checksum(CRC.algorithm, 8, b"1").value}},
            [(Code.CHECKSUM_MISMATCH, "/checksum")],
        ),
    ],
)
def test_what_differs_from_its_declaration_is_rejected(
    changed: dict[str, Any], reasons: list[tuple[Code, str]]
) -> None:
    assert stored(**changed) == reasons
