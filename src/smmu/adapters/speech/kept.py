"""Models of Whisper that a deployment keeps for its workers, in a store of their own: put once, brought when needed.

Layout of that store: `models/{name}/model.json`, the model's record, and `models/{name}/{commit}/{file}`. The record is
written last and read first, so that a newer model takes the place of an older one in one step, and a worker that has
begun to bring the older one ends as it began. Every file is checked against the record where it is put and where it is
brought. A model that a worker brings is in its folder whole or not at all, as one that `fetching.py` got.

A plan is made where no model is: what a model takes follows from its size, which is known of all that can be got.
"""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import anyio
from anyio import to_thread

from smmu.adapters.speech.models import SIZES
from smmu.adapters.speech.records import RECORD, Counting, Record, hasher, record_in
from smmu.adapters.speech.whisper import WhisperRecognizer, demands_of, is_model
from smmu.domain.limits import MIB
from smmu.domain.plan_speech import Demands
from smmu.domain.transcript import Transcript
from smmu.ports.errors import Corrupt, Full, NotFound
from smmu.ports.isolation import Isolation
from smmu.ports.media import Progress
from smmu.ports.objects import LocalFile, ObjectStore
from smmu.ports.sound import Sound
from smmu.ports.speech import Bounds, SpeechRecognizer

_PIECE_BYTES = 8 * MIB
_RECORD_BYTES_MAX = 64 * 1024
_BYTES_A_SECOND = 10_000_000  # at worst, from the store into a folder
_TYPE, _RECORD_TYPE = "application/octet-stream", "application/json"


class KeptRecognizer(SpeechRecognizer):
    """Whisper with the model `name` of `models`, brought into `folder` when there is something to recognise.

    `name` is one of `SIZES`. A sound in which nobody speaks brings nothing.
    """

    def __init__(
        self, isolation: Isolation, models: ObjectStore, name: str, folder: Path, *, language: str | None = None
    ) -> None:
        self._models, self._name, self._folder = models, name, folder
        self._whisper = WhisperRecognizer(isolation, folder / name, language=language)
        self._bringing = anyio.Lock()

    @property
    def demands(self) -> Demands:
        """By the size that is known of the model, and with the time that it takes to bring it."""
        size = SIZES[self._name][1] * 1_000_000
        return demands_of(size, before_s=size / _BYTES_A_SECOND)

    async def unavailable(self) -> str | None:
        """Who chose it has it: whether the store does is seen when it is needed."""
        return None

    async def recognize(self, sound: Sound, bounds: Bounds, progress: Progress) -> Transcript:
        """The words. See `ports.speech`. Raises what `bring` raises."""
        if sound.voiced:
            async with self._bringing:
                await bring(self._models, self._name, self._folder)
        return await self._whisper.recognize(sound, bounds, progress)


async def bring(models: ObjectStore, name: str, folder: Path) -> Path:
    """Bring a model into `folder`; the folder it is in. One that is there already is left as it is.

    Raises `NotFound` when the store has it not, `Corrupt` when it is not what its record says, `Full`.
    """
    target = folder / name
    if await to_thread.run_sync(is_model, target):
        return target
    written = await _written_of(models, name)
    if written is None:
        raise NotFound(
            f"{_record_key(name)} is not there, and plans ask for this model: smmu models fetch {name} --deploy"
        )
    record = record_in(written, _record_key(name))
    with _room_told_of(name):
        aside = await to_thread.run_sync(_room, folder)
        try:
            for file, digest in record.files.items():
                await _bring(models, _key(name, record, file), digest, aside / file)
            await to_thread.run_sync(_put_in_place, aside, target)
        finally:
            await _clear(aside)
    return target


async def keep(models: ObjectStore, folder: Path, counting: Counting) -> bool:
    """Put the model in `folder` into the store; whether that was needed. It is called as its folder is.

    Raises `Corrupt` when it has no record, or is not what that says.
    """
    name = folder.name
    written = await to_thread.run_sync(_written_in, folder)
    record = record_in(written, str(folder / RECORD))
    keys = {file: _key(name, record, file) for file in record.files}
    if written == await _written_of(models, name) and all([await models.stat(key) for key in keys.values()]):
        return False
    sizes = {file: await to_thread.run_sync(_size_of, folder / file) for file in keys}
    done, total = 0, sum(sizes.values())
    for file, key in keys.items():
        await _keep(models, key, record.files[file], folder / file)
        done += sizes[file]
        counting(done, total)
    # Last: from now on it is this one.
    await models.put(_record_key(name), written, content_type=_RECORD_TYPE)
    return True


async def _keep(models: ObjectStore, key: str, digest: str, path: Path) -> None:
    """Put one file, by a second name: a store may take a file over."""
    if await to_thread.run_sync(_digest_of, path, digest) != digest:
        raise Corrupt(f"{path} is not what {RECORD} says: remove {path.parent}, and get it again")
    aside = await to_thread.run_sync(_room, path.parent)
    try:
        await to_thread.run_sync((aside / path.name).hardlink_to, path)
        await models.put(key, LocalFile(str(aside / path.name)), content_type=_TYPE)
    finally:
        await _clear(aside)


async def _bring(models: ObjectStore, key: str, digest: str, path: Path) -> None:
    found = await models.stat(key)
    if found is None:
        raise Corrupt(f"{key} is not there, and the model's record lists it")
    source, hashed = await models.open(found.ref), hasher(digest, found.ref.size)
    async with await anyio.open_file(path, "wb") as file:
        for start in range(0, source.size, _PIECE_BYTES):
            piece = await source.read(start, _PIECE_BYTES)
            await to_thread.run_sync(hashed.update, piece)
            await file.write(piece)
    if hashed.hexdigest() != digest:
        raise Corrupt(f"{key} is not what the model's record says")


async def _written_of(models: ObjectStore, name: str) -> bytes | None:
    """What the store has as the record of a model."""
    key = _record_key(name)
    found = await models.stat(key)
    if found is None:
        return None
    source = await models.open(found.ref)
    return await source.read(0, _RECORD_BYTES_MAX)


def _written_in(folder: Path) -> bytes:
    path = folder / RECORD
    if not path.is_file():
        raise Corrupt(f"{folder} has no {RECORD}, which smmu models fetch writes")
    return path.read_bytes()


def _size_of(path: Path) -> int:
    if not path.is_file():
        raise Corrupt(f"{path} is not there, and {RECORD} lists it: remove {path.parent}, and get it again")
    return path.stat().st_size


def _digest_of(path: Path, digest: str) -> str:
    """The digest of a file, of the same kind."""
    hashed = hasher(digest, path.stat().st_size)
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            hashed.update(piece)
    return str(hashed.hexdigest())


def _room(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=".model-", dir=folder))


def _put_in_place(aside: Path, target: Path) -> None:
    aside.chmod(0o755)
    aside.replace(target)


async def _clear(aside: Path) -> None:
    with anyio.CancelScope(shield=True):
        await to_thread.run_sync(partial(shutil.rmtree, aside, ignore_errors=True))


@contextmanager
def _room_told_of(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Full(f"no room for the speech model {name}") from error


def _record_key(name: str) -> str:
    return f"models/{name}/{RECORD}"


def _key(name: str, record: Record, file: str) -> str:
    return f"models/{name}/{record.commit}/{file}"
