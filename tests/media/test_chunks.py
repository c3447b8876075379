"""A video that was encoded in chunks is what one pass makes: the same pictures at the same times, keyframes and cuts."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smmu.adapters.media.joining import Chunk, Redating, unjoinable
from smmu.domain import planner
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import Plan, PlannedTask, TaskKind
from tests.support import clips
from tests.support.clips import FAST, Made, failures, make, run

pytestmark = pytest.mark.media

EAGER = Limits(chunks_from_seconds=1, chunk_seconds=6)
MOVING = "testsrc2=s={size}:r={rate}:d={seconds}"
TONE = ["-f", "lavfi", "-i", "sine=f=440:r=48000:d={seconds}"]
NEVER_STILL = "setpts='(N+0.4*sin(N))/25/TB'"


def source(target: Path, *options: str, size: str = "320x240", rate: str = "25", seconds: float = 14) -> Path:
    picture = ["-f", "lavfi", "-i", MOVING.format(size=size, rate=rate, seconds=seconds)]
    sound = [part.format(seconds=seconds) for part in TONE]
    return make(target, *picture, *sound, *options, "-c:a", "aac", "-shortest")


def planned(path: Path, folder: Path, **wishes: Any) -> Plan:
    return planner.plan(clips.inspect(path, folder), Options(**wishes), EAGER)


def tasks_of(plan: Plan, kind: TaskKind) -> list[PlannedTask]:
    return [task for stage in plan.stages for task in stage.tasks if task.kind is kind]


def join_of(plan: Plan) -> PlannedTask:
    return next(task for task in tasks_of(plan, TaskKind.VIDEO) if task.joins)


def in_chunks(path: Path, folder: Path, plan: Plan) -> Made:
    """Every chunk for itself, the last one first, and then their join."""
    pieces = folder / "pieces"
    for task in reversed(tasks_of(plan, TaskKind.CHUNK)):
        (made,) = run(path, pieces / task.name, task)
        assert made.proof.failures == ()
    made_of = run(path, folder / "joined", join_of(plan), pieces)
    return Made(folder / "joined", {one.name: one for one in made_of})


def in_one_pass(path: Path, folder: Path, plan: Plan) -> Made:
    made = run(path, folder / "one", replace(join_of(plan), joins=()))
    return Made(folder / "one", {one.name: one for one in made})


def times(path: Path) -> list[tuple[str, str, str, bool]]:
    """When each packet is decoded and shown, how long, and whether it is a keyframe, by another ffmpeg."""
    return [(packet["dts"], packet["pts"], packet.get("duration", ""), packet["flags"].startswith("K"))
            for packet in clips.packets(path)]  # fmt: skip


CASES: dict[str, tuple[str, list[str], dict[str, Any], dict[str, Any]]] = {
    "long groups with B-frames": ("s.mp4", [*FAST, "-bf", "3", "-g", "250"], {}, {}),
    "open groups": ("s.mkv", [*FAST, "-bf", "3", "-x264-params", "open-gop=1:keyint=48:bframes=3"], {"size": "160x120"}, {}),
    "60 pictures a second for some rungs": ("s.mp4", [*FAST, "-g", "90"], {"size": "480x360", "rate": "60000/1001"}, {}),
    "fields": ("s.mp4", [*FAST, "-flags", "+ildct+ilme", "-x264-params", "tff=1"], {"size": "160x120"}, {}),
    "a varying rate": ("s.mkv", [*FAST, "-vf", NEVER_STILL, "-fps_mode", "vfr"], {"size": "160x120"}, {}),
    "a clip": ("s.mov", [*FAST, "-g", "30"], {"seconds": 20, "size": "160x120"}, {"clip_start_s": 1.33, "clip_end_s": 17.5}),
    "every codec": ("s.mp4", [*FAST, "-g", "50"], {"size": "160x120"}, {"codecs": ["h264", "hevc", "av1"]}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_join_of_chunks_is_what_one_pass_makes(tmp_path: Path, case: Any) -> None:
    name, options, shape, wishes = case
    path = source(tmp_path / name, *options, **shape)
    plan = planned(path, tmp_path / "o", **wishes)
    assert len(tasks_of(plan, TaskKind.CHUNK)) in (2, 3)
    one, joined = in_one_pass(path, tmp_path, plan), in_chunks(path, tmp_path, plan)
    assert failures(joined) == []
    assert list(one.renditions) == list(joined.renditions)
    for rung in (found for found in one.renditions.values() if found.role == "hls-video"):
        assert times(joined.path(rung.name)) == times(one.path(rung.name)), rung.name
        assert [file.path for file in joined[rung.name].files] == [file.path for file in rung.files]
        assert joined[rung.name].files[2].sha256 == rung.files[2].sha256, "their initialisation is the same"
        assert joined[rung.name].proof.measures["chunks"] == len(tasks_of(plan, TaskKind.CHUNK))
    assert times(joined.path("mp4")) == times(one.path("mp4"))
    assert clips.plays(joined.path("hls")) == ""
    shown = [clips.pictures(made.path("mp4"), 64, 48).astype(int) for made in (one, joined)]
    assert np.abs(shown[0] - shown[1]).mean(axis=(1, 2, 3)).max() < 6, "each picture is the same picture"


def test_a_chunk_is_the_same_bits_whoever_makes_it(tmp_path: Path) -> None:
    path = source(tmp_path / "s.mp4", *FAST)  # too much moves for the cap on bits, which is where encoders hesitate
    task = tasks_of(planned(path, tmp_path / "o", codecs=["h264", "hevc", "av1"]), TaskKind.CHUNK)[1]
    made = [run(path, tmp_path / str(number), task)[0] for number in range(4)]
    assert len({tuple(file.sha256 for file in one.files) for one in made}) == 1


def test_no_picture_is_counted_twice_as_decoded(tmp_path: Path) -> None:
    """Segments of so few pictures are decoded whole to prove them, here and where their chunk was made."""
    path = source(tmp_path / "s.mkv", *FAST, "-bf", "0", size="160x120", rate="1/2")
    joined = in_chunks(path, tmp_path, planned(path, tmp_path / "o"))
    measures = joined["120p"].proof.measures
    assert failures(joined) == []
    assert measures["frames_decoded"] == measures["frames"] == 7


def test_a_chunk_behind_the_last_picture_is_empty_and_joins_as_such(tmp_path: Path) -> None:
    picture = ["-f", "lavfi", "-i", MOVING.format(size="160x120", rate="25", seconds=7)]
    path = make(tmp_path / "s.mp4", *picture, "-f", "lavfi", "-i", "sine=f=440:r=48000:d=19", *FAST, "-c:a", "aac")
    plan = planned(path, tmp_path / "o")
    assert len(tasks_of(plan, TaskKind.CHUNK)) == 3
    joined = in_chunks(path, tmp_path, plan)
    assert failures(joined) == []
    assert len(clips.packets(joined.path("mp4"))) == 175


def broken(path: Path) -> Path:
    """The same file with a hole in the middle of its pictures."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3_000] = bytes(3_000)
    path.write_bytes(data)
    return path


