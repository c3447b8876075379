"""Brings a media's renditions out of an object store into a folder of the user's: `manifest.json` and what it lists.

The folder grows aside and takes its place in one move. One that an earlier run made of the same bytes is replaced; any
other is left alone, because nobody asked to have it removed.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from smmu.domain.errors import Code, refuse
from smmu.domain.manifest import FILE_NAME, SCHEMA, files_of, is_safe_path
from smmu.domain.media import Media
from smmu.ports.errors import Corrupt, NotFound
from smmu.ports.objects import ObjectStore, Source

_PIECE_BYTES = 4 << 20


def require_free(target: Path, file: Path) -> None:
    """Refuse to write where something is that what is made of `file` must not replace."""
    _require_replaceable(target, lambda: _sha256(file))


async def export(objects: ObjectStore, media: Media, target: Path, aside: Path) -> dict[str, Any]:
    """The manifest of a media, once it and all its files are at `target`. `aside` is on the same file system."""
    if media.manifest is None:
        raise NotFound("there is no manifest")
    source = await objects.open(media.manifest)
    manifest: dict[str, Any] = json.loads(await source.read(0, source.size))
    prefix = media.manifest.key.rpartition("/")[0]
    for path in paths_in(manifest):
        await _bring(objects, f"{prefix}/{path}", aside / path)
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    await to_thread.run_sync(partial((aside / FILE_NAME).write_text, text, encoding="utf-8"))
    await to_thread.run_sync(_move, aside, target, manifest["source"]["sha256"])
    return manifest


def paths_in(manifest: Mapping[str, Any]) -> Iterator[str]:
    """The path of every file that a manifest lists, each once."""
    seen = set()
    for rendition in manifest["renditions"]:
        for file in files_of(rendition):
            if file["path"] not in seen:
                seen.add(file["path"])
                yield file["path"]


async def _bring(objects: ObjectStore, key: str, target: Path) -> None:
    found = await objects.find(key)
    if found is None or not is_safe_path(target.name):
        raise Corrupt(f"{target.name} is listed in the manifest and not in storage")
    source = found.source
    await to_thread.run_sync(partial(target.parent.mkdir, parents=True, exist_ok=True))
    if source.local_path is not None:
        await to_thread.run_sync(_take, source.local_path, target)
    else:
        await _copy(source, target)


def _take(path: str, target: Path) -> None:
    """A second name for the same bytes, where the file system has that; the store drops the first one later."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)
    mask = os.umask(0)
    os.umask(mask)
    target.chmod(0o666 & ~mask)  # the store keeps its files to itself; these are the user's


async def _copy(source: Source, target: Path) -> None:
    async with await anyio.open_file(target, "wb") as file:
        for start in range(0, source.size, _PIECE_BYTES):
            await file.write(await source.read(start, _PIECE_BYTES))


def _move(aside: Path, target: Path, sha256: str) -> None:
    _require_replaceable(target, lambda: sha256)
    if target.exists():
        target.replace(aside.with_name(f"{aside.name}-before"))  # goes away with the rest of what was aside
    aside.replace(target)


def _require_replaceable(target: Path, sha256: Callable[[], str]) -> None:
    if not target.exists():
        return
    source = _source_of(target)
    if source is None:
        words = f"{target} is there already and was not made by smmu: choose another --out, or move it away."
        raise refuse(Code.INVALID_REQUEST, words)
    if source["sha256"] != sha256():
        made_of = f"what was made of another file, {source['filename']}"
        raise refuse(Code.INVALID_REQUEST, f"{target} has {made_of}: choose another --out, or move it away.")


def _source_of(folder: Path) -> Mapping[str, Any] | None:
    """What our manifest in a folder says of the file it was made of; `None` where we made nothing."""
    try:
        document = json.loads((folder / FILE_NAME).read_bytes())
    except (OSError, ValueError):
        return None
    ours = isinstance(document, dict) and document.get("schema") == SCHEMA
    return document["source"] if ours else None


def _sha256(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
