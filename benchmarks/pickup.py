"""How long a completed upload waits for its first task: the whole service in one process, otherwise idle.

The clock starts when the complete is sent, and stops at the time of the event that says that a task of the job is
running, which is told after the task was claimed for good. One upload at a time, each after the job before has ended.
"""

import statistics
from datetime import datetime
from pathlib import Path

from benchmarks.figures import Figure, percentile
from benchmarks.pairs import OWNER, TOKEN_SECONDS
from benchmarks.processes import serving
from benchmarks.samples import PNG, picture
from benchmarks.talk import Api
from smmu.adapters.embedded.system import SystemClock
from smmu.bootstrap.opening import verifier_of
from smmu.domain.limits import KIB

_TARGET_SECONDS = 0.1


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    data, file = folder / "data", folder / "picture.png"
    file.write_bytes(picture(KIB))
    with serving("whole", str(data), log=folder / "log") as server:
        api = Api(port=server.port, token=verifier_of(data).issue(OWNER, TOKEN_SECONDS))
        _waited(api, file)  # code is loaded on first use
        waits = sorted(_waited(api, file) for _ in range(5 if quick else 31))
    p50, p95 = statistics.median(waits), percentile(waits, 0.95)
    return [
        Figure(
            name="from sending complete to the first task running, p50, the whole service idle",
            measured=f"{p50 * 1e3:.0f} ms; p95 {p95 * 1e3:.0f} ms of {len(waits)} jobs",
            target=f"< {_TARGET_SECONDS * 1e3:.0f} ms",
            met=p50 < _TARGET_SECONDS,
        )
    ]


def _waited(api: Api, file: Path) -> float:
    """The seconds from complete to the first task of one job. Ends when the job does."""
    begun = api.begin("picture.png", PNG, KIB)
    api.put(begun, str(file))
    sent_at = SystemClock().now()
    job_id = api.complete(begun)["job_id"]
    events = api.events(job_id)
    (first, *_) = (event for event in events if event["type"] == "task" and event["state"] == "running")
    assert events[-1]["state"] == "succeeded", events[-1]
    return datetime.fromisoformat(first["at"]).timestamp() - sent_at
