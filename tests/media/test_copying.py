"""A source that already is a valid top rung becomes it by packets; whatever is not so is encoded, and is told why.

Clips are made and judged by Debian's ffmpeg. That every other source of every other test is encoded is tested there.
"""

import random
import subprocess
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smmu.adapters.media.cadence import Selector
from smmu.adapters.media.copying import cut_at, decoding_times
from smmu.domain.options import Options
from tests.support import clips
from tests.support.clips import Made, failures, make, render, top_rung

pytestmark = pytest.mark.media

TOP = "300p"


def copied(path: Path, target: Path, *options: str) -> Path:
    """The same packets in another container."""
    return make(target, "-i", str(path), "-map", "0", "-c", "copy", *options)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return top_rung(tmp_path_factory.mktemp("film") / "s.mp4", "-bf", "2")


@pytest.fixture(scope="module")
def made(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return render(film, tmp_path_factory.mktemp("made"), "video")


def decision(path: Path, folder: Path, **wishes: object) -> tuple[str, str]:
    made = clips.plan(path, folder, Options(**wishes))  # type: ignore[arg-type] # as an owner wishes
    return next((one.choice, one.reason) for one in made.decisions if one.choice in {"copied", "encoded"})


def check_ladder(made: Made) -> None:
    assert failures(made) == []
    for name in ("hls", "dash", "mp4"):
        assert clips.plays(made.path(name)) == ""
    rungs = [one.name for one in made.renditions.values() if one.role == "hls-video"]
    assert len({tuple(clips.keyframe_times(made.path(name))) for name in rungs}) == 1
    assert len({tuple(durations(made, name)) for name in rungs}) == 1


def durations(made: Made, name: str) -> list[str]:
    return [line for line in made.path(name).read_text(encoding="utf-8").splitlines() if line.startswith("#EXTINF")]


def digests(path: Path) -> list[str]:
    """The MD5 of each picture's pixels, in the order in which they are shown."""
    reading = ["-allowed_extensions", "ALL"] if path.suffix == ".m3u8" else []
    command = ["ffmpeg", "-v", "error", *reading, "-i", str(path), "-map", "0:v", "-fps_mode", "passthrough"]
    done = subprocess.run([*command, "-f", "framemd5", "-"], check=True, capture_output=True, text=True, timeout=60)
    return [line.split(",")[-1].strip() for line in done.stdout.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("container", ["mkv", "ts", "flv", "fragments.mp4"])
def test_packets_become_the_top_rung_whatever_holds_them(film: Path, tmp_path: Path, container: str) -> None:
    options = ["-movflags", "frag_keyframe+empty_moov"] if "fragments" in container else []
    path = copied(film, tmp_path / f"s.{container}", *options)
    assert decision(path, tmp_path / "p")[0] == "copied"
    made = render(path, tmp_path / "o", "video")
    check_ladder(made)
    assert made[TOP].proof.measures["packets_copied"] == 130
    assert made[TOP].proof.measures["ssim_min"] == 1.0
    assert digests(made.path(TOP)) == digests(made.path("mp4")) == digests(film)
    assert len(durations(made, TOP)) == 3


def test_its_times_are_those_of_the_source_and_its_header_says_what_it_is(film: Path, made: Made) -> None:
    check_ladder(made)
    shown, was = (sorted(float(one["pts_time"]) for one in clips.packets(path)) for path in (made.path(TOP), film))
    assert shown == was
    told = clips.stream(made.path(TOP), "v")
    assert f'CODECS="avc1.6400{told["level"]:02x},mp4a.40.2"' in made.path("hls").read_text(encoding="utf-8")
    assert (told["profile"], told["color_space"], told["color_range"]) == ("High", "bt709", "tv")
    assert clips.keyframe_times(made.path(TOP)) == clips.keyframe_times(film)
    assert digests(made.path(TOP)) == digests(made.path("mp4")) == digests(film)


def test_nothing_but_pictures_is_copied_of_what_a_camera_writes_into_them(film: Path, made: Made) -> None:
    assert b"x264 - core" in film.read_bytes()  # in supplemental information, where cameras have places
    stored = b"".join(file.read_bytes() for file in made.path(TOP).parent.iterdir())
    assert b"x264 - core" not in stored
    assert "packets_copied" in made[TOP].proof.measures


def test_irregular_keyframes_up_to_six_seconds_apart_are_those_of_every_rung(tmp_path: Path) -> None:
    path = top_rung(tmp_path / "s.mp4", "-g", "9999", "-keyint_min", "1", "-force_key_frames", "0,1.4,6.6,11.4,16.8",
                  seconds=20)  # fmt: skip
    assert decision(path, tmp_path / "p")[0] == "copied"
    made = render(path, tmp_path / "o", "video", codecs=("h264", "hevc"))
    check_ladder(made)
    assert clips.keyframe_times(made.path("240p")) == pytest.approx([0, 1.4, 6.6, 11.4, 16.8], abs=1e-3)
    # Together they would last 6.6 and 10.2 seconds.
    assert durations(made, "240p") == [f"#EXTINF:{each:.6f}," for each in (1.4, 5.2, 4.8, 5.4, 3.2)]
    assert "#EXT-X-TARGETDURATION:6" in made.path("240p").read_text(encoding="utf-8")


def test_keyframes_at_odd_pictures_are_kept_where_only_every_other_picture_is(tmp_path: Path) -> None:
    path = top_rung(tmp_path / "s.mp4", "-g", "75", "-keyint_min", "75", "-maxrate", "600k",
                  shown="testsrc2=s=578x434:r=50", seconds=3.2)  # fmt: skip
    made = render(path, tmp_path / "o", "video")
    check_ladder(made)
    assert "packets_copied" in made["434p"].proof.measures
    times = sorted(float(packet["pts_time"]) for packet in clips.packets(made.path("240p")))
    assert min(after - before for before, after in pairwise(times)) > 0.039


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("open.mp4", ("-x264-params", "open-gop=1", "-bf", "3"), "open"),
        ("open.ts", ("-x264-params", "open-gop=1", "-bf", "3"), "open"),
        ("long.mp4", ("-g", "100", "-keyint_min", "100"), "up to 10 s apart"),
        ("deep.mp4", ("-profile:v", "high422", "-pix_fmt", "yuv422p"), "yuv422p"),
        ("level.mp4", ("-level", "5.1"), "level is 5.1"),
        ("main.mp4", ("-profile:v", "main"), "Main"),
        ("bits.mp4", ("-maxrate", "9000k", "-bufsize", "9000k", "-qp", "4"), "Mb/s"),
        ("dense.mp4", ("-g", "5", "-keyint_min", "5"), "0.52 s"),
        ("dim.mp4", ("-color_primaries", "smpte170m", "-colorspace", "smpte170m"), "BT.709"),
        ("fields.mp4", ("-flags", "+ildct+ilme", "-x264-params", "tff=1"), "fields"),
        ("wide.mp4", ("-vf", "setsar=4/3"), "square"),
        ("large.mp4", ("-vf", "scale=486x364,setsar=1"), "486 × 364"),
    ],
)
def test_what_is_no_valid_top_rung_is_encoded_and_says_why(
    tmp_path: Path, name: str, options: tuple[str, ...], reason: str
) -> None:
    path = top_rung(tmp_path / name, *options)
    choice, why = decision(path, tmp_path / "p")
    assert choice == "encoded"
    assert reason in why


