"""Secrets of one data folder: made once, readable by nobody else, never shown."""

import os
import secrets

from smmu.adapters.embedded.errors import translating
from smmu.ports.errors import Corrupt

_BYTES = 32


def secret_at(path: str) -> bytes:
    """The secret in this file, made (0600) if there is none. Of processes that come at once, all get the same."""
    with translating():
        if not os.path.exists(path):
            _make(path)
        with open(path, "rb") as file:
            secret = file.read()
    if len(secret) != _BYTES:
        raise Corrupt(f"{os.path.basename(path)} is not a secret of {_BYTES} bytes: remove it to have a new one made")
    return secret


def _make(path: str) -> None:
    """Write it aside and link it: the name appears with the whole secret in it, and only if it was not there."""
    aside = f"{path}.{secrets.token_hex(8)}"
    file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, secrets.token_bytes(_BYTES))
        os.fsync(file)
        os.link(aside, path)
    except FileExistsError:
        pass  # another process was first; its secret counts
    finally:
        os.close(file)
        os.unlink(aside)
