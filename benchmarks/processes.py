"""Servers and load generators as processes of their own, and what the kernel says that they used.

Each process is ended by its own id. A server prints the port it listens on, on 127.0.0.1, when it is ready.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import PLAN, RESULT, Plan, Result

_STOP_SECONDS = 30
_LOAD_SECONDS = 600
_SAMPLE_SECONDS = 0.02
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """The processor time it has used so far, in all its threads."""
        stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_bytes(self) -> int:
        """What of it is in memory now."""
        return self._status("VmRSS")

    def memory_bytes_max(self) -> int:
        """The most that ever was."""
        return self._status("VmHWM")

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        (found,) = (line for line in lines if line.startswith(f"{name}:"))
        return int(found.split()[1]) * 1024


@contextmanager
def serving(*arguments: str, log: Path, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server of `benchmarks.servers`, until the block ends. What it complains about is in `log`."""
    with running([sys.executable, "-m", "benchmarks.servers", *arguments], log, environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server did not start: {log.read_text(encoding='utf-8')[-2000:]}")
        yield Server(port=int(line), pid=process.pid)


@contextmanager
def running(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """A process with its output at hand, asked to end when the block does, and made to if it will not."""
    added = {**os.environ, **(environment or {})}
    with log.open("a", encoding="utf-8") as complaints:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True, env=added)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def load(plan: Plan) -> Result:
    """Have a load generator carry out a plan."""
    command = [sys.executable, "-m", "benchmarks.load"]
    done = subprocess.run(
        command, input=PLAN.dump_json(plan), stdout=subprocess.PIPE, check=True, timeout=_LOAD_SECONDS
    )
    return RESULT.validate_json(done.stdout)


@contextmanager
def sampling(server: Server, samples: list[int]) -> Iterator[None]:
    """Add what the server has in memory to `samples`, fifty times a second, until the block ends."""
    over = threading.Event()

    def sample() -> None:
        while not over.wait(_SAMPLE_SECONDS):
            samples.append(server.memory_bytes())

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
