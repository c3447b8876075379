"""HEVC and AV1 stand beside H.264: the same pictures at the same times, switching at the same keyframes."""

from pathlib import Path

import numpy as np
import pytest

from smmu.adapters.media.engine import PyavEngine
from smmu.domain import planner
from smmu.domain.options import Options
from tests.support import clips
from tests.support.clips import FAST, LIMITS, failures, make, render
from tests.support.media import MIB, FileSource, Fractions, MemorySink

pytestmark = pytest.mark.media


@pytest.mark.parametrize(("codec", "name"), [("hevc", "hvc1.1.6.L60.90"), ("av1", "av01.0.00M.08")])
def test_a_modern_codec_is_a_ladder_of_its_own_on_the_same_grid(tmp_path: Path, codec: str, name: str) -> None:
    inputs = ["-f", "lavfi", "-t", "4.5", "-i", "testsrc2=s=426x240:r=25", "-f", "lavfi", "-t", "4.5", "-i", "sine"]
    source = make(tmp_path / "s.mp4", *inputs, *FAST, "-c:a", "aac")
    made = render(source, tmp_path / "o", "video", codecs=("h264", codec))
    assert failures(made) == []
    modern = f"240p-{codec}"
    assert [one for one, rendition in made.renditions.items() if rendition.role == "hls-video"] == ["240p", modern]
    assert made[modern].codecs == name
    shown = clips.stream(made.path(modern), "v")
    assert (shown["codec_name"], shown["width"], shown["height"], shown["pix_fmt"]) == (codec, 426, 240, "yuv420p")
    assert (shown["color_space"], shown["color_range"], shown.get("sample_aspect_ratio", "1:1")) == (
        "bt709",
        "tv",
        "1:1",
    )
    times = [[float(packet["pts_time"]) for packet in clips.packets(made.path(one))] for one in ("240p", modern)]
    assert sorted(times[0]) == sorted(times[1])
    assert clips.keyframe_times(made.path("240p")) == clips.keyframe_times(made.path(modern)) == [0.0, 2.0, 4.0]
    pictures = [clips.pictures(made.path(one), 106, 60).astype(int) for one in ("240p", modern)]
    assert np.abs(pictures[0] - pictures[1]).mean() < 6
    assert clips.plays(made.path(modern)) == ""
    master = made.path("hls").read_text()
    assert f'CODECS="{name},mp4a.40.2"' in master
    assert made["hls"].codecs == f"{made['240p'].codecs},{name},mp4a.40.2"


def test_a_tiny_picture_is_made_in_h264_alone(tmp_path: Path) -> None:
    source = make(tmp_path / "s.mkv", "-f", "lavfi", "-t", "0.2", "-i", "testsrc2=s=64x48:r=25", "-c:v", "ffv1")
    made = render(source, tmp_path / "o", "video", codecs=("h264", "hevc", "av1"))
    assert [one for one, rendition in made.renditions.items() if rendition.role == "hls-video"] == ["48p"]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_every_encoder_runs_in_the_confined_child_with_the_memory_it_was_given(tmp_path: Path) -> None:
    film = make(tmp_path / "s.mp4", "-f", "lavfi", "-t", "0.4", "-i", "testsrc2=s=640x360:r=25", *FAST)
    engine, sink = PyavEngine(LIMITS, str(tmp_path / "scratch")), MemorySink()
    made = planner.plan(await engine.inspect(FileSource(film)), Options(codecs=("h264", "hevc", "av1")), LIMITS)
    renditions = await engine.render(FileSource(film), made.task("video"), sink, Fractions())
    rungs = [one for one in renditions if one.role == "hls-video"]
    assert [one.name for one in rungs] == [
        f"{short}p{codec}" for codec in ("", "-hevc", "-av1") for short in (360, 240)
    ]
    assert all(one.proof.ok for one in renditions)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_1080p_ladder_with_its_sound_is_made_in_a_gibibyte_and_a_half(tmp_path: Path) -> None:
    inputs = ["-f", "lavfi", "-t", "0.5", "-i", "testsrc2=s=1920x1080:r=30", "-f", "lavfi", "-t", "0.5", "-i", "sine"]
    film = make(tmp_path / "s.mp4", *inputs, *FAST)
    engine, sink = PyavEngine(LIMITS, str(tmp_path / "scratch")), MemorySink()
    task = planner.plan(await engine.inspect(FileSource(film)), Options(), LIMITS).task("video")
    assert task.memory_bytes == LIMITS.child_memory_bytes == 1_536 * MIB
    renditions = await engine.render(FileSource(film), task, sink, Fractions())
    assert [one.name for one in renditions if one.role == "hls-video"] == ["1080p", "720p", "480p", "360p", "240p"]
    assert all(one.proof.ok for one in renditions)
