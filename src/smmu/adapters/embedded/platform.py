"""The embedded platform: one data folder, its database, its files, and the worker processes it starts.

Storage, all of it readable by its owner alone:

    smmu.db, smmu.db-wal, smmu.db-shm      records, queue, sessions, what objects there are (schema.py)
    objects/, incoming/                    bytes (files.py)
    tickets.secret, tokens.secret          what signed URLs and bearer tokens are signed with
    playback.secret                        what passes are signed with
    serving.lock, using.lock               see locks.py

`exclusive` is for the process that serves. It refuses a folder that another one serves. Whatever was under way when
the one before ended is over: its leases are released and its unfinished files removed.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from smmu.adapters.embedded.database import Database
from smmu.adapters.embedded.files import Files
from smmu.adapters.embedded.gateway import FileGateway
from smmu.adapters.embedded.ledger import SqliteLedger
from smmu.adapters.embedded.locks import serving, using
from smmu.adapters.embedded.objects import FileObjectStore
from smmu.adapters.embedded.queue import SqliteQueue
from smmu.adapters.embedded.recovery import recover_files
from smmu.adapters.embedded.search import SqliteSearchIndex
from smmu.adapters.embedded.secret import FileSecrets, secret_at
from smmu.adapters.embedded.system import RandomIds, SystemClock
from smmu.adapters.embedded.tasks import Command, SubprocessTaskRunner, worker_command
from smmu.adapters.embedded.uploads import FileUploadStore
from smmu.domain.limits import Limits
from smmu.ports.errors import Unavailable
from smmu.ports.platform import Capability, Platform
from smmu.ports.system import Clock, IdSource

_FOLDER_MODE = 0o700
_DATABASE = "smmu.db"
CAPABILITIES = frozenset(
    {
        Capability.SERVES_URLS,
        Capability.STARTS_TASKS,
        Capability.SMALL_TASKS,
        Capability.FULL_CHECKSUMS,
        Capability.DURABLE,
        Capability.LOCAL_FILES,
    }
)


@asynccontextmanager
async def open_platform(
    data: str,
    limits: Limits,
    *,
    exclusive: bool,
    clock: Clock | None = None,
    ids: IdSource | None = None,
    command: Command | None = None,
    environment: Mapping[str, str] | None = None,
    grace_seconds: float = 10.0,
) -> AsyncIterator[Platform]:
    """The platform of a data folder. `exclusive` makes it if it is not there; without, there has to be one.

    `command`, `environment` and `grace_seconds` say how worker processes are started and stopped; by default they are
    `python -m smmu.entrypoints.worker` with what a program needs of this process's environment. Raises `Unavailable`
    when `exclusive` and another process serves the folder, or else when nobody ever did.
    """
    folder, clock = _made(data) if exclusive else _known(data), clock or SystemClock()
    tasks = SubprocessTaskRunner(command or worker_command(str(folder)), environment, grace_seconds=grace_seconds)
    async with AsyncExitStack() as stack:
        if exclusive:
            stack.enter_context(serving(folder))
        use = stack.enter_context(using(folder))
        alone = exclusive and await use.alone()
        database, files = Database(str(folder / _DATABASE)), Files(folder)
        stack.push_async_callback(database.close)
        stack.callback(files.close)
        queue = SqliteQueue(database, clock, limits)
        if exclusive:
            await queue.recover()
        if alone:
            await recover_files(database, files)
        use.share()
        await stack.enter_async_context(tasks.running())
        secret = secret_at(folder / "tickets.secret")
        objects = FileObjectStore(database, files, clock, secret, limits.url_seconds_max)
        yield Platform(
            name="embedded",
            capabilities=CAPABILITIES,
            uploads=FileUploadStore(database, files, objects, clock, secret),
            objects=objects,
            ledger=SqliteLedger(database),
            queue=queue,
            tasks=tasks,
            starter=tasks,
            gateway=FileGateway(database, files, objects, clock, secret),
            secrets=FileSecrets(folder),
            clock=clock,
            ids=ids or RandomIds(clock),
            search=SqliteSearchIndex(database),
        )


def token_secret(data: str) -> bytes:
    """The secret that this folder's bearer tokens are signed with, made if there is none."""
    return secret_at(_made(data) / "tokens.secret")


def _known(data: str) -> Path:
    folder = Path(data).absolute()
    if folder.is_file():
        raise Unavailable(f"{folder} cannot be the data folder: it is a file")
    if not (folder / _DATABASE).exists():
        raise Unavailable(f"{folder} is not a data folder: nothing was ever served from it")
    return folder


def _made(data: str) -> Path:
    folder = Path(data).absolute()
    try:
        folder.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        why = "it is a file" if isinstance(error, FileExistsError) else error.strerror
        raise Unavailable(f"{folder} cannot be the data folder: {why}") from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise Unavailable(f"{folder} cannot be the data folder: it cannot be read and written")
    return folder
