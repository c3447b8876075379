"""An upload as its server sees it: which parts it has and which it wants. Nothing of it is kept on the client.

So any device of the owner goes on where another stopped, after a crash or a year on the shelf of a suspended laptop,
as long as the upload is open.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from smmu.client.connection import Connection
from smmu.client.errors import FileChanged
from smmu.client.reading import LocalSource
from smmu.domain.upload import State
from smmu.wire import InitAnswer, PartsAnswer, PartsRequest, PartUrl, UploadAnswer

_SIGNED_AT_ONCE = 50


@dataclass(slots=True, kw_only=True)
class Session:
    """One upload of one local file. `urls` are signed and not used yet, `missing` are the numbers still to be sent."""

    upload_id: str
    state: State
    size: int
    part_size: int
    missing: Sequence[int]
    urls: dict[int, PartUrl] = field(default_factory=dict)

    @property
    def numbers(self) -> range:
        """The numbers of all parts."""
        return range(1, -(-self.size // self.part_size) + 1)

    def span_of(self, number: int) -> tuple[int, int]:
        """Where a part begins in the file, and how long it is."""
        start = (number - 1) * self.part_size
        return start, min(self.part_size, self.size - start)

    def bytes_of(self, numbers: Collection[int]) -> int:
        """How many bytes these parts have together."""
        return sum(self.span_of(number)[1] for number in numbers)

    def arrived(self) -> Iterator[int]:
        """The numbers of the parts that are there."""
        missing = set(self.missing)
        return (number for number in self.numbers if number not in missing)


def begun(answer: InitAnswer, source: LocalSource) -> Session:
    """The session that has just been opened: every part is missing."""
    opened = Session(
        upload_id=answer.upload_id,
        state=answer.state,
        size=source.size,
        part_size=answer.part_size,
        missing=(),
        urls={part.number: part for part in answer.parts},
    )
    opened.missing = opened.numbers
    return opened


async def account(connection: Connection, upload_id: str, source: LocalSource) -> Session:
    """The server's own account of an upload of this file. Raises `FileChanged` when it cannot be this file."""
    known = await connection.ask(UploadAnswer, "GET", f"/media/upload/{upload_id}")
    if known.size is not None and known.size != source.size:
        raise FileChanged(
            f"{source.path.name} has {source.size:,} bytes and upload {upload_id} was begun with {known.size:,}:"
            " it is not the same file."
        )
    return Session(
        upload_id=upload_id,
        state=known.state,
        size=source.size,
        part_size=known.part_size,
        missing=known.missing,
    )


async def sign(connection: Connection, session: Session, number: int) -> PartUrl:
    """A fresh URL for a part; those that are likely to be wanted next are signed along with it."""
    wanted = [number, *(other for other in session.missing if other > number)][:_SIGNED_AT_ONCE]
    answer = await connection.ask(
        PartsAnswer, "POST", f"/media/upload/{session.upload_id}/parts", body=PartsRequest(numbers=wanted)
    )
    session.urls.update({part.number: part for part in answer.parts})
    return session.urls.pop(number)
