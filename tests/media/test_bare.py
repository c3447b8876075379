"""What is published says nothing of where and with what it was made, and a proof that finds something there fails."""

from fractions import Fraction
from pathlib import Path

import pytest

from smmu.adapters.media.coding import CODINGS
from smmu.adapters.media.proof import RungWitness, prove_progressive
from smmu.adapters.media.segments import Segment
from smmu.domain.manifest import Check
from smmu.domain.plan import RungSpec
from tests.support.clips import FAST, Made, make, render

pytestmark = pytest.mark.media

SPEC = RungSpec(name="240p", width=320, height=240, frame_rate_max=Fraction(30), crf=23, bitrate_bps_max=400_000)
NAMES = ("240p", "240p-hevc", "240p-av1", "hls-audio", "mp4", "poster")
PLACE = "+48.8577+002.295/"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("bare")
    inputs = ["-f", "lavfi", "-t", "1", "-i", "testsrc2=s=320x240:r=25", "-f", "lavfi", "-t", "1", "-i", "sine=r=48000"]
    source = make(folder / "s.mp4", *inputs, *FAST, "-metadata", f"location={PLACE}", "-metadata:s:a", "language=deu")
    return render(source, folder / "o", "video", "poster", codecs=("h264", "hevc", "av1"))


def bareness(checks: tuple[Check, ...]) -> list[tuple[bool, str]]:
    return [(one.ok, one.measured) for one in checks if one.name == "no metadata"]


@pytest.mark.parametrize("name", NAMES)
def test_every_rendition_is_proven_to_carry_nothing_of_the_source(made: Made, name: str) -> None:
    assert bareness(made[name].proof.checks) == [(True, "none")]
    assert all(PLACE.encode() not in (made.folder / file.path).read_bytes() for file in made[name].files)


@pytest.mark.parametrize("tag", ["location", "title", "com.apple.quicktime.model"])
def test_a_file_that_says_more_than_its_muxer_does_is_told(made: Made, tmp_path: Path, tag: str) -> None:
    tags = ("-movflags", "use_metadata_tags", "-metadata", f"{tag}={PLACE}")
    told = make(tmp_path / "t.mp4", "-i", str(made.path("mp4")), "-c", "copy", *tags)
    assert [ok for ok, _ in bareness(prove_progressive(told, [25, 48], lambda: None))] == [False]


def supplemented(sample: bytes, head: bytes, kind: int) -> bytes:
    """The sample behind supplemental information: a picture's timing, and then this kind of it."""
    unit = head + bytes([1, 1, 0]) + bytes([kind, 16]) + b"serial no. 12345" + b"\x80"
    return len(unit).to_bytes(4) + unit + sample


@pytest.mark.parametrize(("codec", "head"), [("h264", b"\x06"), ("hevc", b"\x4e\x01"), ("hevc", b"\x50\x01")])
@pytest.mark.parametrize(("kind", "found"), [(4, ["registered user data"]), (5, ["user data"]), (6, [])])
def test_what_stands_beside_pictures_is_found(codec: str, head: bytes, kind: int, found: list[str]) -> None:
    coding = next(one for name, one in CODINGS.items() if name == codec)
    assert coding.extras(supplemented(b"\0\0\0\2\x26\x01", head, kind)) == found


def test_metadata_of_av1_is_found() -> None:
    assert CODINGS["av1"].extras(bytes([0x2A, 3, 4, 0xB5, 0x80, 0x32, 1, 0])) == ["metadata"]


def test_a_segment_with_data_of_others_in_it_fails_its_proof(made: Made) -> None:
    folder = made.path("240p").parent
    init, data = (folder / "init.mp4").read_bytes(), (folder / "seg-00001.m4s").read_bytes()
    named = bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef")
    assert named in data
    told = []
    for changed in (data, data.replace(named, bytes(range(100, 116)))):
        witness = RungWitness(SPEC, ticks=12_800, decode_all=False)
        segment = Segment(path="s", start=Fraction(0), duration=Fraction(1), size=len(data), packets=())
        witness.examine(segment, init, changed)
        told += bareness(witness.checks(Fraction(1, 25), capped=True))
    assert told == [(True, "none"), (False, "user data")]
