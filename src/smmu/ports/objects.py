"""`ObjectStore`: whole files under keys. `Source`: one pinned version of one of them, read by ranges."""

from abc import abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from smmu.domain.values import ObjectRef


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A finished file on this machine that an object store may take over (it may move it)."""

    path: str


Body = bytes | LocalFile


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """What the store knows of an object. `ref` pins the very bytes that were looked at."""

    ref: ObjectRef
    content_type: str
    modified_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLink:
    """A signed URL that answers GET (with ranges) until `expires_at` (unix seconds) and needs no other header."""

    url: str
    expires_at: float


def attachment(filename: str) -> str:
    """The Content-Disposition of what is saved under this name: for old clients in ASCII, for others in UTF-8.

    Source: RFC 6266, RFC 8187.
    """
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


class Source(Protocol):
    """One object's bytes, pinned. Reading after the object was deleted raises `NotFound`.

    After it was overwritten too, unless the platform declares `KEEPS_VERSIONS`: then these very bytes are still read.
    """

    @property
    @abstractmethod
    def size(self) -> int:
        """Length in bytes."""

    @property
    @abstractmethod
    def local_path(self) -> str | None:
        """A path on this machine that holds exactly these bytes, when there is one (then ranges are not needed)."""

    @abstractmethod
    async def read(self, start: int, length: int) -> bytes:
        """Bytes from `start`, at most `length`; shorter only at the end, empty beyond it."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object as it was found: what pins it, and these very bytes."""

    ref: ObjectRef
    source: Source


def check_folder(folder: str) -> None:
    """That a name of much is a folder: "a" would name "ab/c", and "" everything. `ValueError` else, it is a bug."""
    if not folder.strip("/") or not folder.endswith("/"):
        raise ValueError(f"{folder!r} is no folder")


class ObjectStore(Protocol):
    """Whole objects: written at once or not at all, read by range, listed in key order.

    A key is made by the server (`domain.keys`), never by a user. Reads after a write see it.
    """

    @abstractmethod
    async def stat(self, key: str) -> ObjectInfo | None:
        """The newest version at `key`, or `None`."""

    @abstractmethod
    async def open(self, ref: ObjectRef) -> Source:
        """The pinned version. Raises `NotFound` when the key now holds nothing, or other bytes (but see `Source`)."""

    @abstractmethod
    async def find(self, key: str) -> Found | None:
        """The newest version at `key`, opened; `None` without one. One look, where `stat` and `open` are two."""

    @abstractmethod
    async def put(self, key: str, body: Body, *, content_type: str, if_absent: bool = False) -> ObjectRef:
        """Store `body` whole. A reader sees the old object or the new one, never a part of either.

        With `if_absent`, raises `AlreadyExists` and changes nothing when the key holds an object. Raises `Full`.
        """

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Remove every version of the object; deleting what is not there is fine."""

    @abstractmethod
    async def delete_all(self, folder: str) -> None:
        """Remove every version of every object whose key starts with `folder`, which ends in a slash.

        Far cheaper than one by one. What is written meanwhile may stay, and what is there when it fails: repeat it.
        """

    @abstractmethod
    def list(self, prefix: str) -> AsyncIterator[ObjectRef]:
        """Every object's newest version whose key starts with `prefix`, in key order."""

    @abstractmethod
    async def sign_read(self, ref: ObjectRef, *, expires_at: float, filename: str | None = None) -> ReadLink:
        """A link to these bytes. Served with the stored type; `filename` makes it an attachment.

        `nosniff` is added by who answers for the storage's domain: our own API, or a deployment's CDN (S3 cannot).
        """
