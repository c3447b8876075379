"""The load generator: a process of its own that keeps connections open and asks as fast, or as often, as it is told.

It reads one `Plan` as JSON on standard input and writes one `Result` as JSON on standard output. It is the same
program for every server that is compared, so that what it costs cancels out; it parses no more of an answer than it
must, and an answer that is not the expected one ends it.

Closed loop: each connection asks again as soon as it is answered. Open loop (`rate`): asks become due at even times,
whether or not the ones before were answered, and are timed from then on; so a server that stalls is not spared.
"""

import asyncio
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import cast

import uvloop
from pydantic import TypeAdapter

from benchmarks.figures import percentile

Ask = Callable[["Connection"], Awaitable[None]]

_ANSWER_SECONDS = 30.0
_TICK_SECONDS = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to ask: `empty` one GET, `pair` one init and the complete of what it began; `count` times in all."""

    port: int
    ask: str
    count: int
    connections: int
    rate: float | None = None
    token: str = ""
    init: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How it went. `p50` and `p99` of the latencies in seconds; `cpu_seconds` are the generator's own."""

    seconds: float
    cpu_seconds: float
    p50: float
    p99: float


PLAN, RESULT = TypeAdapter(Plan), TypeAdapter(Result)


class Connection(asyncio.Protocol):
    """One keep-alive connection: one request at a time, answered with `content-length`."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._received += data
        head, _, body = self._received.partition(b"\r\n\r\n")
        length = _length(head)
        if length is not None and len(body) >= length and self._answer is not None:
            self._received = b""
            self._answer.set_result(head + b"\r\n\r\n" + body)

    async def ask(self, request: bytes, expected: bytes) -> bytes:
        """The body of the answer, whose status must be the expected one."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        head, _, body = (await self._answer).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 " + expected):
            raise SystemExit(f"unexpected answer: {head.decode()}\n{body.decode()}")
        return body

    def close(self) -> None:
        """End it."""
        if self._transport is not None:
            self._transport.close()


def _length(head: bytes) -> int | None:
    """The announced length of a body; `None` while the head is not whole."""
    at = head.lower().find(b"content-length:")
    if at < 0:
        return None
    line, _, _ = head[at + 15 :].partition(b"\r\n")
    return int(line)


def asker(plan: Plan) -> Ask:
    """What one ask is."""
    if plan.ask == "empty":
        request = _request("GET", "/", plan.token)

        async def empty(connection: Connection) -> None:
            await connection.ask(request, b"200")

        return empty
    init = _request("POST", "/media/upload/init", plan.token, plan.init.encode())

    async def pair(connection: Connection) -> None:
        begun = await connection.ask(init, b"201")
        await connection.ask(_complete(plan, _upload_id(begun)), b"20")

    return pair


def _complete(plan: Plan, upload_id: bytes) -> bytes:
    return _request("POST", "/media/upload/complete", plan.token, b'{"upload_id":"' + upload_id + b'"}')


def _upload_id(answer: bytes) -> bytes:
    at = answer.index(b'"upload_id":"') + len(b'"upload_id":"')
    return answer[at : answer.index(b'"', at)]


def _request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
    if token:
        head += f"authorization: Bearer {token}\r\n"
    if body:
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


async def closed_loop(connections: Iterable[Connection], ask: Ask, count: int) -> list[float]:
    """Ask `count` times in all; how long each took."""
    latencies: list[float] = []
    left = count

    async def keep_asking(connection: Connection) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            begun = time.perf_counter()
            await ask(connection)
            latencies.append(time.perf_counter() - begun)

    await asyncio.gather(*map(keep_asking, connections))
    return latencies


async def open_loop(connections: Iterable[Connection], ask: Ask, count: int, rate: float) -> list[float]:
    """Ask `rate` times a second; how long each took from when it was due, waiting for a free connection included.

    What is due is released once each millisecond, which is what timers here resolve, and is timed from its release:
    a late timer of the generator is not the server's.
    """
    due: asyncio.Queue[float | None] = asyncio.Queue()
    latencies: list[float] = []

    async def keep_asking(connection: Connection) -> None:
        while (released := await due.get()) is not None:
            await ask(connection)
            latencies.append(time.perf_counter() - released)

    askers = [asyncio.ensure_future(keep_asking(connection)) for connection in connections]
    begun, released = time.perf_counter(), 0
    while released < count:
        await asyncio.sleep(_TICK_SECONDS)
        now = time.perf_counter()
        for _ in range(released, min(count, int((now - begun) * rate))):
            due.put_nowait(now)
            released += 1
    for _ in askers:
        due.put_nowait(None)
    await asyncio.gather(*askers)
    return latencies


async def generate(plan: Plan) -> Result:
    """Carry out a plan."""
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(Connection, "127.0.0.1", plan.port) for _ in range(plan.connections)]
    connections = [connection for _, connection in made]
    ask = asker(plan)
    cpu, begun = _cpu_seconds(), time.perf_counter()
    if plan.rate is None:
        latencies = await closed_loop(connections, ask, plan.count)
    else:
        latencies = await open_loop(connections, ask, plan.count, plan.rate)
    seconds = time.perf_counter() - begun
    for connection in connections:
        connection.close()
    latencies.sort()
    p50, p99 = percentile(latencies, 0.5), percentile(latencies, 0.99)
    return Result(seconds=seconds, cpu_seconds=_cpu_seconds() - cpu, p50=p50, p99=p99)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Read the plan, carry it out, write the result."""
    plan = PLAN.validate_json(sys.stdin.buffer.read())
    result = uvloop.run(generate(plan))
    sys.stdout.buffer.write(RESULT.dump_json(result))


if __name__ == "__main__":
    main()
