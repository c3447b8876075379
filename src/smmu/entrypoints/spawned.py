"""A `smmu serve` as a process of its own, for a program that wants a server for a while."""

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio import to_thread

from smmu.entrypoints.server import ADDRESS, DRAIN_SECONDS
from smmu.ports.errors import Unavailable

_START_SECONDS = 60
_LOOK_SECONDS = 0.05
_SLACK_SECONDS = 10


@asynccontextmanager
async def spawned(data: Path, log: Path) -> AsyncIterator[str]:
    """The URL of a server over `data`, on a free port. Afterwards it is asked to end, and waited for.

    What it says goes to `log`. Raises `Unavailable` when it does not start, or does not end well.
    """
    process = await to_thread.run_sync(_start, data, log)
    try:
        yield await _address(process, data, log)
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(DRAIN_SECONDS + 2 * _SLACK_SECONDS):
            await to_thread.run_sync(_end, process)
    if process.returncode != 0:
        raise Unavailable(f"the server ended with {process.returncode}: see {log}")


async def _address(process: "subprocess.Popen[bytes]", data: Path, log: Path) -> str:
    with anyio.move_on_after(_START_SECONDS):
        while process.poll() is None:
            known = _read(data / ADDRESS)
            if known.get("pid") == process.pid:
                return str(known["url"])
            await anyio.sleep(_LOOK_SECONDS)
    raise Unavailable(f"the server did not start: {await to_thread.run_sync(_last_line, log)}")


def _read(path: Path) -> dict[str, object]:
    try:
        known: dict[str, object] = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return known


def _start(data: Path, log: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "smmu.entrypoints.cli", "serve", "--data", str(data), "--port", "0"]
    with log.open("wb") as lines:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=lines, stderr=lines)  # noqa: S603 - ours


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(DRAIN_SECONDS + _SLACK_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
