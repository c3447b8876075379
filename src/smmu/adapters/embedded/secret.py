"""Secrets of one data folder: a file for each, made once, readable by nobody else, never shown."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from anyio import to_thread

from smmu.adapters.embedded.errors import translating
from smmu.ports.errors import Corrupt
from smmu.ports.secrets import Secrets

_BYTES = 32


class FileSecrets(Secrets):
    """The secrets of a folder, `{purpose}.secret` each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, bytes] = {}

    async def secret(self, purpose: str) -> bytes:
        """See the port. Read once."""
        if purpose not in self._known:
            self._known[purpose] = await to_thread.run_sync(secret_at, self._folder / f"{purpose}.secret")
        return self._known[purpose]


def secret_at(path: Path) -> bytes:
    """The secret in this file, made (0600) if there is none. Of processes that come at once, all get the same."""
    with translating():
        if not path.exists():
            _make(path)
        secret = path.read_bytes()
    if len(secret) != _BYTES:
        raise Corrupt(f"{path.name} is not a secret of {_BYTES} bytes: remove it to have a new one made")
    return secret


def _make(path: Path) -> None:
    """Write it aside and link it: the name appears with the whole secret in it, and only if it was not there."""
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, secrets.token_bytes(_BYTES))
        os.fsync(file)
        with suppress(FileExistsError):  # another process was first; its secret counts
            path.hardlink_to(aside)
    finally:
        os.close(file)
        aside.unlink()
