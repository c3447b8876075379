"""What a picture says of its making is read where it is wished for, and is in nothing that is made of it."""

import io
import json
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import numpy.typing as npt
import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from smmu.adapters.media.engine import PyavEngine
from smmu.adapters.media.picture import Notes
from smmu.adapters.media.tags import tags_of
from smmu.domain.facts import ImageFacts, Kind, MediaFacts
from smmu.domain.options import Options
from smmu.domain.planner import plan
from smmu.domain.tags import Tags, cleaned
from tests.support.corpus import CorpusFile, each_corpus_file
from tests.support.media import LIMITS, FileSource, Fractions, MemorySink, gradient

pytestmark = pytest.mark.media

XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 exif:GPSLatitude="47,22.0166N" exif:GPSLongitude="8,33.5W" exif:DateTimeOriginal="2024-05-06T07:08:09.5+02:00">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Lake</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li><rdf:li>Grace</rdf:li></rdf:Seq></dc:creator>
<dc:subject><rdf:Bag><rdf:li>water</rdf:li><rdf:li>boat</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
SEEN = 6.0  # of 256, on average: what scaling by another method and writing with losses may change
IDENTIFYING = ("gps", "serial", "latitude", "longitude", "owner", "make", "model", "lens", "software", "artist")


def camera() -> Image.Exif:
    exif = Image.Exif()
    exif.update({0x010F: "SMMU", 0x0110: "Camera 7", 0x013B: "Ada", 0x0132: "2020:01:01 00:00:00"})
    shot = {0x829A: 0.004, 0x829D: 2.8, 0x8827: 400, 0x920A: 35.0, 0xA434: "35mm F2.8", 0xA431: "SN-123456"}
    exif.get_ifd(0x8769).update({**shot, 0x9003: "2024:05:06 07:08:09", 0x9011: "+02:00"})
    exif.get_ifd(0x8825).update({1: "S", 2: (33.0, 51.0, 30.0), 3: "E", 4: (151.0, 12.0, 0.0), 5: b"\1", 6: 12.5})
    return exif


def iptc(*sets: tuple[int, int, bytes]) -> bytes:
    return b"".join(struct.pack(">BBBH", 0x1C, record, number, len(text)) + text for record, number, text in sets)


def resource(number: int, data: bytes, name: bytes = b"") -> bytes:
    """One of Photoshop's resources."""
    called = bytes([len(name)]) + name + bytes(1 - len(name) % 2)
    return struct.pack(">4sH", b"8BIM", number) + called + struct.pack(">I", len(data)) + data + bytes(len(data) % 2)


def exiftool(*paths: Path) -> list[dict[str, Any]]:
    program = shutil.which("exiftool")
    assert program is not None, "Debian's libimage-exiftool-perl is needed: see system-packages.txt"
    said = subprocess.run([program, "-j", "-a", "-G1", "-ee", "-u", *map(str, paths)], capture_output=True, check=False)
    found: list[dict[str, Any]] = json.loads(said.stdout)
    return found


async def everything_made_of(path: Path, folder: Path) -> list[Path]:
    """Every rendition in every format, as files."""
    engine, sink = PyavEngine(LIMITS, str(folder / "scratch")), MemorySink()
    facts = await engine.inspect(FileSource(path))
    wish = Options(image_widths=(64, 200), image_formats=("webp", "jpeg", "avif"))
    for task in plan(facts, wish, LIMITS).stages[0].tasks:
        for made in await engine.render(FileSource(path), task, sink, Fractions()):
            assert made.proof.ok, made.proof.failures
    for name, data in sink.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return [folder / name for name in sink.files]


def is_picture(file: CorpusFile) -> bool:
    return file.expected["should_accept"] == "accept" and file.expected["kind"] == "image"


def as_shown(path: Path) -> Image.Image:
    """The picture as Pillow, Little CMS and libheif show it, upright and in sRGB. In HEIF only the container turns it."""
    pillow_heif.register_heif_opener()
    with Image.open(path) as opened:
        profile = opened.info.get("icc_profile")
        shown = opened.copy() if opened.format in {"AVIF", "HEIF"} else ImageOps.exif_transpose(opened)
    if profile:
        known = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(shown, known, ImageCms.createProfile("sRGB"), outputMode="RGB") or shown
    return Image.fromarray((np.asarray(shown) / 257).astype("uint8")) if shown.mode.startswith("I") else shown


