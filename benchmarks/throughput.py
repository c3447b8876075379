"""How fast bytes come in, and in how much memory.

The measure is a bare ASGI application that writes the same file and syncs it.

Like for like: one PUT of the whole file over one connection to both, durable when it is answered. The product also
checks the signature, counts and checks the length, computes two checksums of all bytes and records the object. A PUT
this large is not what its limits allow by default, so they are set for this; what clients do by default, parts of
16 MiB over several connections, is measured beside it.
"""

import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, at_least
from benchmarks.pairs import OWNER, TOKEN_SECONDS
from benchmarks.processes import Server, sampling, serving
from benchmarks.samples import PNG, large
from benchmarks.talk import Api, Piece, Sending, send
from smmu.bootstrap.opening import verifier_of
from smmu.domain.limits import GIB, MIB

_RATIO_MIN = 0.8
_GROWTH_BYTES_MAX = 60 * MIB
_CONNECTIONS = 3  # at once, as browsers' uploaders do
_ONE_PUT = {"SMMU_LIMITS__SINGLE_BYTES_MAX": str(2 * GIB)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much to measure."""

    rounds: int = 5
    file_bytes: int = 256 * MIB
    large_bytes: int = 2 * GIB


QUICK = Size(file_bytes=16 * MIB, large_bytes=128 * MIB)


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    size = QUICK if quick else Size()
    file = folder / "file.png"
    large(file, size.file_bytes)
    with ExitStack() as stack:
        bench = _Bench(
            size=size,
            file=file,
            received=folder / "received",
            bare=stack.enter_context(serving("bare", str(folder / "received"), log=folder / "log")),
            one=_Target.opened(stack, folder, "one", _ONE_PUT),
            parts=_Target.opened(stack, folder, "parts", {}),
        )
        figures = list(bench.rates())
    large(file, size.large_bytes)
    with ExitStack() as stack:
        for name, environment, connections in (("one", _ONE_PUT, 1), ("parts", {}, _CONNECTIONS)):
            target = _Target.opened(stack, folder, f"large-{name}", environment)
            figures.append(_growth(target, file, size.large_bytes, connections))
    return figures


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """The product's API, to be uploaded to."""

    server: Server
    api: Api

    @classmethod
    def opened(cls, stack: ExitStack, folder: Path, name: str, environment: dict[str, str]) -> "_Target":
        data = folder / name
        server = stack.enter_context(serving("api", str(data), log=folder / "log", environment=environment))
        token = verifier_of(data).issue(OWNER, TOKEN_SECONDS)
        return cls(server=server, api=Api(port=server.port, token=token))

    def upload(self, file: Path, size: int, connections: int) -> float:
        """Upload a file; the seconds that its bytes took."""
        begun = self.api.begin("file.png", PNG, size)
        seconds = self.api.put(begun, str(file), connections)
        self.api.complete(begun)  # refused, if it were not all there
        return seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    size: Size
    file: Path
    received: Path
    bare: Server
    one: _Target
    parts: _Target

    def rates(self) -> Iterator[Figure]:
        turns: dict[str, tuple[Server, Callable[[], float]]] = {
            "bare": (self.bare, self._send_bare),
            "one": (self.one.server, lambda: self.one.upload(self.file, self.size.file_bytes, 1)),
            "parts": (self.parts.server, lambda: self.parts.upload(self.file, self.size.file_bytes, _CONNECTIONS)),
        }
        for _, warm_up in turns.values():
            warm_up()
        rounds = []
        for number in range(self.size.rounds):
            order = [*turns][:: 1 if number % 2 else -1]
            rounds.append({name: _timed(*turns[name]) for name in order})
        yield self._rate("one PUT", "one", rounds)
        yield self._rate(f"parts of 16 MiB, {_CONNECTIONS} connections", "parts", rounds)

    def _send_bare(self) -> float:
        piece = Piece(path="/", start=0, size=self.size.file_bytes)
        seconds = send(Sending(port=self.bare.port, file=str(self.file), pieces=(piece,)))
        for received in self.received.iterdir():
            assert received.stat().st_size == self.size.file_bytes
            received.unlink()
        return seconds

    def _rate(self, how: str, name: str, rounds: list[dict[str, tuple[float, float]]]) -> Figure:
        mib = self.size.file_bytes / MIB
        ours, bare = (statistics.median(mib / each[side][0] for each in rounds) for side in (name, "bare"))
        cpu = statistics.median(each["bare"][1] / each[name][1] for each in rounds)
        return at_least(
            f"bytes into the embedded store over a bare ASGI route that writes and syncs ({how}, {mib:.0f} MiB)",
            [each["bare"][0] / each[name][0] for each in rounds],
            _RATIO_MIN,
            f"{ours:.0f} over {bare:.0f} MiB/s; in processor time {cpu:.2f}",
        )


def _timed(server: Server, turn: Callable[[], float]) -> tuple[float, float]:
    """The seconds that a turn took, and the server's processor seconds."""
    cpu = server.cpu_seconds()
    seconds = turn()
    return seconds, server.cpu_seconds() - cpu


def _growth(target: _Target, file: Path, size: int, connections: int) -> Figure:
    """How much memory an upload takes. The first one, small, is not counted: code is loaded on first use."""
    small = file.with_name("small.png")
    large(small, MIB)
    target.upload(small, MIB, 1)
    idle = target.server.memory_bytes()
    samples: list[int] = []
    with sampling(target.server, samples):
        target.upload(file, size, connections)
    most = max(samples[-1], target.server.memory_bytes_max())
    how = "one PUT" if connections == 1 else f"parts, {connections} connections"
    growth = most - idle
    measured = f"{growth / MIB:.0f} MiB over {idle / MIB:.0f} MiB; median of {len(samples)} samples "
    return Figure(
        name=f"memory of the API process during an upload of {size / GIB:g} GiB ({how})",
        measured=measured + f"{(statistics.median(samples) - idle) / MIB:.0f} MiB over",
        target=f"≤ {_GROWTH_BYTES_MAX // MIB} MiB over idle",
        met=growth <= _GROWTH_BYTES_MAX,
    )
