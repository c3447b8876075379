"""How many uploads the API can begin and complete, compared with how often a route that does nothing can be called.

The object of each upload is in place before the clock starts, put there through the object store under the key that
the upload will have; the ids that lead to these keys are given to the API through its `IdSource`. So a pair is an init
and a complete, with everything that production does in them: admission, quota, signing, sniffing, pinning, two answers
and all their commits, each durable before it is answered.
"""

import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio

from benchmarks.figures import Figure, at_least
from benchmarks.load import Plan, Result
from benchmarks.processes import Server, load, serving
from benchmarks.samples import PNG, picture
from smmu.adapters.embedded.platform import open_platform
from smmu.application.completion import STORED_TYPE
from smmu.bootstrap.opening import verifier_of
from smmu.domain import keys
from smmu.domain.limits import KIB, Limits
from smmu.domain.values import UPLOAD

OWNER = "bench"
TOKEN_SECONDS = 24 * 3600
_CONNECTIONS = 16
_RATIO_MIN, _TAIL_MAX = 0.2, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much to measure. `empty` and `pairs` are asked in each round, `tail` in the one open loop at the end."""

    rounds: int = 7
    warm: int = 200
    empty: int = 10_000
    pairs: int = 2_000
    tail: int = 5_000

    @property
    def prepared(self) -> int:
        """How many objects have to be in place."""
        return self.warm + self.rounds * self.pairs + self.tail


QUICK = Size(rounds=5, warm=50, empty=1_000, pairs=200, tail=400)


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    size = QUICK if quick else Size()
    data, ids = folder / "data", folder / "ids"
    anyio.run(prepare, data, ids, size.prepared)
    with (
        serving("empty", log=folder / "log") as empty,
        serving("api", str(data), str(ids), log=folder / "log") as api,
    ):
        bench = _Bench(empty=empty, api=api, size=size, token=verifier_of(data).issue(OWNER, TOKEN_SECONDS))
        return list(bench.figures())


async def prepare(data: Path, ids: Path, count: int) -> None:
    """Put the objects of `count` uploads in place, and list the ids of these uploads."""
    body = picture(KIB)
    async with open_platform(str(data), Limits(), exclusive=True) as platform:
        made = [platform.ids.new(UPLOAD) for _ in range(count)]
        left = iter(made)

        async def put_some() -> None:
            for upload_id in left:
                await platform.objects.put(keys.source_key(OWNER, upload_id), body, content_type=STORED_TYPE)

        async with anyio.create_task_group() as group:
            for _ in range(_CONNECTIONS):
                group.start_soon(put_some)
    await anyio.Path(ids).write_text("\n".join(made), encoding="ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """One turn of both: their rates, and the processor time that the servers spent on one request and one pair."""

    empty: float
    pairs: float
    empty_cpu: float
    pair_cpu: float

    @property
    def ratio(self) -> float:
        return self.pairs / self.empty

    @property
    def cpu_ratio(self) -> float:
        return self.empty_cpu / self.pair_cpu


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    empty: Server
    api: Server
    size: Size
    token: str

    def figures(self) -> Iterator[Figure]:
        self._turn(self.empty, "empty", self.size.warm)
        self._turn(self.api, "pair", self.size.warm)
        rounds = [self._round(number) for number in range(self.size.rounds)]
        yield from _rates(rounds)
        rate = statistics.median(each.pairs for each in rounds) / 2
        yield _tail(self._ask(self.api, "pair", self.size.tail, rate), rate)

    def _round(self, number: int) -> _Round:
        turns = [(self.empty, "empty", self.size.empty), (self.api, "pair", self.size.pairs)]
        done = {ask: self._turn(server, ask, count) for server, ask, count in turns[:: 1 if number % 2 else -1]}
        (empty, empty_cpu), (pairs, pair_cpu) = done["empty"], done["pair"]
        return _Round(empty=empty, pairs=pairs, empty_cpu=empty_cpu, pair_cpu=pair_cpu)

    def _turn(self, server: Server, ask: str, count: int) -> tuple[float, float]:
        """The rate a second, and the server's processor seconds for each."""
        cpu = server.cpu_seconds()
        result = self._ask(server, ask, count)
        return count / result.seconds, (server.cpu_seconds() - cpu) / count

    def _ask(self, server: Server, ask: str, count: int, rate: float | None = None) -> Result:
        token = self.token if ask == "pair" else ""
        init = json.dumps({"filename": "a.png", "content_type": PNG, "size": KIB})
        plan = Plan(port=server.port, ask=ask, count=count, connections=_CONNECTIONS, rate=rate, token=token, init=init)
        return load(plan)


def _rates(rounds: list[_Round]) -> Iterator[Figure]:
    pairs = statistics.median(each.pairs for each in rounds)
    empty = statistics.median(each.empty for each in rounds)
    yield at_least(
        "init + complete, durable, one process, 16 connections: pairs a second over an empty FastAPI route's requests",
        [each.ratio for each in rounds],
        _RATIO_MIN,
        f"{pairs:.0f} over {empty:.0f}",
    )
    cpu = statistics.median(each.cpu_ratio for each in rounds)
    spent = [statistics.median(costs) * 1e6 for costs in ([r.empty_cpu for r in rounds], [r.pair_cpu for r in rounds])]
    yield Figure(
        name="the same in processor time of the servers",
        measured=f"{cpu:.2f}; {spent[1]:.0f} µs a pair, {spent[0]:.0f} µs an empty request",
    )


def _tail(result: Result, rate: float) -> Figure:
    p50, p99 = result.p50, result.p99
    return Figure(
        name="latency of a pair at half of that rate, open loop: p99 over p50",
        measured=f"{p99 / p50:.1f}; p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms at {rate:.0f} a second",
        target=f"< {_TAIL_MAX:.0f}",
        met=p99 < _TAIL_MAX * p50,
    )
