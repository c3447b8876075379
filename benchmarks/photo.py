"""How long an owner waits for a photo of one megabyte: the whole service in one process, otherwise idle.

The clock starts when the complete is sent, and stops at the time of the event that says that the job has succeeded:
inspected, all widths and crops made in WebP and JPEG, proven and published. One photo at a time, each after the job
before has ended.
"""

import statistics
from datetime import datetime
from pathlib import Path

from benchmarks.figures import Figure, percentile
from benchmarks.pairs import OWNER, TOKEN_SECONDS
from benchmarks.pictures import scene
from benchmarks.processes import serving
from benchmarks.talk import Api
from smmu.adapters.embedded.system import SystemClock
from smmu.bootstrap.opening import verifier_of

_TARGET_SECONDS = 1.0
_MEGABYTE = 1_000_000
_SIZES = {"4 MP": (2400, 1800), "12 MP": (4000, 3000)}
_TYPE = "image/jpeg"


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    data = folder / "data"
    files = {name: _of_a_megabyte(folder / f"{size[0]}.jpg", size) for name, size in _SIZES.items()}
    waits: dict[str, list[float]] = {name: [] for name in files}
    with serving("whole", str(data), log=folder / "log") as server:
        api = Api(port=server.port, token=verifier_of(data).issue(OWNER, TOKEN_SECONDS))
        _waited(api, next(iter(files.values())))  # code is loaded on first use
        for _ in range(3 if quick else 21):
            for name, file in files.items():
                waits[name].append(_waited(api, file))
    return [_figure(name, sorted(each)) for name, each in waits.items()]


def _of_a_megabyte(path: Path, size: tuple[int, int]) -> Path:
    """A photo of this many pixels, in the highest quality that is no more than a megabyte."""
    shown, low, high = scene(size), 10, 96
    while high - low > 1:
        quality = (low + high) // 2
        shown.save(path, quality=quality)
        low, high = (quality, high) if path.stat().st_size <= _MEGABYTE else (low, quality)
    shown.save(path, quality=low)
    return path


def _waited(api: Api, file: Path) -> float:
    """The seconds from complete to the end of its job, which must be a good one."""
    begun = api.begin(file.name, _TYPE, file.stat().st_size)
    api.put(begun, str(file))
    sent_at = SystemClock().now()
    end = api.events(api.complete(begun)["job_id"])[-1]
    assert end["state"] == "succeeded", end
    return datetime.fromisoformat(end["at"]).timestamp() - sent_at


def _figure(name: str, waits: list[float]) -> Figure:
    p50, p95 = statistics.median(waits), percentile(waits, 0.95)
    return Figure(
        name=f"a photo of 1 MB ({name}) from sending complete to its job succeeded, p50, the whole service idle",
        measured=f"{p50:.2f} s; p95 {p95:.2f} s of {len(waits)} jobs",
        target=f"< {_TARGET_SECONDS:.0f} s",
        met=p50 < _TARGET_SECONDS,
    )
