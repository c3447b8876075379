"""Where the bytes are. A file here means nothing by itself: a row in the database says what it is.

Storage, under the data folder:

    incoming/{name}       being received, or just named by a row; a multipart session's file has the session's id
    objects/{xx}/{name}   settled; `name` is the object's version, `xx` its first two characters

The order that makes a crash harmless: write in `incoming`, sync the file and the folder, commit the row that names
it, then move it to `objects`. The commit is the moment it exists. The move is not synced: whoever misses the file in
`objects` makes the move (`settled`), and so does `recover`. Removal is the other way round: the row goes first.

Costs of a new file: one sync of its data, one of the folder. It refuses names that are not made by `new_name`.
"""

import ctypes
import errno
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from smmu.adapters.embedded.errors import translating
from smmu.ports.errors import AlreadyExists, Full, NotFound

_sync_file_range = ctypes.CDLL(None).sync_file_range  # Python has no other way to it
_sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
_SYNC_FILE_RANGE_WRITE = 2

_NAME = re.compile(r"[0-9a-f]{32}")
DATA_MODE = 0o600
_FOLDER_MODE = 0o700


def new_name() -> str:
    """A name nobody can guess and nobody has: 128 bits of chance in hexadecimal."""
    return secrets.token_hex(16)


class Files:
    """The files of one data folder. All calls are short but `sync_folder`; they raise `OSError`."""

    def __init__(self, data: Path) -> None:
        self._incoming = Path(data, "incoming")
        self._objects = Path(data, "objects")
        self._objects_path = str(self._objects)
        with translating():
            for folder in (self._incoming, self._objects, *(self._objects / f"{n:02x}" for n in range(256))):
                folder.mkdir(_FOLDER_MODE, exist_ok=True)
            self._folder = os.open(self._incoming, os.O_RDONLY | os.O_DIRECTORY)

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._folder)

    def incoming(self, name: str) -> Path:
        """The path of a file that is being received."""
        return self._incoming / _checked(name)

    def create(self, name: str) -> int:
        """A new file in `incoming`, open for writing and reading."""
        return os.open(self.incoming(name), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, DATA_MODE)

    def take_over(self, path: str, name: str) -> None:
        """Move a finished file into `incoming`, or copy it when it is on another file system."""
        target = self.incoming(name)
        try:
            Path(path).rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            shutil.copyfile(path, target)
            Path(path).unlink()

    def sync_folder(self) -> None:
        """Make the names in `incoming` durable."""
        os.fsync(self._folder)

    def settle(self, name: str) -> None:
        """Move a file that a row names to its place. Fine when that has been done."""
        # A link and not a rename, because it never replaces a file that is there already.
        with suppress(FileNotFoundError, FileExistsError):
            os.link(self.incoming(name), self.place(name))
        self.remove_incoming(name)

    def settled(self, name: str) -> str:
        """The path of the file of an object, in its place."""
        place = self.place(name)
        if not os.access(place, os.F_OK):
            self.settle(name)
        return place

    def place(self, name: str) -> str:
        """Where the file of an object belongs, and mostly is."""
        return f"{self._objects_path}/{name[:2]}/{_checked(name)}"  # a `Path` costs as much as a query

    def remove(self, name: str) -> None:
        """Remove the file of an object that no row names any more. Fine when it is gone."""
        self.remove_incoming(name)
        with suppress(FileNotFoundError):
            Path(self.place(name)).unlink()

    def remove_incoming(self, name: str) -> None:
        """Remove a file that is being received. Fine when it is gone."""
        with suppress(FileNotFoundError):
            self.incoming(name).unlink()

    @contextmanager
    def unless_refused(self, name: str) -> Iterator[None]:
        """While a commit names a file: if it is refused for certain, the file goes.

        After any other failure the row may be there or may come yet: then `recover` decides when we next start.
        """
        try:
            yield
        except (AlreadyExists, NotFound, Full):
            self.remove_incoming(name)
            raise

    def all_incoming(self) -> list[str]:
        """The names in `incoming`."""
        return [path.name for path in self._incoming.iterdir() if _NAME.fullmatch(path.name)]


@contextmanager
def closing_file(file: int) -> Iterator[int]:
    """An open file, closed at the end."""
    try:
        yield file
    finally:
        os.close(file)


def write_at(file: int, chunks: list[bytes], offset: int) -> None:
    """Write all chunks at an offset, in one call to the system where it takes them all."""
    written = os.pwritev(file, chunks, offset)
    if written < sum(map(len, chunks)):  # the disk is nearly full: the next call says so
        rest = memoryview(b"".join(chunks))[written:]
        while rest:
            done = os.pwrite(file, rest, offset + written)
            rest, written = rest[done:], written + done


def start_writing_out(file: int, offset: int, length: int) -> None:
    """Have the kernel begin to write a range to disk, without waiting: less is left to do when it is synced.

    It promises nothing and so it may fail: what cannot be begun now is done by the sync.
    """
    _sync_file_range(file, offset, length, _SYNC_FILE_RANGE_WRITE)


def copy_into(target: int, offset: int, path: Path) -> None:
    """Copy a whole file into another at an offset."""
    with path.open("rb") as source:
        while chunk := source.read(1 << 20):
            write_at(target, [chunk], offset)
            offset += len(chunk)


def try_lock(file: int) -> bool:
    """Lock an open file against everybody, if nobody has it locked. Closing it unlocks it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name of ours: {name!r}")
    return name
