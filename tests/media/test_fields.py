"""A film whose first pictures are whole and whose later ones are made of two fields loses its combs all the same."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from smmu.domain import planner
from smmu.domain.limits import Limits
from smmu.domain.options import Options
from smmu.domain.plan import TaskKind
from tests.support import clips
from tests.support.clips import failures, make, plan, render, run

pytestmark = pytest.mark.media

MOVING = "testsrc2=s=320x240:r={rate}:d={seconds}"
FIELDS = ("-vf", "tinterlace=interleave_top,setfield=tff", "-flags", "+ilme+ildct")
MPEG2 = ("-c:v", "mpeg2video", "-b:v", "4M", "-g", "12")


def mixed(folder: Path, title: float, seconds: float) -> Path:
    """Whole pictures, and behind them pictures made of fields, of one stream."""
    whole = ("-f", "lavfi", "-i", MOVING.format(rate=25, seconds=title))
    fields = ("-f", "lavfi", "-i", MOVING.format(rate=50, seconds=seconds))
    parts = (
        make(folder / "a.ts", *whole, *MPEG2, "-muxdelay", "0"),
        make(folder / "b.ts", *fields, *FIELDS, *MPEG2, "-output_ts_offset", str(title + 0.04), "-muxdelay", "0"),
    )
    (folder / "both.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    return make(folder / "s.mkv", "-i", str(folder / "both.ts"), "-c", "copy")


def combing(shown: npt.NDArray[np.uint8]) -> float:
    grey = shown.astype(int).mean(axis=3)
    between = np.abs(2 * grey[:, 1:-1] - grey[:, :-2] - grey[:, 2:]).mean()
    return float(between / (np.abs(grey[:, 2:] - grey[:, :-2]).mean() + 1))


def test_fields_behind_a_title_of_whole_pictures_are_made_whole(tmp_path: Path) -> None:
    source = mixed(tmp_path, 1, 1)
    assert not plan(source, tmp_path / "o").task("video").transform.deinterlace
    made = render(source, tmp_path / "o", "video")
    assert failures(made) == []
    assert made["240p"].proof.measures["pictures_of_fields"] == 25
    before, after = (clips.pictures(path, 320, 240) for path in (source, made.path("mp4")))
    assert len(after) == made["240p"].proof.measures["source_frames"]
    assert combing(after[-23:]) < 0.7 * combing(before[-23:])
    assert combing(after[:24]) > 0.9 * combing(before[:24]), "what was whole stays as sharp"


def test_a_chunk_that_meets_fields_leaves_the_film_to_one_pass(tmp_path: Path) -> None:
    source = mixed(tmp_path, 7, 5)
    eager = Limits(chunks_from_seconds=1, chunk_seconds=6)
    stages = planner.plan(clips.inspect(source, tmp_path / "o"), Options(), eager).stages
    tasks = [task for stage in stages for task in stage.tasks]
    chunks = [task for task in tasks if task.kind is TaskKind.CHUNK]
    assert len(chunks) == 2
    for task in chunks:
        run(source, tmp_path / "pieces" / task.name, task)
    join = next(task for task in tasks if task.joins)
    (first, *_) = run(source, tmp_path / "joined", join, tmp_path / "pieces")
    why = "chunk-0001: some of its pictures are made of two fields, and others are not"
    assert first.proof.measures["encoded_in_one_pass_because"] == why
    assert first.proof.measures["pictures_of_fields"] == 125


def test_fields_behind_the_first_pictures_are_found_by_inspection(tmp_path: Path) -> None:
    facts = clips.inspect(mixed(tmp_path, 0.08, 1), tmp_path / "o")
    assert facts.video is not None
    assert facts.video.interlaced