def test_a_part_of_a_film_is_encoded(film: Path, tmp_path: Path) -> None:
    assert decision(film, tmp_path / "p", clip_start_s=2.0)[0] == "encoded"
    assert decision(film, tmp_path / "p", clip_start_s=0.0)[0] == "copied"


def test_a_film_whose_beginning_is_hidden_by_an_edit_is_encoded(film: Path, tmp_path: Path) -> None:
    path = make(tmp_path / "s.mp4", "-ss", "1", "-i", str(film), "-c", "copy")
    choice, why = decision(path, tmp_path / "p")
    assert (choice, "edit list" in why) == ("encoded", True)


def late(film: Path, target: Path, *, at: int, skipped: int) -> Path:
    """The film with nothing but zeros in one packet, but for its first bytes."""
    packet = clips.packets(film)[at]
    data = bytearray(film.read_bytes())
    start, end = (int(packet["pos"]) + skipped, int(packet["pos"]) + int(packet["size"]))
    data[start:end] = bytes(end - start)
    target.write_bytes(data)
    return target


@pytest.mark.parametrize(
    ("skipped", "reason"), [(0, "a packet of it is cut off"), (5, "some of its packets do not decode")]
)
def test_what_turns_out_to_be_unfit_is_encoded_in_the_same_task(
    film: Path, tmp_path: Path, skipped: int, reason: str
) -> None:
    """Before anything is made where the packets themselves show it, and after a good part where only decoding does."""
    path = late(film, tmp_path / "s.mp4", at=91, skipped=skipped)
    assert decision(path, tmp_path / "p")[0] == "copied"
    made = render(path, tmp_path / "o", "video")
    check_ladder(made)
    measures = made[TOP].proof.measures
    assert measures["encoded_because"] == reason
    assert "packets_copied" not in measures
    assert float(measures["source_packets_undecodable"]) >= 1
    listed_files = {file.path for one in made.renditions.values() for file in one.files}
    stored = {str(path.relative_to(made.folder)) for path in made.folder.rglob("*") if path.is_file()}
    assert stored == listed_files


