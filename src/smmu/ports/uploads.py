"""`UploadStore`: takes bytes straight from clients into storage, part by part. No byte passes the use cases."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from smmu.domain.quick import quick
from smmu.domain.values import Checksum, ObjectRef


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A storage session: where the object will be, how it is cut, and the storage's own id of it ("" for single).

    All parts but the last are exactly `part_size` bytes (0 for single). `content_type` is the object's; a multipart
    session's is "", because its storage keeps it. A storage keeps nothing of a single session: this is all of it.
    """

    key: str
    storage_id: str
    method: Literal["single", "multipart"]
    part_size: int = 0
    content_type: str = ""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class PartSlot:
    """A part to be sent: its number from 1 and its exact length in bytes (`None`: unknown, up to `size_max`)."""

    number: int
    size: int | None
    size_max: int = 0


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPart:
    """A URL that takes exactly this part by PUT, with these headers, until `expires_at`.

    Content-Length is never among `headers`: every client sends it by itself, and a browser forbids to set it.
    """

    number: int
    size: int | None
    url: str
    expires_at: float
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedForm:
    """A form that takes one file until `expires_at`: these fields, then `file`, POSTed to `url` as form-data."""

    url: str
    fields: Mapping[str, str]
    expires_at: float


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPart:
    """A part that has arrived, whole. Sending a number of a multipart session again replaces it."""

    number: int
    size: int
    etag: str


class UploadStore(Protocol):
    """Upload sessions. A single session holds one part, number 1, which is the object itself and is written once.

    Once a PUT has made the object, another one through any URL of the session changes nothing: with other bytes it is
    refused, with the same it is refused or answers as the first did. (On S3 the URL signs `If-None-Match: *`, and the
    second PUT gets 412; our own gateway knows the bytes, and repeats its answer.) A key is used for one session, once.
    """

    @abstractmethod
    async def begin(
        self, key: str, *, method: Literal["single", "multipart"], part_size: int, content_type: str
    ) -> Session:
        """Open a session. Nothing is visible at `key` before it is completed (for single: before the PUT ends).

        A single session is not written down at all: beginning one costs the storage nothing.
        """

    @abstractmethod
    async def sign(
        self,
        session: Session,
        parts: Sequence[PartSlot],
        *,
        expires_at: float,
        checksum: Checksum | None = None,
    ) -> Sequence[SignedPart]:
        """URLs bound to object, part number and exact length. `checksum` (single only) is enforced on arrival.

        A PUT that is shorter, longer, late, or for something else is refused and leaves nothing behind. A part of
        unknown length is kept under its ceiling where our own API serves the URL; S3 takes it, and `list_parts` tells.
        """

    @abstractmethod
    async def list_parts(self, session: Session) -> Sequence[StoredPart]:
        """The parts that are there, by number, with the sizes the storage measured.

        Empty when a multipart session is over. A single one's part is there as long as its object is.
        """

    @abstractmethod
    async def complete(self, session: Session, parts: Sequence[StoredPart]) -> ObjectRef:
        """Assemble the object from exactly these parts, atomically, and pin it. A single one is looked at, no more.

        Repeating it answers the same object, while there is one: `NotFound` when it was deleted or replaced since.
        Raises `NotFound` when a part is missing or is another one, which leaves the session as it was, or when the
        session was aborted; `Corrupt` when a part but the last is smaller than the storage allows. Parts out of order
        or named twice are a bug (`ValueError`).
        """

    @abstractmethod
    async def checksum(self, ref: ObjectRef, wanted: Checksum) -> Checksum | None:
        """The stored object's full checksum by the wanted algorithm; `None` where this storage cannot tell it cheaply.

        Storage that computes while bytes arrive (S3, the embedded store) answers without reading the object again.
        """

    @abstractmethod
    async def abort(self, session: Session) -> None:
        """Drop the session, its parts and (for single) its object. Repeating it is fine.

        A completed multipart object stays: `ObjectStore.delete` removes it.
        """

    @abstractmethod
    async def orphans(self, before: float) -> Sequence[Session]:
        """Multipart sessions begun before that time (unix seconds) and neither completed nor aborted.

        They can be aborted as they are; where the storage does not keep `part_size`, it is 0. Of a single session a
        storage keeps nothing but its object, whose key the ledger knows.
        """


class UploadForms(Protocol):
    """Signs HTML forms (capability `POST_FORMS`): the one way to bound a body whose size nobody knows beforehand."""

    @abstractmethod
    async def sign_form(
        self,
        session: Session,
        *,
        size_min: int,
        size_max: int,
        expires_at: float,
        checksum: Checksum | None = None,
    ) -> SignedForm:
        """A form for a single session: its key, its type, a body of `size_min` to `size_max` bytes, and nothing else.

        Whoever changes, leaves out or adds a field is refused, and so is a late, shorter or longer body, or one of
        another `checksum`; nothing is left behind. The answer is 201. Posting a form again replaces the object, so what
        was looked at is told apart by its version (`KEEPS_VERSIONS`).
        """