def test_what_makes_the_whole_depend_on_more_than_a_part_is_encoded_in_one_pass(tmp_path: Path) -> None:
    path = broken(source(tmp_path / "s.mp4", *FAST, "-g", "25"))
    plan = planned(path, tmp_path / "o")
    one, joined = in_one_pass(path, tmp_path, plan), in_chunks(path, tmp_path, plan)
    assert "packets do not decode" in str(joined["240p"].proof.measures["encoded_in_one_pass_because"])
    assert times(joined.path("240p")) == times(one.path("240p"))


def test_a_missing_chunk_is_no_reason_to_fail(tmp_path: Path) -> None:
    path = source(tmp_path / "s.mp4", *FAST, size="160x120")
    plan = planned(path, tmp_path / "o")
    first = tasks_of(plan, TaskKind.CHUNK)[0]
    run(path, tmp_path / "pieces" / first.name, first)
    made = run(path, tmp_path / "joined", join_of(plan), tmp_path / "pieces")
    assert made[0].proof.measures["encoded_in_one_pass_because"] == "chunk-0001 is not there"


def test_a_chunk_that_is_not_what_was_proven_is_never_joined(tmp_path: Path) -> None:
    path = source(tmp_path / "s.mp4", *FAST, size="160x120")
    plan = planned(path, tmp_path / "o")
    in_chunks(path, tmp_path, plan)
    rung = next((tmp_path / "pieces" / "chunk-0001").glob("*p.mp4"))
    rung.write_bytes(rung.read_bytes()[:-1] + b"x")
    with pytest.raises(RuntimeError, match="not what was proven"):
        run(path, tmp_path / "again", join_of(plan), tmp_path / "pieces")


def test_a_record_tells_no_more_than_the_join_needs(tmp_path: Path) -> None:
    path = source(tmp_path / "s.mp4", *FAST, size="160x120")
    task = tasks_of(planned(path, tmp_path / "o"), TaskKind.CHUNK)[0]
    (made,) = run(path, tmp_path / "c", task)
    told = json.loads((tmp_path / "c" / "chunk.json").read_bytes())
    assert (told["irregular"], told["shown"]) == ("", 150)
    assert [file.path for file in made.files] == ["chunk.json", *(f"{name}.mp4" for name in told["rungs"])]


@pytest.mark.parametrize(
    ("frames", "why"), [(2, "its first chunk has too few pictures to date what is decoded by"), (3, "")]
)
def test_the_first_chunk_has_the_pictures_that_decoding_times_are_made_of(frames: int, why: str) -> None:
    def chunk(name: str, shown: int, delay: int) -> Chunk:
        rung = {"frames": shown, "delay": delay, "configuration": "same"}
        moment = Fraction(1, 25)
        return Chunk(name=name, irregular="", ticks=25, shown=shown, promised=shown, longest_gap=moment, step=moment,
                     end=moment * shown, rungs={"240p": rung})  # fmt: skip

    task = PlannedTask(
        name="video", kind=TaskKind.VIDEO, renditions=(), joins=("a", "b"), memory_bytes=1, seconds_max=1
    )
    assert unjoinable(task, [chunk("a", frames, 0), chunk("b", 150, 2)]) == why


def test_decoding_times_are_those_of_an_encoder_that_saw_it_all() -> None:
    redating = Redating(2)
    assert redating.date([0, 10, 25, 30]) == [-25, -15, 0, 10]
    assert redating.date([31, 90]) == [25, 30]
