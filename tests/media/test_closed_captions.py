"""Captions inside of pictures (CEA-608): the plan tells of them, and no rendition has any, as its playlists say."""

from pathlib import Path

import pytest

from smmu.adapters.media import cmaf
from tests.support import clips
from tests.support.clips import TOP_RUNG, Made, failures, make, render

pytestmark = pytest.mark.media

# Supplemental information of ITU-T T.35, as ATSC A/53 fills it: one pair of control codes and one of letters.
CAPTIONS = b"\xb5\x00\x31GA94\x03\x42\xff\xfc\x94\x2c\xfc\xc8\xe9\xff"
UNIT = b"\x06\x04" + bytes([len(CAPTIONS)]) + CAPTIONS + b"\x80"
BITS = ("-maxrate", "90k", "-bufsize", "90k")  # within those of a rung of 120 lines
SLICES = frozenset({1, 5})


def captioned(target: Path, *options: str) -> Path:
    """A film every picture of which has captions in it."""
    inputs = ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=10:d=7"]
    plain = make(target.with_suffix(".h264"), *inputs, *TOP_RUNG, "-bf", "0", *BITS, *options).read_bytes()
    units = [[UNIT, unit] if unit[0] & 31 in SLICES else [unit] for unit in cmaf.nal_units(plain)]
    stream = target.with_suffix(".captioned.h264")
    stream.write_bytes(b"".join(b"\0" + cmaf.START_CODE + unit for pair in units for unit in pair))
    return make(target, "-framerate", "10", "-i", str(stream), "-c", "copy", "-video_track_timescale", "10240")


def stored(made: Made) -> bytes:
    return b"".join((made.folder / file.path).read_bytes() for one in made.renditions.values() for file in one.files)


@pytest.mark.parametrize(("way", "options"), [("encoded", ("-profile:v", "main")), ("copied", ())])
def test_captions_inside_of_pictures_are_told_of_and_in_nothing_that_is_made(
    tmp_path: Path, way: str, options: tuple[str, ...]
) -> None:
    path = captioned(tmp_path / "s.mp4", *options)
    plan = clips.plan(path, tmp_path / "p")
    assert b"GA94" in path.read_bytes()
    assert ("120p", way) in {(one.subject, one.choice) for one in plan.decisions}
    assert ("source", "captions left out") in {(one.subject, one.choice) for one in plan.decisions}
    made = render(path, tmp_path / "o", "video", "poster", codecs=("h264", "hevc", "av1"))
    assert failures(made) == []
    assert ("packets_copied" in made["120p"].proof.measures) is (way == "copied")
    assert "preview" in made.renditions
    assert b"GA94" not in stored(made)


def test_a_film_without_them_is_told_nothing_of_them(tmp_path: Path) -> None:
    plain = make(tmp_path / "s.mp4", "-f", "lavfi", "-i", "testsrc2=s=160x120:r=10:d=1", *TOP_RUNG)
    assert "captions left out" not in {one.choice for one in clips.plan(plain, tmp_path / "p").decisions}