def test_groups_that_open_where_nobody_looked_are_found_before_anything_is_made(tmp_path: Path) -> None:
    closed = top_rung(tmp_path / "c.ts", "-bf", "3", seconds=8)
    opened = top_rung(tmp_path / "o.ts", "-bf", "3", "-x264-params", "open-gop=1", "-output_ts_offset", "8", seconds=5)
    joined = tmp_path / "j.ts"
    joined.write_bytes(closed.read_bytes() + opened.read_bytes())
    path = copied(joined, tmp_path / "s.mp4")
    made = render(path, tmp_path / "o", "video")
    check_ladder(made)
    assert "packets_copied" not in made[TOP].proof.measures


@given(st.lists(st.integers(1, 9), min_size=1, max_size=60), st.randoms())
def test_decoding_times_rise_and_come_before_presentation(steps: list[int], chance: random.Random) -> None:
    shown = np.cumsum([0, *steps])
    order = sorted(range(len(shown)), key=lambda index: index + chance.uniform(0, 4))
    drawn = shown[order]
    decoded = decoding_times(drawn)
    assert (np.diff(decoded) > 0).all()
    assert (decoded <= drawn).all()
    # As late as that allows: one picture is decoded just when it is shown.
    assert (decoded == drawn).any()


@given(st.lists(st.fractions(Fraction(1, 50), 6), min_size=1, max_size=40))
def test_segments_are_as_long_as_they_may_be(groups: list[Fraction]) -> None:
    starts = [sum(groups[:index], Fraction(0)) for index in range(len(groups))]
    end = starts[-1] + groups[-1]
    cuts = [starts[index] for index in cut_at(starts, end, Fraction(6))]
    assert cuts[0] == 0
    lengths = [after - before for before, after in pairwise([*cuts, end])]
    assert max(lengths) <= 6
    for length, after in zip(lengths, cuts[1:], strict=False):
        assert length + groups[starts.index(after)] > 6


@given(
    st.lists(st.fractions(Fraction(1, 60), Fraction(1, 5)), min_size=2, max_size=60),
    st.sets(st.integers(1, 59), max_size=5),
)
def test_every_rung_keeps_the_pictures_that_are_keyframes_and_no_two_too_soon(
    gaps: list[Fraction], drawn: set[int]
) -> None:
    times = [sum(gaps[:index], Fraction(0)) for index in range(len(gaps))]
    keys = [at for index, at in enumerate(times) if index in {0, *drawn}]
    keys = [key for index, key in enumerate(keys) if not index or key - keys[index - 1] > Fraction(1, 20)]
    selector = Selector([Fraction(60), Fraction(30)], Fraction(2), keys)
    chosen = [(at, *selector.choose(at)) for at in times]
    assert [at for at, _, key in chosen if key] == keys
    slow = [at for at, (fast, kept), _ in chosen if kept]
    assert all(fast for _, (fast, _), _ in chosen)
    assert all(after - before >= Fraction(95, 3000) for before, after in pairwise(slow))