def small(picture: Image.Image) -> npt.NDArray[np.float64]:
    """The picture on white, as 16 by 16 means."""
    seen = picture.convert("RGBA")
    seen = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    return np.asarray(seen.resize((16, 16), Image.Resampling.BOX)).astype(np.float64)


def identifying(said: dict[str, Any]) -> dict[str, Any]:
    """What names a place, a person or a device, in any group of tags that a file may carry."""
    return {
        name: value
        for name, value in said.items()
        if name.partition(":")[0] not in {"ExifTool", "System", "File", "Composite", "ICC_Profile", "ICC-header"}
        and any(word in name.lower() for word in IDENTIFYING)
    }


def test_a_camera_tells_all_of_its_tags() -> None:
    assert tags_of(Notes(exif=camera().tobytes())) == Tags(
        make="SMMU",
        model="Camera 7",
        lens="35mm F2.8",
        creator="Ada",
        taken_at="2024-05-06T07:08:09+02:00",
        exposure_s=0.004,
        aperture=2.8,
        iso=400.0,
        focal_length_mm=35.0,
        latitude=-33.8583333,
        longitude=151.2,
        altitude_m=-12.5,
    )


def test_xmp_says_what_exif_does_not() -> None:
    found = tags_of(Notes(xmp=XMP.encode()))
    assert found == Tags(
        title="Lake",
        creator="Ada, Grace",
        keywords=("water", "boat"),
        taken_at="2024-05-06T07:08:09+02:00",
        latitude=47.3669433,
        longitude=-8.5583333,
    )
    both = tags_of(Notes(exif=camera().tobytes(), xmp=XMP.encode()))
    assert both is not None
    assert (both.creator, both.title, both.latitude) == ("Ada", "Lake", -33.8583333)


def test_iptc_says_what_the_others_do_not() -> None:
    words = iptc((1, 90, b"\x1b%G"), (2, 5, "Zürich".encode()), (2, 25, b"a"), (2, 25, b"b"), (2, 116, b"mine"))
    for before in ((), (resource(0x040C, b"\x1c\x02\x05\0\1?\x1c\x01"),), (resource(0x03ED, b"odd", b"name"),)):
        said = tags_of(Notes(iptc=b"Photoshop 3.0\0" + b"".join((*before, resource(0x0404, words)))))
        assert said == Tags(title="Zürich", keywords=("a", "b"), copyright="mine")
    assert tags_of(Notes(iptc=iptc((2, 5, "Zürich".encode("latin-1"))))) == Tags(title="Zürich")


async def test_iptc_is_read_as_another_program_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    gradient(64, 48).save(path)
    told = ("-ObjectName=Lake", "-DateCreated=2024:05:06", "-TimeCreated=07:08:09+02:00", "-Keywords=water")
    await anyio.run_process(["exiftool", "-q", *(f"-IPTC:{one[1:]}" for one in told), str(path)])
    facts = await PyavEngine(LIMITS, str(tmp_path / "scratch")).inspect(FileSource(path))
    assert facts.tags == Tags(title="Lake", taken_at="2024-05-06T07:08:09+02:00", keywords=("water",))


def test_a_packet_that_declares_entities_is_not_parsed() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>' + XMP.replace("Lake", "&a;")
    assert tags_of(Notes(xmp=bomb.encode())) is None


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow tells of what it skips, and goes on
@given(st.binary(max_size=400), st.binary(max_size=400), st.binary(max_size=400))
def test_damaged_notes_never_keep_a_picture_out(exif: bytes, xmp: bytes, iptc_data: bytes) -> None:
    tags_of(Notes(exif=exif, xmp=xmp, iptc=iptc_data))


