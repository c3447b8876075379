"""What a file says of how it is to be shown: a sphere, a panorama, two eyes, one half of a live photo."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from smmu.adapters.media.engine import PyavEngine
from smmu.adapters.media.picture import Notes
from smmu.adapters.media.tags import marks_of
from smmu.domain.classification import classify
from smmu.domain.errors import Code, Refused
from smmu.domain.facts import Mark
from tests.support.clips import inspect, make
from tests.support.media import LIMITS, FileSource, gradient

pytestmark = pytest.mark.media

_CLIP = ("-f", "lavfi", "-i", "testsrc2=s=64x64:r=10", "-t", "1", "-c:v", "libx264", "-pix_fmt", "yuv420p")
_INTO = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1")
_BEFORE = {b"stsd": 8, b"avc1": 78}  # bytes of a box before the boxes in it


def box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return (8 + len(body)).to_bytes(4) + name + body


SPHERE = box(b"sv3d", box(b"svhd", bytes(5)), box(b"proj", box(b"prhd", bytes(16)), box(b"equi", bytes(20))))


def gpano(projection: str) -> bytes:
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"
 GPano:ProjectionType="{projection}"/></rdf:RDF></x:xmpmeta>""".encode()


def stereo(mode: int) -> bytes:
    return box(b"st3d", bytes(4), bytes([mode]))


def spatial(eyes: int) -> bytes:
    return box(b"vexu", box(b"eyes", box(b"stri", bytes(4), bytes([eyes]))))


def with_boxes(path: Path, *boxes: bytes) -> Path:
    """The film with boxes in its picture's sample entry. Its index is at the end, so no offset moves."""
    data, more = bytearray(path.read_bytes()), b"".join(boxes)
    at, end = 0, len(data)
    for name in _INTO:
        while data[at + 4 : at + 8] != name:
            at += int.from_bytes(data[at : at + 4])
            assert at < end, name
        size = int.from_bytes(data[at : at + 4])
        data[at : at + 4] = (size + len(more)).to_bytes(4)
        end, at = at + size, at + 8 + _BEFORE.get(name, 0)
    path.write_bytes(data[:end] + more + data[end:])
    return path


@pytest.mark.parametrize(
    ("boxes", "marks"),
    [
        ((), ()),
        ((SPHERE,), (Mark.SPHERICAL,)),
        ((stereo(1),), (Mark.STEREO,)),
        ((stereo(0),), ()),
        ((spatial(3),), (Mark.STEREO,)),
        ((spatial(1),), ()),
        ((stereo(2), SPHERE), (Mark.SPHERICAL, Mark.STEREO)),
    ],
)
def test_a_film_says_its_projection_in_its_sample_entry(
    tmp_path: Path, boxes: tuple[bytes, ...], marks: tuple[Mark, ...]
) -> None:
    facts = inspect(with_boxes(make(tmp_path / "film.mp4", *_CLIP), *boxes), tmp_path)
    assert facts.marks == marks
    assert {*marks} <= {*classify(facts)["traits"]}


def test_a_film_that_belongs_to_a_photo_names_it(tmp_path: Path) -> None:
    name = ("-metadata", "com.apple.quicktime.content.identifier=8A6F", "-movflags", "use_metadata_tags")
    facts = inspect(make(tmp_path / "film.mov", *_CLIP, *name), tmp_path)
    assert facts.marks == (Mark.LIVE_PHOTO,)
    assert "live_photo" in classify(facts)["traits"]


@pytest.mark.parametrize(
    ("projection", "marks"),
    [
        ("equirectangular", (Mark.SPHERICAL,)),
        ("Cylindrical", (Mark.PANORAMA,)),
        ("flat", ()),
        ("", ()),
    ],
)
async def test_a_photo_says_its_projection_in_xmp(tmp_path: Path, projection: str, marks: tuple[Mark, ...]) -> None:
    path = tmp_path / "photo.jpg"
    gradient(200, 100).save(path, xmp=gpano(projection))
    facts = await PyavEngine(LIMITS, str(tmp_path / "scratch")).inspect(FileSource(path))
    assert facts.marks == marks
    assert {*marks} == {*classify(facts)["traits"]} & {*Mark}


@pytest.mark.parametrize(
    ("said", "marks"),
    [('MotionPhoto="1"', (Mark.LIVE_PHOTO,)), ('MicroVideo="1"', (Mark.LIVE_PHOTO,)), ('MotionPhoto="0"', ())],
)
async def test_a_photo_with_a_film_behind_it_says_so_in_xmp(tmp_path: Path, said: str, marks: tuple[Mark, ...]) -> None:
    words = (
        gpano("")
        .replace(b"GPano:ProjectionType", b'xmlns:C="http://ns.google.com/photos/1.0/camera/" C:x')
        .replace(b'C:x=""', f"C:{said}".encode())
    )
    gradient(80, 60).save(tmp_path / "photo.jpg", xmp=words)
    assert (
        await PyavEngine(LIMITS, str(tmp_path / "scratch")).inspect(FileSource(tmp_path / "photo.jpg"))
    ).marks == marks


@pytest.mark.parametrize(("tag", "marks"), [(0x0011, (Mark.LIVE_PHOTO,)), (0x0004, ())])
async def test_a_photo_with_a_film_beside_it_says_so_in_its_makers_notes(
    tmp_path: Path, tag: int, marks: tuple[Mark, ...]
) -> None:
    tags = [struct.pack(">HHII", 0x0001, 9, 1, 14), struct.pack(">HHII", tag, 2, 37, 44)]
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x927C] = b"Apple iOS\0\0\1MM" + struct.pack(">H", 2) + b"".join(tags) + bytes(4) + b"8A6F"
    gradient(80, 60).save(tmp_path / "photo.jpg", exif=exif)
    assert (
        await PyavEngine(LIMITS, str(tmp_path / "scratch")).inspect(FileSource(tmp_path / "photo.jpg"))
    ).marks == marks


async def test_a_photo_that_says_nothing_has_no_marks(tmp_path: Path) -> None:
    gradient(400, 100).save(tmp_path / "wide.png")  # a shape alone is no panorama
    facts = await PyavEngine(LIMITS, str(tmp_path / "scratch")).inspect(FileSource(tmp_path / "wide.png"))
    assert facts.marks == ()


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow tells of what it skips, and goes on
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_damaged_notes_say_nothing(xmp: bytes, note: bytes) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x927C] = b"Apple iOS\0" + note.replace(b"\x11", b"")
    assert list(marks_of(Notes(xmp=xmp, exif=exif.tobytes()))) == []


def dolby(profile: int, compatible: int, name: bytes = b"dvcC") -> bytes:
    return box(name, bytes([1, 0, profile << 1, 0b101, compatible << 4]), bytes(19))


@pytest.mark.parametrize("name", [b"dvcC", b"dvvC"])
@pytest.mark.parametrize(
    ("profile", "compatible", "accepted"), [(5, 0, False), (10, 0, False), (8, 1, True), (8, 4, True)]
)
def test_dolby_vision_without_a_base_that_others_show_is_refused(
    tmp_path: Path, name: bytes, profile: int, compatible: int, *, accepted: bool
) -> None:
    film = with_boxes(make(tmp_path / "film.mp4", *_CLIP), dolby(profile, compatible, name))
    if accepted:
        assert inspect(film, tmp_path).video is not None
        return
    with pytest.raises(Refused) as refused:
        inspect(film, tmp_path)
    assert refused.value.code is Code.REJECTED_UNSUPPORTED_CODEC
    assert "Dolby Vision" in refused.value.message
