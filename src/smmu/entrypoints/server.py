"""The service in one process: API and, where no services do the work, dispatcher, workers and sweeper.

Asked to end, it stops accepting, is not ready any more, ends event streams, lets answers that are under way finish,
and interrupts tasks, which record that and go on at the next start. All of that within `DRAIN_SECONDS`; a second
signal ends the process at once.
"""

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import anyio
import uvicorn
from anyio.abc import TaskStatus

from smmu.application.transcription import speech_of
from smmu.bootstrap.opening import Running, lines_of, open_system
from smmu.bootstrap.settings import EmbeddedPlatform, Settings
from smmu.domain.plan_speech import NO_ENGINE
from smmu.entrypoints.api.app import create_app
from smmu.entrypoints.api.metrics import Meter
from smmu.entrypoints.api.server import DrainingServer
from smmu.entrypoints.libraries import tell_what_libraries_log
from smmu.ports.errors import Unavailable
from smmu.ports.system import Telemetry

DRAIN_SECONDS = 25
ANSWER_SECONDS = 10  # what an answer under way may still take
ADDRESS = "server.json"

_KEEP_ALIVE_SECONDS = 65  # longer than the idle time of usual balancers, so that they close first
_CONNECTIONS_MAX = 2_000
_HEADER_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server is: what `server.json` of its data folder says while it runs."""

    url: str
    pid: int


Announce = Callable[[Address], None]


async def serve(settings: Settings, host: str, port: int, announce: Announce) -> None:
    """Serve until asked to end; `announce` is called once requests are answered. Port 0 is any free one.

    Raises `WorldError` when it cannot begin: the address is taken, the data is served by another process.
    """
    with _bound(host, port) as listener:
        meter = Meter(lines_of(settings, "api"))
        tell_what_libraries_log(meter)
        async with open_system(settings, telemetry=meter) as running:
            await _tell_missing(running, meter)
            if running.system.crew is not None:
                await running.system.sweeper.take_over()
            address = Address(url=_url(listener), pid=os.getpid())
            service = _Service(running, meter)
            with _address_file(settings, address) as write:

                def ready() -> None:
                    write()
                    announce(address)

                await service.run(listener, ready)


async def _tell_missing(running: Running, telemetry: Telemetry) -> None:
    """Say at once what each job would say: that the speech engine that was chosen is not there."""
    found = await speech_of(running.system.remaking.recognizer)
    if isinstance(found, str) and found != NO_ENGINE:
        telemetry.event("engine_missing", engine="speech", error=found)


class _Uvicorn(DrainingServer):
    """Uvicorn that leaves signals to us, and says when it listens."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], None]) -> None:
        super().__init__(config, drain)
        self.listening = anyio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(slots=True)
class _Service:
    """What runs side by side, and how it is brought to an end."""

    running: Running
    meter: Meter
    begin_drain: Callable[[], None] = field(init=False)
    server: _Uvicorn = field(init=False)
    loops: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    whole: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    def __post_init__(self) -> None:
        known = self.running
        settings = known.settings
        app = create_app(
            known.system,
            known.verifier,
            public_url=settings.public_url,
            origins=settings.origins,
            meter=self.meter,
        )
        self.begin_drain = app.state.drain.begin
        self.server = _Uvicorn(configuration(app), self.begin_drain)

    async def run(self, listener: socket.socket, ready: Callable[[], None]) -> None:
        """Accept and work until drained, or until one of both fails."""
        async with anyio.create_task_group() as watching:
            await watching.start(self._watch_signals)
            with self.whole:
                async with anyio.create_task_group() as group:
                    group.start_soon(self.server.serve, [listener])
                    group.start_soon(self._work)
                    await self.server.listening.wait()
                    ready()
            watching.cancel_scope.cancel()

    def drain(self) -> None:
        """Begin the end."""
        self.whole.deadline = anyio.current_time() + DRAIN_SECONDS
        self.begin_drain()
        self.server.should_exit = True
        self.loops.cancel()

    async def _work(self) -> None:
        with self.loops:
            workers = self.running.settings.workers
            await self.running.system.serve(light=workers.light, heavy=workers.heavy)

    async def _watch_signals(self, *, task_status: TaskStatus[None]) -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            task_status.started()
            await anext(aiter(signals))
            self.drain()
            _exit_now(await anext(aiter(signals)))


def configuration(app: Callable[..., Any]) -> uvicorn.Config:
    """How uvicorn runs an ASGI application here. Benchmarks run what they compare with under the same."""
    return uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS_MAX,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=ANSWER_SECONDS,
        h11_max_incomplete_event_size=_HEADER_BYTES_MAX,
    )


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket at the address, before anything is opened that would have to be closed again."""
    with ExitStack() as stack:
        try:
            family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            listener = stack.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
        except OSError as error:
            words = f"cannot listen on {host} port {port}: {error.strerror}; choose another with --host and --port"
            raise Unavailable(words) from error
        yield listener


def _url(listener: socket.socket) -> str:
    """How programs on this machine reach it: an address that means all of them is written as the local one."""
    host, port = listener.getsockname()[:2]
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{local}]:{port}" if ":" in local else f"http://{local}:{port}"


@contextmanager
def _address_file(settings: Settings, address: Address) -> Iterator[Callable[[], None]]:
    """What writes `server.json`, whole or not at all; the file goes when the server does."""
    if not isinstance(settings.platform, EmbeddedPlatform):
        yield lambda: None
        return
    path = settings.platform.data / ADDRESS
    try:
        yield lambda: _write_whole(path, json.dumps(asdict(address)))
    finally:
        path.unlink(missing_ok=True)


def _write_whole(path: Path, text: str) -> None:
    aside = path.with_suffix(".new")
    aside.write_text(text + "\n", encoding="utf-8")
    aside.replace(path)


def _exit_now(number: int) -> NoReturn:
    """Whoever asks twice does not want to wait. Worker processes end with this one, the kernel sees to that."""
    os._exit(128 + number)