@pytest.mark.filterwarnings("ignore::UserWarning")  # as above
@given(st.data())
def test_a_flipped_bit_in_exif_never_keeps_a_picture_out(data: st.DataObject) -> None:
    whole = bytearray(camera().tobytes())
    for _ in range(data.draw(st.integers(min_value=1, max_value=6))):
        whole[data.draw(st.integers(min_value=0, max_value=len(whole) - 1))] = data.draw(st.integers(0, 255))
    found = tags_of(Notes(exif=bytes(whole)))
    assert json.dumps(None if found is None else found.keywords, allow_nan=False)


@pytest.mark.anyio
async def test_tags_are_among_the_facts_and_in_nothing_that_is_made(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    gradient(400, 300).save(path, exif=camera(), xmp=XMP.encode(), comment=b"Owner: Ada")
    facts = await PyavEngine(LIMITS, str(tmp_path / "scratch")).inspect(FileSource(path))
    assert facts.tags is not None
    assert (facts.tags.model, facts.tags.title, facts.has_position) == ("Camera 7", "Lake", True)
    assert {"ExifIFD:SerialNumber", "GPS:GPSLatitude"} <= exiftool(path)[0].keys()
    made = await everything_made_of(path, tmp_path / "made")
    assert len(made) == 12
    assert [identifying(said) for said in exiftool(*made)] == [{}] * 12
    assert not any(word in file.read_bytes() for file in made for word in (b"SN-123456", b"Ada", b"Lake"))


@pytest.mark.anyio
@each_corpus_file(where=is_picture)
async def test_what_is_made_of_a_real_picture_looks_like_it_and_identifies_nothing(
    corpus_file: CorpusFile, tmp_path: Path
) -> None:
    made = await everything_made_of(corpus_file.path, tmp_path)
    assert [identifying(said) for said in exiftool(*made)] == [{}] * len(made)
    source = as_shown(corpus_file.path)
    assert [*source.size] == [corpus_file.number("display_width"), corpus_file.number("display_height")]
    for path in (file for file in made if file.name.startswith("image-")):
        picture = as_shown(path)
        assert picture.height == pytest.approx(source.height * picture.width / source.width, abs=0.51)
        assert np.abs(small(picture) - small(source)).mean() < SEEN, path.name


# --- what is kept of it

WORDS = st.text(max_size=300)
NUMBERS = st.one_of(st.none(), st.floats())
TAGS = st.builds(
    Tags,
    make=WORDS,
    description=st.text(max_size=3000),
    keywords=st.lists(WORDS, max_size=80).map(tuple),
    taken_at=st.one_of(st.none(), WORDS, st.just("2024-05-06T07:08:09+02:00")),
    latitude=NUMBERS,
    longitude=NUMBERS,
    altitude_m=NUMBERS,
    iso=NUMBERS,
)


@given(TAGS)
def test_whatever_is_kept_is_short_clean_and_possible(tags: Tags) -> None:
    kept = cleaned(tags)
    if kept is None:
        return
    assert len(kept.make) <= 200
    assert len(kept.description) <= 2000
    assert len(kept.keywords) <= 50
    assert all(word.isprintable() for word in (kept.make, kept.description, *kept.keywords))
    assert (kept.latitude is None) == (kept.longitude is None)
    assert kept.latitude is None or -90 <= kept.latitude <= 90
    assert cleaned(kept) == kept
    assert json.dumps({"iso": kept.iso, "height": kept.altitude_m}, allow_nan=False)


def test_what_hides_in_a_text_is_taken_out() -> None:
    kept = cleaned(Tags(make="a\0b\x1b[31m\u202ec\nd", taken_at="2024-13-06T07:08:09", latitude=10.0))
    assert kept == Tags(make="a b [31mc d")
    assert cleaned(Tags(make="\0 \u200f")) is None


def test_facts_are_planned_alike_with_tags_and_without() -> None:
    facts = MediaFacts(
        kind=Kind.IMAGE,
        container="jpeg",
        content_type="image/jpeg",
        size_bytes=9,
        image=ImageFacts(width=40, height=30),
        tags=Tags(make="x"),
    )
    assert plan(facts, Options(), LIMITS).stages == plan(facts, Options(read_metadata=True), LIMITS).stages
