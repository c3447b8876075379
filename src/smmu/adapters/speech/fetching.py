"""Gets a model of Whisper, which happens only when somebody asks for it.

A model is a folder of files at one commit of a repository that the publisher of faster-whisper keeps. The repository's
own index says how large each file is and what its checksum is: SHA-256 of large ones, and of small ones the SHA-1 that
Git gives them. Each is checked before the folder takes its place, so a model is there whole or not at all, with the
record of it (`records.py`).
"""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from smmu.adapters.speech.models import SIZES
from smmu.adapters.speech.records import OPTIONAL, RECORD, Counting, Record, hasher, written
from smmu.adapters.speech.whisper import NEEDED, is_model
from smmu.ports.errors import Corrupt, NotFound, Unavailable

HUB = "https://huggingface.co"
_PIECE_BYTES = 1 << 20
_SECONDS = 60.0
_INDEX_BYTES_MAX = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """A file as the repository's index lists it."""

    name: str
    size: int
    digest: str


def fetch(folder: Path, size: str, *, counting: Counting, hub: str = HUB) -> Path:
    """Get a model; the folder it is in. One that is there already is left as it is.

    Raises `NotFound` when there is no such size, `Unavailable` when it cannot be reached, `Corrupt` when it is not what
    its index says.
    """
    if size not in SIZES:
        raise NotFound(f"there is no model {size}: there are {', '.join(SIZES)}")
    target = folder / size
    if is_model(target):
        return target
    folder.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".fetching-", dir=folder))
    try:
        with httpx.Client(base_url=hub, timeout=_SECONDS, follow_redirects=True) as client:
            _fill(aside, client, SIZES[size][0], counting)
        aside.chmod(0o755)
        aside.replace(target)
    except httpx.HTTPError as error:
        raise Unavailable(f"{hub} cannot be asked for the model {size}: {_why(error)}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def _fill(folder: Path, client: httpx.Client, repository: str, counting: Counting) -> None:
    commit = str(_json(client, f"/api/models/{repository}")["sha"])
    listed = list(_listed(_json(client, f"/api/models/{repository}/tree/{commit}")))
    missing = set(NEEDED) - {file.name for file in listed}
    if missing:
        raise Corrupt(f"{repository} has no {', '.join(sorted(missing))}")
    total, done = sum(file.size for file in listed), 0
    for file in listed:
        path = f"/{repository}/resolve/{commit}/{file.name}"
        for count in _brought(client, path, file, folder):
            counting(done + count, total)
        done += file.size
    record = Record(repository=repository, commit=commit, files={file.name: file.digest for file in listed})
    (folder / RECORD).write_bytes(written(record))


def _listed(tree: Any) -> Iterator[_Listed]:  # noqa: ANN401 - whatever was answered
    for entry in tree:
        if entry["path"] in {*NEEDED, *OPTIONAL}:
            large = entry.get("lfs")
            yield _Listed(
                name=entry["path"],
                size=int(entry["size"]),
                digest=str(large["oid"] if large else entry["oid"]),
            )


def _json(client: httpx.Client, path: str) -> Any:  # noqa: ANN401 - whatever was answered
    answer = client.get(path)
    answer.raise_for_status()
    if len(answer.content) > _INDEX_BYTES_MAX:
        raise Corrupt("the index of the model is larger than one can be")
    try:
        return answer.json()
    except ValueError as error:
        raise Corrupt("the index of the model is no JSON") from error


def _brought(client: httpx.Client, path: str, file: _Listed, folder: Path) -> Iterator[int]:
    """Bring one file, and say after every piece how much of it is there. Raises `Corrupt`."""
    hashed, done = hasher(file.digest, file.size), 0
    with client.stream("GET", path) as answer, (folder / file.name).open("wb") as target:
        answer.raise_for_status()
        for piece in answer.iter_bytes(_PIECE_BYTES):
            done += len(piece)
            if done > file.size:
                break
            hashed.update(piece)
            target.write(piece)
            yield done
    if done != file.size or hashed.hexdigest() != file.digest:
        raise Corrupt(f"{file.name} is not what its index says: try again")


def _why(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answered {error.response.status_code}"
    return str(error) or type(error).__name__
