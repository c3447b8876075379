"""Clips made by Debian's ffmpeg, a bench to render them on, and the same ffmpeg as the judge of what came out.

The judge shares no code with the product: the product uses the libraries inside PyAV's wheel, this is another build
of another version.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from smmu.adapters.media.audio import render_audio
from smmu.adapters.media.chunking import render_chunk
from smmu.adapters.media.inspect_av import inspect_av
from smmu.adapters.media.poster import render_poster
from smmu.adapters.media.source import LocalSource
from smmu.adapters.media.video import render_video
from smmu.adapters.media.workbench import Workbench
from smmu.domain import planner
from smmu.domain.facts import MediaFacts
from smmu.domain.limits import Limits
from smmu.domain.manifest import Rendition
from smmu.domain.options import Options
from smmu.domain.plan import Plan, PlannedTask

LIMITS = Limits()
ROUTINES = {"video": render_video, "chunk": render_chunk, "audio": render_audio, "poster": render_poster}
FAST = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
BT709 = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv")
TOP_RUNG = ("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-pix_fmt", "yuv420p", *BT709,
            "-maxrate", "400k", "-bufsize", "800k", "-g", "20", "-keyint_min", "20", "-sc_threshold", "0")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """What was rendered: the folder it went to, and the renditions by name."""

    folder: Path
    renditions: Mapping[str, Rendition]

    def path(self, name: str) -> Path:
        return self.folder / self.renditions[name].path

    def __getitem__(self, name: str) -> Rendition:
        return self.renditions[name]


def make(target: Path, *arguments: str) -> Path:
    """Run ffmpeg; its last argument is `target`."""
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments, str(target)], check=True, timeout=60)
    return target


def top_rung(target: Path, *options: str, shown: str = "testsrc2=s=400x300:r=10", seconds: float = 13) -> Path:
    """A film with sound that is a valid top rung, unless `options` see to it that it is not."""
    inputs = ["-f", "lavfi", "-t", str(seconds), "-i", shown, "-f", "lavfi", "-t", str(seconds), "-i", "sine=r=48000"]
    return make(target, *inputs, *TOP_RUNG, *options)


def bench_for(source: Path, folder: Path, pieces: Path | None = None) -> Workbench:
    """A workbench whose finished files land in `folder`, and which shares no process with anybody.

    `pieces` has a folder for each task whose files this one gets.
    """
    work = folder / ".work"
    work.mkdir(parents=True, exist_ok=True)

    def tell(message: Mapping[str, Any]) -> None:
        if message["says"] == "file":
            target = folder / message["path"]
            target.parent.mkdir(parents=True, exist_ok=True)
            (work / message["name"]).rename(target)

    there = [path for path in pieces.rglob("*") if path.is_file()] if pieces else []
    named = {str(path.relative_to(pieces)): _opened(path) for path in there if pieces}
    return Workbench(source=_opened(source), directory=work, limits=LIMITS, tell=tell, pieces=named)


def _opened(path: Path) -> LocalSource:
    return LocalSource(os.open(path, os.O_RDONLY), path.stat().st_size, lambda: None)


def inspect(source: Path, folder: Path) -> MediaFacts:
    return inspect_av(bench_for(source, folder))


def plan(source: Path, folder: Path, options: Options = Options()) -> Plan:  # noqa: B008 - it never changes
    return planner.plan(inspect(source, folder), options, LIMITS)


def render(source: Path, folder: Path, *names: str, **wishes: Any) -> Made:
    """Inspect, plan as wished, and render the named tasks of the plan (all when none is named)."""
    tasks = [task for stage in plan(source, folder, Options(**wishes)).stages for task in stage.tasks]
    made = [one for task in tasks if not names or task.name in names for one in run(source, folder, task)]
    return Made(folder, {rendition.name: rendition for rendition in made})


def run(source: Path, folder: Path, task: PlannedTask, pieces: Path | None = None) -> list[Rendition]:
    made = ROUTINES[task.kind](bench_for(source, folder, pieces), task)
    assert [one.name for one in made] == [spec.name for spec in task.renditions]
    left = [path for path in (folder / ".work").rglob("*") if path.is_file()]
    assert left == []
    return made


def failures(made: Made) -> list[str]:
    return [f"{one.name}: {failed}" for one in made.renditions.values() for failed in one.proof.failures]


# --- the judge


def probe(path: Path, *arguments: str) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-of", "json", *_reading(path), *arguments, str(path)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    return found


def stream(path: Path, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = probe(path, "-show_streams", "-select_streams", kind)["streams"][0]
    return found


def packets(path: Path, kind: str = "v") -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = probe(path, "-show_packets", "-select_streams", kind)["packets"]
    return shown


def keyframe_times(path: Path) -> list[float]:
    return [float(packet["pts_time"]) for packet in packets(path) if packet["flags"].startswith("K")]


def plays(path: Path) -> str:
    """What ffmpeg complains of when it decodes everything; "" when it plays to the end."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-xerror", *_reading(path), "-i", str(path), "-map", "0",
               "-fps_mode", "vfr", "-f", "null", "-"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.stderr or ("" if done.returncode == 0 else f"ended with {done.returncode}")


def pictures(path: Path, width: int, height: int, *, count: int | None = None) -> npt.NDArray[np.uint8]:
    """Decoded pictures as ffmpeg shows them (turned upright), RGB, scaled to this size."""
    few = ["-frames:v", str(count)] if count else []
    raw = _output(path, "-an", "-vf", f"scale={width}:{height}:flags=bicubic", *few, "-fps_mode", "passthrough", "-pix_fmt",
                  "rgb24", "-f", "rawvideo")  # fmt: skip
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)


def samples(path: Path, *, channels: int | None = None, kind: str = "0:a:0") -> npt.NDArray[np.int16]:
    """Decoded sound as 16-bit samples, one row per moment."""
    mix = ["-ac", str(channels)] if channels else []
    count = channels or int(stream(path, "a")["channels"])
    raw = _output(path, "-map", kind, *mix, "-f", "s16le", "-c:a", "pcm_s16le")
    return np.frombuffer(raw, "<i2").reshape(-1, count)


def loudness(path: Path) -> tuple[float, float]:
    """Integrated loudness in LUFS and true peak in dBTP, as ffmpeg's own meter reads them."""
    command = ["ffmpeg", "-nostdin", "-nostats", "-i", str(path), "-vn", "-af", "ebur128=peak=true", "-f", "null", "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stderr
    summary = text[text.rindex("Summary:") :]
    integrated, peak = re.search(r"I:\s+(-?[\d.]+|-inf)", summary), re.search(r"Peak:\s+(-?[\d.]+|-inf)", summary)
    assert integrated is not None
    assert peak is not None
    return float(integrated[1]), float(peak[1])


def _output(path: Path, *arguments: str) -> bytes:
    command = ["ffmpeg", "-nostdin", "-v", "error", *_reading(path), "-i", str(path), *arguments, "-"]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


def _reading(path: Path) -> list[str]:
    return ["-allowed_extensions", "ALL"] if path.suffix == ".m3u8" else []
