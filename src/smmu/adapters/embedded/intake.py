"""Takes a stream of bytes to disk: checksums and writes on threads, while the next bytes are being received.

Memory: two batches of 1 MiB and one chunk, however large the stream. Costs: one hop to a thread for each batch.
It refuses a stream longer than it may be as soon as it is, and one shorter at its end.
"""

import fcntl
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio import to_thread
from anyio.streams.memory import MemoryObjectReceiveStream

from smmu.adapters.embedded.errors import translating
from smmu.adapters.embedded.files import start_writing_out, write_at
from smmu.domain.values import Algorithm, Checksum
from smmu.ports.checksums import Digest
from smmu.ports.errors import Corrupt, NotFound, one_error

_BATCH_BYTES = 1 << 20
_START_BYTES = 8 << 20
_BATCH_CHUNKS = 512  # the system takes at most 1024 at once
_ALWAYS = (Algorithm.CRC64NVME, Algorithm.CRC32C)

Chunks = list[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What was signed: exactly `size` bytes, or any number up to `size_max`; with this checksum, if one is given.

    `announced` is the length that the sender declares, if it does.
    """

    size: int | None
    size_max: int
    checksum: Checksum | None = None
    announced: int | None = None

    def check_announced(self) -> None:
        """Refuse a declared length before a byte is read."""
        length = self.announced
        if length is not None and (length > self.most or (self.size is not None and length != self.size)):
            raise Corrupt(f"{length} bytes were announced, but {self._signed()} were signed")

    def check(self, size: int, digests: "Digests") -> None:
        """Refuse what has come when it is not what was signed."""
        if self.size is not None and size != self.size:
            raise Corrupt(f"{size} bytes have come, but {self._signed()} were signed")
        if self.announced is not None and size != self.announced:
            raise Corrupt(f"{size} bytes have come, but {self.announced} were announced")
        if self.checksum is not None and digests.get(self.checksum.algorithm) != self.checksum:
            raise Corrupt(f"the {self.checksum.algorithm} of what has come is not the one that was signed")

    @property
    def most(self) -> int:
        """The most bytes that may come."""
        return self.size_max if self.size is None else self.size

    def _signed(self) -> str:
        return f"{self.most}" if self.size is not None else f"at most {self.most}"


class Digests:
    """Running checksums of one stream: both CRCs, which cost next to nothing, and SHA-256 where it is asked for."""

    def __init__(self, wanted: Checksum | None = None) -> None:
        algorithms = {*_ALWAYS, wanted.algorithm} if wanted else set(_ALWAYS)
        self._digests = {algorithm: Digest(algorithm) for algorithm in algorithms}

    def update(self, chunks: Chunks) -> None:
        """Feed the next bytes."""
        for digest in self._digests.values():
            for chunk in chunks:
                digest.update(chunk)

    def get(self, algorithm: Algorithm) -> Checksum | None:
        """The checksum so far, if it was asked for."""
        digest = self._digests.get(algorithm)
        return digest.checksum() if digest else None

    def known(self) -> dict[Algorithm, Checksum]:
        """All checksums so far."""
        return {algorithm: digest.checksum() for algorithm, digest in self._digests.items()}


class Slot:
    """A place in an open file that takes consecutive bytes. Runs on threads.

    Where `shared_path` is given, others write to other places of the same file, and its session may end: then each
    batch is written under a shared lock, and only while the file still has that path.
    """

    def __init__(self, file: int, offset: int, digests: Digests, shared_path: Path | None = None) -> None:
        self._file, self._offset, self._digests = file, offset, digests
        self._shared_path = shared_path
        self._started = offset  # up to here the kernel has been asked to write out

    def write(self, chunks: Chunks) -> None:
        """Write and digest the next bytes."""
        with translating(), self._sharing():
            write_at(self._file, chunks, self._offset)
        self._offset += sum(map(len, chunks))
        if self._offset - self._started >= _START_BYTES:
            start_writing_out(self._file, self._started, self._offset - self._started)
            self._started = self._offset
        self._digests.update(chunks)

    def sync(self) -> None:
        """Make what was written durable."""
        with translating():
            os.fdatasync(self._file)

    @contextmanager
    def _sharing(self) -> Iterator[None]:
        if self._shared_path is None:
            yield
            return
        fcntl.flock(self._file, fcntl.LOCK_SH)
        try:
            if not self._shared_path.exists():
                raise NotFound("the upload is over")
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)


async def pour(body: AsyncIterator[bytes], slot: Slot, expected: Expected) -> int:
    """Bring all of `body` to its slot, not yet synced; how many bytes came."""
    send, receive = anyio.create_memory_object_stream[Chunks](0)
    size = 0
    with one_error(), receive:  # reading and writing fail one at a time, or for the same reason
        async with anyio.create_task_group() as tasks, send, aclosing(_batches(body, expected.most)) as batches:
            tasks.start_soon(_drain, receive, slot.write)
            async for batch, size in batches:  # noqa: B007 - the last one is the answer
                await send.send(batch)
    return size


async def _drain(batches: MemoryObjectReceiveStream[Chunks], write: Callable[[Chunks], None]) -> None:
    # Not closed here: a writer that fails is to end the reading by cancelling it, not by a broken stream.
    async for batch in batches:
        await to_thread.run_sync(write, batch)


async def _batches(body: AsyncIterator[bytes], most: int) -> AsyncGenerator[tuple[Chunks, int]]:
    """The stream in batches, each with how many bytes have come so far."""
    batch: Chunks = []
    total = flushed = 0
    async for chunk in body:
        total += len(chunk)
        if total > most:
            raise Corrupt(f"more bytes have come than the {most} that were signed")
        if chunk:
            batch.append(chunk)
        if total - flushed >= _BATCH_BYTES or len(batch) >= _BATCH_CHUNKS:
            yield batch, total
            batch, flushed = [], total
    if batch:
        yield batch, total
