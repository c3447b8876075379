"""What a job costs on AWS: `python -m benchmarks.cost` runs jobs on a whole deployment and writes docs/cost.md.

Requests and transitions are counted, in a deployment on this machine whose services are stand-ins; prices are public
(prices.py). One job runs at a time, after one that is not counted, so that every function is warm.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import anyio

from benchmarks import prices, standing
from benchmarks.figures import measured, write
from benchmarks.prices import PRICES
from smmu.domain.limits import MIB
from tests.support.aws import metering
from tests.support.aws.cloud import Cloud, deployed
from tests.support.aws.metering import Taken
from tests.support.media import clip, photo, song

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cost.md"

_POLLS_A_MINUTE = 2 * 15  # of two queues, five pollers each, which ask for 20 seconds (Lambda developer guide)
_SWEEPS_A_MINUTE, _ORPHAN_SWEEPS_A_MINUTE = 1.0, 1 / 60
_WAV_BYTES_A_SECOND = 96_000

Make = Callable[[Path], Path]
Jobs = Mapping[str, Taken]


def main() -> None:
    """Run the jobs and write the page; print only, when it is tried out."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny files, and the page is left as it is")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="smmu-bench-") as folder, deployed(Path(folder)) as cloud:
        text = _page(cloud, _kinds(16 if quick else 1))
    print(text)
    if not quick:
        write(text, PAGE, "make cost")


