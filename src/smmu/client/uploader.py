"""Uploads one file: begin, send the parts that are missing beside each other, complete. Each step may be repeated.

The checksum of the whole file is put together from the parts' own, taken while they are read to be sent, and given
when the upload is completed: what the server accepts is what was on this disk.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from smmu.client.connection import Connection
from smmu.client.errors import ServerRefused
from smmu.client.parts import PartSender, digest_of
from smmu.client.reading import LocalSource
from smmu.client.resume import Session, account, begun, sign
from smmu.domain.errors import Code
from smmu.domain.upload import State
from smmu.ports.checksums import Span, combine
from smmu.ports.errors import one_error
from smmu.wire import Checksum, CompleteAnswer, CompleteRequest, InitAnswer, InitRequest, PartUrl

PARALLEL = 4
_ROUNDS_MAX = 5  # of sending what the storage says is missing

Progress = Callable[[int, int], None]
"""Called with the bytes that are on their way or there, and the bytes in all. It goes back when some are sent again."""
Opened = Callable[[str, int], None]
"""Called with the upload's id as soon as there is one, and its number of parts: whoever is interrupted can resume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be uploaded, and as what. Without a `content_type` the server looks for itself."""

    path: Path
    filename: str = ""
    content_type: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    resume: str | None = None


def unheard(*_: object) -> None:
    """Nobody is listening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploader:
    """Uploads files over a connection, `parallel` parts of each at once."""

    connection: Connection
    parallel: int = PARALLEL

    async def upload(self, wish: Wish, *, progress: Progress = unheard, opened: Opened = unheard) -> CompleteAnswer:
        """Upload a file; the job that was made of it. Raises `ClientError`, or `OSError` for the file itself."""
        source = await LocalSource.of(wish.path)
        if wish.resume is not None:
            session = await account(self.connection, wish.resume, source)
        else:
            session = await self._begin(wish, source)
        opened(session.upload_id, len(session.numbers))
        spans: dict[int, Span] = {}
        for _ in range(_ROUNDS_MAX):
            if session.state is State.OPEN:
                await _Sending(self.connection, source, session, spans, progress).run(self.parallel)
                await source.require_unchanged()
            try:
                return await self._complete(session, spans)
            except ServerRefused as refusal:
                if refusal.code != Code.UPLOAD_INCOMPLETE:
                    raise
                session = await account(self.connection, session.upload_id, source)
        return await self._complete(session, spans)

    async def _begin(self, wish: Wish, source: LocalSource) -> Session:
        request = InitRequest(
            filename=wish.filename or wish.path.name,
            size=source.size,
            content_type=wish.content_type,
            metadata=dict(wish.metadata),
            options=dict(wish.options),
        )
        key = {"idempotency-key": secrets.token_hex(16)}  # a repeated request answers the session of the first
        answer = await self.connection.ask(InitAnswer, "POST", "/media/upload/init", body=request, headers=key)
        return begun(answer, source)

    async def _complete(self, session: Session, spans: Mapping[int, Span]) -> CompleteAnswer:
        """Repeated while the server says that somebody is at it: then the answer is the same for all."""
        request = CompleteRequest(upload_id=session.upload_id, checksum=_whole(session, spans))
        for failures in range(1, self.connection.patience.tries):
            try:
                return await self.connection.ask(CompleteAnswer, "POST", "/media/upload/complete", body=request)
            except ServerRefused as refusal:
                if refusal.code != Code.UPLOAD_COMPLETING:
                    raise
            await self.connection.patience.wait(failures)
        return await self.connection.ask(CompleteAnswer, "POST", "/media/upload/complete", body=request)


class _Sending:
    """One round of sending what is missing, and of reading what is there already but was not read by us."""

    def __init__(
        self,
        connection: Connection,
        source: LocalSource,
        session: Session,
        spans: dict[int, Span],
        progress: Progress,
    ) -> None:
        self._connection, self._source, self._session = connection, source, session
        self._spans, self._progress = spans, progress
        self._there = session.bytes_of([*session.arrived()])
        self._under_way: dict[int, int] = {}
        self._sender = PartSender(connection=connection, source=source, sign=self._sign, sent=self._sent)

    async def run(self, parallel: int) -> None:
        """See every part through, `parallel` at once."""
        unread = [number for number in self._session.arrived() if number not in self._spans]
        numbers = iter([*self._session.missing, *unread])
        missing = frozenset(self._session.missing)
        self._progress(self._there, self._session.size)
        with one_error():
            async with anyio.create_task_group() as group:
                for _ in range(parallel):
                    group.start_soon(self._work, numbers, missing)

    async def _work(self, numbers: Iterator[int], missing: frozenset[int]) -> None:
        for number in numbers:
            start, length = self._session.span_of(number)
            if number in missing:
                part = self._session.urls.pop(number, None) or await self._sign(number)
                self._spans[number] = await self._sender.send(part, start, length)
                self._arrived(number, length)
            else:
                self._spans[number] = await digest_of(self._source, start, length)

    async def _sign(self, number: int) -> PartUrl:
        return await sign(self._connection, self._session, number)

    def _sent(self, number: int, count: int) -> None:
        self._under_way[number] = count
        self._progress(self._there + sum(self._under_way.values()), self._session.size)

    def _arrived(self, number: int, length: int) -> None:
        self._under_way.pop(number, None)
        self._there += length


def _whole(session: Session, spans: Mapping[int, Span]) -> Checksum | None:
    """The checksum of the whole file, when all of it was read here."""
    if any(number not in spans for number in session.numbers):
        return None
    whole = combine(spans[number] for number in session.numbers)
    return None if whole is None else Checksum(algorithm=whole.algorithm.value, value=whole.value)
