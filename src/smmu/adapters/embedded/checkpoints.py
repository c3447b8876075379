"""Checkpoints beside the commits: what they left in the log is brought to its place in the database by a thread.

SQLite's own are part of every thousandth page's commit: all of its group, and whoever would be in the next one, wait
for some milliseconds of writing and two syncs. A passive checkpoint waits for nobody and holds up nobody, so it can be
made while others commit. It is only ever as far as readers have come; what it leaves, the next one does.

It refuses to matter: nothing depends on when one is made, or whether. Without any, commits make their own, later.
"""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress

LOG_PAGES_MAX = 8_000  # at 4 KiB: after as many, commits make their own
_ROWS = 1_500  # changed rows after which one is due, some 700 pages of log


class Checkpoints:
    """The checkpoints of one process, on a connection of their own. The thread begins with the first that is due."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._due = threading.Event()
        self._ended = False
        self._seen = 0
        self._thread: threading.Thread | None = None

    def committed(self, rows: int) -> None:
        """A commit is done, and so many rows were changed in all. Never waits."""
        if rows - self._seen < _ROWS or self._ended:
            return
        self._seen = rows
        self._due.set()
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="smmu-checkpoints", daemon=True)
            with suppress(RuntimeError):  # a machine without threads to spare: what was committed stays committed
                thread.start()
                self._thread = thread

    def close(self) -> None:
        """Make no more. Waits for one that is being made."""
        self._ended = True
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        with suppress(sqlite3.Error):  # of a disk that is full or broken, the commits tell
            connection = self._connect()
            try:
                while self._due.wait() and not self._ended:
                    self._due.clear()
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            finally:
                connection.close()