def _kinds(less: int) -> Mapping[str, Make]:
    """The files, by what they are called in the tables; each is that many times smaller than it is called."""

    def film(folder: Path, seconds: int) -> Path:
        return clip(folder / f"film-{seconds}.mp4", seconds=max(1, seconds // less), size=(1280, 720))

    return {
        "photo, 12 MP": lambda folder: photo(folder / "photo.jpg", size=(4000 // less, 3000 // less)),
        "song, 3 min": lambda folder: song(folder / "song.mp3", seconds=180 // less),
        "film, 720p, 10 s": partial(film, seconds=10),
        "film, 720p, 60 s": partial(film, seconds=60),
        "WAV, 200 MiB": lambda folder: song(
            folder / "sound.wav", seconds=(200 * MIB - 44) // _WAV_BYTES_A_SECOND // less
        ),
    }


def _page(cloud: Cloud, kinds: Mapping[str, Make]) -> str:
    anyio.run(metering.metered, cloud, photo(cloud.folder / "first.jpg", size=(64, 48)))  # not counted: all is cold
    jobs = {name: _job(cloud, make) for name, make in kinds.items()}
    parts = (
        ("Requests of one job", _requests(jobs)),
        ("What else one job takes", _amounts(jobs)),
        ("Dollars for 1,000 jobs", _bills(jobs)),
        ("An idle system", _idle(cloud)),
        ("What is paid for because it is there", _standing()),
        (f"List prices, {prices.REGION}, as known of {prices.KNOWN_ON}", _prices()),
    )
    return "\n\n".join([*(f"## {title}\n\n{text}" for title, text in parts), measured("make cost")])


def _job(cloud: Cloud, make: Make) -> Taken:
    taken = anyio.run(metering.metered, cloud, make(cloud.folder))
    print(taken, flush=True)
    return taken


def _requests(jobs: Jobs) -> str:
    names = sorted({name for taken in jobs.values() for name in taken.requests})
    rows = [(name.replace(":", " "), *(f"{taken.requests[name]}" for taken in jobs.values())) for name in names]
    return _table(("request", *jobs), [*rows, ("**all**", *(f"**{one.requests.total()}**" for one in jobs.values()))])


def _amounts(jobs: Jobs) -> str:
    says: Mapping[str, Callable[[Taken], str]] = {
        "transitions of the state machine": lambda one: f"{one.transitions}",
        "invocations of functions": lambda one: f"{sum(count for count, _ in one.invocations.values())}",
        "seconds in functions, here": lambda one: f"{sum(spent for _, spent in one.invocations.values()):.1f}",
        "containers": lambda one: f"{len(one.machines)}",
        "seconds in containers, here": lambda one: ", ".join(_machine(known) for known in one.machines),
        "DynamoDB write units, table": lambda one: f"{one.units['table']}",
        "DynamoDB write units, index": lambda one: f"{one.units['index']}",
        "MiB sent to S3": lambda one: f"{one.bytes['sent'] / MIB:.1f}",
        "MiB read from S3": lambda one: f"{one.bytes['read'] / MIB:.1f}",
        "MiB kept": lambda one: f"{one.stored / MIB:.1f}",
    }
    return _table(("", *jobs), [(name, *(say(one) for one in jobs.values())) for name, say in says.items()])


def _machine(known: metering.Machine) -> str:
    return f"{known.seconds:.0f} ({known.cores:.0f} vCPU, {known.gib:.0f} GB)"


def _bills(jobs: Jobs) -> str:
    bills = [prices.bill(taken) for taken in jobs.values()]
    rows = [(service, *(f"{each[service] * 1000:.4f}" for each in bills)) for service in bills[0]]
    without = [sum(each.values()) - each["Fargate"] for each in bills]
    kept = [PRICES["S3 kept"].of(taken.stored / prices.GIB) for taken in jobs.values()]
    rows += [
        ("**all**", *(f"**{sum(each.values()) * 1000:.3f}**" for each in bills)),
        ("all without Fargate", *(f"{dollars * 1000:.3f}" for dollars in without)),
        ("their files, each month", *(f"{dollars * 1000:.3f}" for dollars in kept)),
    ]
    return _table(("", *jobs), rows)


def _idle(cloud: Cloud) -> str:
    sweep, orphans = metering.idle(cloud), metering.idle(cloud, orphans=True)
    more = orphans.requests - sweep.requests
    assert not sweep.of("s3")
    sweeps, looks, polls = (
        each * prices.MONTH_MINUTES for each in (_SWEEPS_A_MINUTE, _ORPHAN_SWEEPS_A_MINUTE, _POLLS_A_MINUTE)
    )
    rows = [
        ("sweeper: DynamoDB Query", sweep.of("dynamodb").total() * sweeps, prices.empty_queries(sweep) * sweeps),
        ("sweeper: its function", sweeps, prices.functions(sweep) * sweeps),
        ("sweeper: its schedule", sweeps, PRICES["EventBridge Scheduler"].of(sweeps)),
        ("sweeper, once an hour: S3 LIST", more.total() * looks, PRICES["S3 PUT, COPY, POST, LIST"].of(looks)),
        ("queues' event sources: SQS ReceiveMessage", polls, PRICES["SQS"].of(polls)),
        ("stream's event source: GetRecords", 0, 0.0),
    ]
    total = ("**all**", sum(count for _, count, _ in rows), sum(dollars for _, _, dollars in rows))
    said = [(name, f"{count:,.0f}", f"{dollars:.3f}") for name, count, dollars in (*rows, total)]
    return _table(("", "requests a month", "dollars a month"), said)


def _standing() -> str:
    environments = (standing.DEV, standing.PROD)
    head = ("", *(f"{each.name}, {what}" for each in environments for what in ("how many", "dollars a month")))
    paid = [standing.monthly(each) for each in environments]
    rows = [
        (row[0][0], *(said for _, count, dollars in row for said in (f"{count}", f"{dollars:.2f}")))
        for row in zip(*paid, strict=True)
    ]
    total = [said for rows in paid for said in ("", f"**{sum(dollars for _, _, dollars in rows):.2f}**")]
    return _table(head, [*rows, ("**all**", *total)])


def _prices() -> str:
    rows = [
        (name, f"{price.dollars:.10f}".rstrip("0").rstrip("."), f"{price.per:,} {price.unit}")
        for name, price in PRICES.items()
    ]
    return _table(("what", "dollars", "for"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = (head, ["---", *["---:"] * (len(head) - 1)], *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
