"""What a task runner starts, and `smmu worker` too: one process, one heavy task, then the end.

Asked to stop (SIGTERM, a spot machine that goes away, Ctrl-C) it stops its work, records that it was interrupted, and
ends with 143. Everything imported here is paid for at the start of every heavy task, so nothing is that can wait.
"""

import argparse
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio

from smmu.application.system import System
from smmu.bootstrap.isolated import open_worker
from smmu.bootstrap.variables import SettingsError
from smmu.domain.task import attempt_in
from smmu.domain.trace import id_in
from smmu.entrypoints.asked import until_asked
from smmu.entrypoints.libraries import tell_what_libraries_log
from smmu.ports.about import About
from smmu.ports.errors import WorldError
from smmu.ports.platform import Scope

INTERRUPTED = 128 + signal.SIGTERM
USAGE, WORLD_FAILED = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Which try of which task, and where its records are. `family` is what the machine was chosen for.

    Without `data`, the folder of an embedded platform, they are where the settings say.
    """

    family: str
    data: str | None
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
    async with until_asked() as asked, _system(errand) as system:
        tell_what_libraries_log(system.telemetry)
        with About(**about(errand)):
            await perform(system, errand)
    return INTERRUPTED if asked.number else 0


async def perform(system: System, errand: Errand) -> None:
    """Do the errand. What keeps it from being begun, or from being ended, is told before it is raised."""
    try:
        await system.worker.perform(errand.owner, errand.record, errand.tries)
    except WorldError as error:
        system.telemetry.event("errand_failed", tries=errand.tries, error=repr(error))
        raise


def about(errand: Errand) -> dict[str, str]:
    """What its lines are about before the record has been read: a record's id begins with its job's."""
    return {
        "job_id": errand.record.partition("/")[0],
        "owner": errand.owner,
        "record_id": errand.record,
        "trace_id": id_in(os.environ.get("TRACEPARENT", "")),
    }


@asynccontextmanager
async def _system(errand: Errand) -> AsyncIterator[System]:
    if errand.data is not None:
        async with open_worker(errand.data, os.environ) as system:
            yield system
        return
    from smmu.bootstrap.opening import lines_of, open_system  # noqa: PLC0415 - what a folder's worker needs not, it waits not for
    from smmu.bootstrap.settings import AwsPlatform, load_settings  # noqa: PLC0415 - as above

    settings = load_settings()
    if not isinstance(settings.platform, AwsPlatform):
        raise SettingsError("--data is missing: it names the served data folder.")
    lines = lines_of(settings, "worker")
    async with open_system(settings, telemetry=lines, scope=_scope_of(errand)) as running:
        yield running.system


def _scope_of(errand: Errand) -> Scope:
    named = attempt_in(errand.record)
    if named is None:
        raise SettingsError(f"--record is wrong ({errand.record!r}): it is JOB/aATTEMPT/PLACE, as a task is recorded.")
    return Scope(owner=errand.owner, job_id=named[0], attempt=named[1])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="smmu worker", description="Do one heavy task, of a served data folder or of a deployment."
    )
    parser.add_argument("family", help="transcode or transcribe", choices=("transcode", "transcribe"))
    parser.add_argument("--data", help="the served data folder (on AWS the settings say where its records are)")
    parser.add_argument("--owner", required=True, help="whose task it is")
    parser.add_argument("--record", required=True, help="the task's record")
    parser.add_argument("--tries", required=True, type=int, help="how often it has failed before")
    return parser


def _told(words: str, status: int) -> int:
    print(f"smmu worker: {words}", file=sys.stderr)  # noqa: T201 - this is a command
    return status


if __name__ == "__main__":
    sys.exit(main())
