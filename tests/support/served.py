"""`smmu` as its users run it: commands and servers as processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from smmu.bootstrap.opening import verifier_of

SMMU = (sys.executable, "-W", "error", "-m", "smmu.entrypoints.cli")
START_SECONDS, END_SECONDS = 60.0, 40.0


def environment(**changes: str) -> dict[str, str]:
    """Ours, without what the test command itself is told by SMMU_ variables."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("SMMU_")}
    return known | changes


def smmu(*arguments: str | Path, seconds: float = 60, cwd: Path | None = None, **changes: str) -> "Done":
    """Run a command to its end."""
    done = subprocess.run(
        [*SMMU, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds,
        cwd=cwd,
        env=environment(**changes),
    )
    return Done(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The last line of standard error: what a user reads."""
        return self.err.strip().splitlines()[-1] if self.err.strip() else ""


@dataclass(frozen=True)
class Server:
    """A running `smmu serve`."""

    process: "subprocess.Popen[bytes]"
    data: Path
    url: str
    log: Path

    def token(self, owner: str = "ada") -> str:
        return verifier_of(self.data).issue(owner, 3600)

    def options(self, owner: str = "ada") -> tuple[str, ...]:
        return ("--url", self.url, "--token", self.token(owner))

    def ask(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end; the exit status."""
        return self.process.wait(END_SECONDS)


def launch(data: Path, log: Path, settings: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """A server on a free port, that has only been started."""
    with log.open("ab") as lines:
        return subprocess.Popen(
            [*SMMU, "serve", "--data", str(data), "--port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=lines,
            env=environment(**(settings or {})),
        )


def start(data: Path, *, log: Path | None = None, settings: Mapping[str, str] | None = None) -> Server:
    """A server on a free port, once it answers."""
    log = log or data.with_suffix(".log")
    process = launch(data, log, settings)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        known = _address(data)
        if known.get("pid") == process.pid:
            return Server(process, data, str(known["url"]), log)
        pause(0.02)
    process.kill()
    raise AssertionError(f"the server did not start: {log.read_text(encoding='utf-8')[-2000:]}")


@contextmanager
def serving(data: Path, **settings: str) -> Iterator[Server]:
    """A server for a while; it must end well unless the test has ended it itself."""
    server = start(data, settings=settings)
    try:
        yield server
    finally:
        ended_here = server.process.poll() is None
        server.ask()
        status = server.wait()
    assert not ended_here or status == 0, server.log.read_text(encoding="utf-8")[-2000:]


def pause(seconds: float) -> None:
    """Wait where there is no event loop."""
    time.sleep(seconds)  # noqa: TID251 - see above


def _address(data: Path) -> dict[str, object]:
    try:
        known: dict[str, object] = json.loads((data / "server.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return known
