"""The servers that are measured: `python -m benchmarks.servers empty | bare FOLDER | api DATA [IDS] | whole DATA`.

`empty` is a FastAPI application with one route that does nothing. `bare` is an ASGI application that writes what comes
to a file and syncs it, and nothing else. `api` is the product's own API on the embedded platform with all its code as
it is; only its workers are off, and the ids of uploads come from the file IDS, whose objects are in place already.
`whole` is all of `smmu serve`.

All run under the product's own server with its own settings, the garbage collector's included. The port is printed when
they are ready.
"""

import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop
from fastapi import FastAPI

from smmu.adapters.embedded.lines import JsonLines
from smmu.adapters.embedded.platform import open_platform
from smmu.adapters.embedded.system import RandomIds, SystemClock
from smmu.adapters.media.engine import PyavEngine
from smmu.application.system import assemble
from smmu.bootstrap.limits import limits_in
from smmu.bootstrap.opening import verifier_of
from smmu.bootstrap.settings import load_settings
from smmu.domain.values import UPLOAD
from smmu.entrypoints import server as whole
from smmu.entrypoints.api.app import create_app
from smmu.entrypoints.api.server import DrainingServer
from smmu.ports.system import Clock

App = Any  # ASGI's own types say no more


class PreparedIds(RandomIds):
    """Uploads get the ids that are given, in order; everything else is as ever."""

    def __init__(self, clock: Clock, uploads: list[str]) -> None:
        super().__init__(clock)
        self._uploads = uploads[::-1]

    def new(self, prefix: str) -> str:
        """See the port."""
        return self._uploads.pop() if prefix == UPLOAD and self._uploads else super().new(prefix)


def empty() -> App:
    """A FastAPI route that does nothing."""
    app = FastAPI()

    @app.get("/")
    async def nothing() -> None:
        return None

    return app


def bare(folder: Path) -> App:
    """Writes the body of each request to a new file as it comes, and syncs it before it answers."""
    count = 0

    folder.mkdir(parents=True, exist_ok=True)

    async def app(_: App, receive: App, send: App) -> None:
        nonlocal count
        count += 1
        file = os.open(folder / str(count), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            more = True
            while more:
                message = await receive()
                os.write(file, message["body"])
                more = message["more_body"]
            os.fsync(file)
        finally:
            os.close(file)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    return app


@asynccontextmanager
async def api(data: Path, uploads: list[str]) -> AsyncIterator[App]:
    """The product's API over a data folder, with the limits that the environment sets. No worker runs."""
    clock, limits = SystemClock(), limits_in(os.environ)
    async with open_platform(str(data), limits, exclusive=True, ids=PreparedIds(clock, uploads)) as platform:
        system = assemble(platform, PyavEngine(limits, str(data / "tmp")), limits, JsonLines(clock, component="api"))
        yield create_app(system, verifier_of(data))


async def serve(app: App) -> None:
    """Serve on a free port until asked to end."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        server = DrainingServer(whole.configuration(app), drain=lambda: None)
        print(listener.getsockname()[1], flush=True)
        await server.serve([listener])


async def serve_api(data: Path, uploads: list[str]) -> None:
    """Serve the product's API."""
    async with api(data, uploads) as app:
        await serve(app)


def main(name: str, folder: str = "", ids: str = "") -> None:
    """Serve the application of that name."""
    if name == "api":
        uploads = Path(ids).read_text(encoding="ascii").split() if ids else []
        uvloop.run(serve_api(Path(folder), uploads))
    elif name == "whole":
        uvloop.run(whole.serve(load_settings(data=Path(folder)), "127.0.0.1", 0, _announce))
    else:
        uvloop.run(serve(empty() if name == "empty" else bare(Path(folder))))


def _announce(address: whole.Address) -> None:
    print(urlsplit(address.url).port, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
