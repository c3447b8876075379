"""The embedded platform: one data folder, its database, its files, and the worker processes it starts.

Storage, all of it readable by its owner alone:

    smmu.db, smmu.db-wal, smmu.db-shm      records, queue, sessions, what objects there are (schema.py)
    objects/, incoming/                    bytes (files.py)
    tickets.secret, tokens.secret          what signed URLs and bearer tokens are signed with
    serving.lock, using.lock               held by the one process that serves, and by all that have it open

`exclusive` is for the process that serves. It refuses a folder that another one serves. Whatever was under way when
the one before ended is over: its leases are released and its unfinished files removed.
"""

import fcntl
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import anyio

from smmu.adapters.embedded.database import Database
from smmu.adapters.embedded.errors import translating
from smmu.adapters.embedded.files import Files
from smmu.adapters.embedded.gateway import FileGateway
from smmu.adapters.embedded.ledger import SqliteLedger
from smmu.adapters.embedded.objects import FileObjectStore
from smmu.adapters.embedded.queue import SqliteQueue
from smmu.adapters.embedded.recovery import recover_files
from smmu.adapters.embedded.secret import secret_at
from smmu.adapters.embedded.system import RandomIds, SystemClock
from smmu.adapters.embedded.tasks import SubprocessTaskRunner, worker_command
from smmu.adapters.embedded.uploads import FileUploadStore
from smmu.domain.limits import Limits
from smmu.ports.errors import Unavailable
from smmu.ports.platform import Capability, Platform
from smmu.ports.system import Clock, IdSource
from smmu.ports.tasks import TaskRequest

_FOLDER_MODE = 0o700
_DYING_SECONDS = 1.0
CAPABILITIES = frozenset(Capability)


@asynccontextmanager
async def open_platform(
    data: str,
    limits: Limits,
    *,
    exclusive: bool,
    clock: Clock | None = None,
    ids: IdSource | None = None,
    command: Callable[[TaskRequest], Sequence[str]] | None = None,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Platform]:
    """The platform of a data folder, made if it is not there.

    `command` and `environment` say how worker processes are started; by default `python -m smmu.entrypoints.worker`
    with what of this process's environment a program needs. Raises `Unavailable` when another process serves it.
    """
    data = os.path.abspath(data)
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        with translating():
            os.makedirs(data, _FOLDER_MODE, exist_ok=True)
        alone = await _lock(stack, data, exclusive=exclusive)
        database = Database(os.path.join(data, "smmu.db"))
        stack.push_async_callback(database.close)
        with translating():
            files = Files(data)
        stack.callback(files.close)
        queue = SqliteQueue(database, clock, limits)
        if exclusive:
            await queue.recover()
        if alone:
            await recover_files(database, files)
        secret = secret_at(os.path.join(data, "tickets.secret"))
        objects = FileObjectStore(database, files, clock, secret)
        tasks = SubprocessTaskRunner(command or worker_command(data), environment)
        await stack.enter_async_context(tasks.running())
        yield Platform(
            name="embedded",
            capabilities=CAPABILITIES,
            uploads=FileUploadStore(database, files, objects, clock, secret),
            objects=objects,
            ledger=SqliteLedger(database),
            queue=queue,
            tasks=tasks,
            gateway=FileGateway(database, files, objects, clock, secret),
            clock=clock,
            ids=ids or RandomIds(clock),
        )


def token_secret(data: str) -> bytes:
    """The secret that this folder's bearer tokens are signed with, made if there is none."""
    with translating():
        os.makedirs(data, _FOLDER_MODE, exist_ok=True)
    return secret_at(os.path.join(data, "tokens.secret"))


async def _lock(stack: AsyncExitStack, data: str, *, exclusive: bool) -> bool:
    """Hold the locks of this folder until the stack ends; whether nobody else has it open."""
    alone = False
    if exclusive:
        serving = _open(stack, os.path.join(data, "serving.lock"))
        if not _try(serving, fcntl.LOCK_EX):
            raise Unavailable(f"another smmu serves {data}: stop it first, or choose another folder")
    using = _open(stack, os.path.join(data, "using.lock"))
    if exclusive:  # the workers of a server that was killed are dying just now
        with anyio.move_on_after(_DYING_SECONDS):
            while not (alone := _try(using, fcntl.LOCK_EX)):
                await anyio.sleep(_DYING_SECONDS / 20)
    fcntl.flock(using, fcntl.LOCK_SH)
    return alone


def _open(stack: AsyncExitStack, path: str) -> int:
    with translating():
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    stack.callback(os.close, file)
    return file


def _try(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
