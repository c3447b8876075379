"""Plain requests to the product's API, for everything that is not timed, and the sending of files, which is.

`python -m benchmarks.talk` is a sender: a process of its own that reads a `Sending` as JSON on standard input, sends
the file by `sendfile`, and writes the seconds that it took. Both sides of a comparison are sent to by the same program.
"""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter

_SECONDS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Where some bytes of the file go."""

    path: str
    start: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A file, and where it goes: in order, over so many connections."""

    port: int
    file: str
    pieces: tuple[Piece, ...]
    connections: int = 1


SENDING = TypeAdapter(Sending)


def send(sending: Sending) -> float:
    """Have a sender send it; the seconds from the first byte to the last answer."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.talk"],
        input=SENDING.dump_json(sending),
        stdout=subprocess.PIPE,
        check=True,
        timeout=_SECONDS,
    )
    return float(done.stdout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A caller of the product's API."""

    port: int
    token: str

    def call(self, method: str, path: str, message: Mapping[str, object] | None = None) -> dict[str, Any]:
        """What it answers; `RuntimeError` with its words when it refuses."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS)
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        connection.request(method, path, json.dumps(message) if message is not None else None, headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {body.decode()}")
        said: dict[str, Any] = json.loads(body)
        return said

    def begin(self, filename: str, content_type: str, size: int) -> dict[str, Any]:
        """Open an upload."""
        message = {"filename": filename, "content_type": content_type, "size": size}
        return self.call("POST", "/media/upload/init", message)

    def complete(self, begun: Mapping[str, Any]) -> dict[str, Any]:
        """Complete what was begun and sent."""
        return self.call("POST", "/media/upload/complete", {"upload_id": begun["upload_id"]})

    def events(self, job_id: str) -> list[dict[str, Any]]:
        """All that is told of a job, its end last: the stream ends with it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS)
        connection.request("GET", f"/jobs/{job_id}/events", headers={"authorization": f"Bearer {self.token}"})
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]

    def _signed(self, begun: Mapping[str, Any]) -> list[dict[str, Any]]:
        """All parts: those that init has signed, and the rest of a large file, asked for at once."""
        parts: list[dict[str, Any]] = list(begun["parts"])
        rest = list(range(len(parts) + 1, (begun["part_count"] or 0) + 1))
        if rest:
            parts += self.call("POST", f"/media/upload/{begun['upload_id']}/parts", {"numbers": rest})["parts"]
        return parts

    def put(self, begun: Mapping[str, Any], file: str, connections: int = 1) -> float:
        """Send a file to an upload; the seconds that it took."""
        pieces = [
            Piece(path=urlsplit(part["url"]).path, start=begun["part_size"] * (part["number"] - 1), size=part["size"])
            for part in self._signed(begun)
        ]
        assert sum(piece.size for piece in pieces) == Path(file).stat().st_size
        return send(Sending(port=self.port, file=file, pieces=tuple(pieces), connections=connections))


def _send(sending: Sending) -> float:
    shares = [sending.pieces[first :: sending.connections] for first in range(sending.connections)]
    begun = time.perf_counter()
    with ThreadPoolExecutor(sending.connections) as senders:
        list(senders.map(lambda share: _send_share(sending, share), shares))
    return time.perf_counter() - begun


def _send_share(sending: Sending, pieces: tuple[Piece, ...]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sending.port, timeout=_SECONDS)
    connection.connect()
    with Path(sending.file).open("rb") as file:
        for piece in pieces:
            connection.putrequest("PUT", piece.path)
            connection.putheader("content-length", str(piece.size))
            connection.endheaders()
            connection.sock.sendfile(file, piece.start, piece.size)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status >= 300:
                raise RuntimeError(f"PUT answered {answer.status}: {body.decode()}")
    connection.close()


if __name__ == "__main__":
    print(_send(SENDING.validate_json(sys.stdin.buffer.read())))
