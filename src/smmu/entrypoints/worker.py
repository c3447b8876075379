"""What a task runner starts, and `smmu worker` too: one process, one heavy task, then the end.

Asked to stop (SIGTERM, a spot machine that goes away, Ctrl-C) it stops its work, records that it was interrupted, and
ends with 143. Everything imported here is paid for at the start of every heavy task, so nothing is that can wait.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from smmu.bootstrap.isolated import open_worker
from smmu.bootstrap.variables import SettingsError
from smmu.entrypoints.asked import until_asked
from smmu.ports.errors import WorldError

INTERRUPTED = 128 + signal.SIGTERM
USAGE, WORLD_FAILED = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Which try of which task, and where its records are. `family` is what the machine was chosen for."""

    family: str
    data: str
    owner: str
    record: str
    tries: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one errand from the command line; its exit status."""
    given = _parser().parse_args(arguments)
    return run(Errand(**vars(given)))


def run(errand: Errand) -> int:
    """Run one errand; its exit status."""
    try:
        return anyio.run(_work, errand, backend="asyncio")
    except WorldError as error:
        return _told(str(error), WORLD_FAILED)
    except SettingsError as error:
        return _told(str(error), USAGE)


async def _work(errand: Errand) -> int:
    async with until_asked() as asked, open_worker(errand.data, os.environ) as system:
        await system.worker.perform(errand.owner, errand.record, errand.tries)
    return INTERRUPTED if asked.number else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="smmu worker", description="Do one heavy task of a served data folder.")
    parser.add_argument("family", help="transcode or transcribe", choices=("transcode", "transcribe"))
    parser.add_argument("--data", required=True, help="the served data folder")
    parser.add_argument("--owner", required=True, help="whose task it is")
    parser.add_argument("--record", required=True, help="the task's record")
    parser.add_argument("--tries", required=True, type=int, help="how often it has failed before")
    return parser


def _told(words: str, status: int) -> int:
    print(f"smmu worker: {words}", file=sys.stderr)  # noqa: T201 - this is a command
    return status


if __name__ == "__main__":
    sys.exit(main())
