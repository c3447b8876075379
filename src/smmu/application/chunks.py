"""Chunks in storage: found by what they would be, so that nothing that is there is made again.

A chunk's address is a digest of all that decides on its bits: the pinned source, what is to be made of it, and what
makes it. Whoever makes one writes its files into a folder of its own and then the index, which can be written once.
So a chunk is there whole or not at all, two that make the same do no harm, and a retry finds what an earlier attempt
made. Who joins reads the indexes, and pins what they list. Chunks are listed and never looked for by name: a worker on
AWS may not ask what there is not. Refuses to pass a chunk from task to task: an address is known by whoever knows the
plan.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from smmu.application.documents import JSON, ChunkDocument, adapter
from smmu.domain import keys
from smmu.domain.job import Job
from smmu.domain.manifest import Rendition
from smmu.domain.plan import Clip, Plan, PlannedTask, Spec, Transform
from smmu.domain.values import ObjectRef
from smmu.domain.watermark import Watermark
from smmu.ports.errors import AlreadyExists
from smmu.ports.media import Pieces
from smmu.ports.objects import ObjectStore, Source

INDEX = "index.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPieces(Pieces):
    """Files besides its source that a task needs, pinned as they were found. The last that was opened stays open."""

    objects: ObjectStore
    refs: Mapping[str, ObjectRef]
    _open: dict[str, Source] = field(default_factory=dict)

    @property
    def sizes(self) -> Mapping[str, int]:
        """What was found."""
        return {name: ref.size for name, ref in self.refs.items()}

    async def open(self, name: str) -> Source:
        """One file, as it was found."""
        if name not in self._open:
            self._open.clear()
            self._open[name] = await self.objects.open(self.refs[name])
        return self._open[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunks:
    """The chunks of one job's media. `makes` is what the engine says of itself."""

    objects: ObjectStore
    job: Job
    makes: str

    def prefix(self, planned: PlannedTask) -> str:
        """Where the chunk of a task is, or would be."""
        told = {
            "source": adapter(ObjectRef).dump_python(self.job.source, mode="json"),
            "transform": adapter(Transform).dump_python(planned.transform, mode="json"),
            "clip": adapter(Clip).dump_python(planned.clip, mode="json"),
            "watermark": adapter(Watermark | None).dump_python(planned.watermark, mode="json"),
            "specs": [adapter(Spec).dump_python(spec, mode="json") for spec in planned.renditions],
            "makes": self.makes,
        }
        address = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:40]
        return keys.chunks_prefix(self.job.owner, self.job.media_id, address)

    async def is_there(self, planned: PlannedTask) -> bool:
        """Whether the chunk is there whole."""
        prefix = self.prefix(planned)
        return bool(await self._files(prefix, {ref.key: ref async for ref in self.objects.list(prefix)}))

    async def keep(self, planned: PlannedTask, folder: str, chunk: Rendition) -> None:
        """Say that a chunk is whole; somebody else may have said so."""
        document = adapter(ChunkDocument).dump_json(ChunkDocument(folder=folder, chunk=chunk))
        try:
            await self.objects.put(self.prefix(planned) + INDEX, document, content_type=JSON, if_absent=True)
        except AlreadyExists:
            return

    async def found(self, planned: PlannedTask, made: Plan) -> Mapping[str, ObjectRef]:
        """The files of all chunks that a task joins, as far as they are there."""
        if not planned.joins:
            return {}
        folder = keys.chunks_prefix(self.job.owner, self.job.media_id)
        there = {ref.key: ref async for ref in self.objects.list(folder)}
        refs: dict[str, ObjectRef] = {}
        for name in planned.joins:
            files = await self._files(self.prefix(made.task(name)), there)
            refs |= {f"{name}/{path}": ref for path, ref in files.items()}
        return refs

    async def _files(self, prefix: str, there: Mapping[str, ObjectRef]) -> dict[str, ObjectRef]:
        """The files of one chunk by their paths; none when it is not there whole."""
        index = there.get(prefix + INDEX)
        if index is None:
            return {}
        source = await self.objects.open(index)
        document: ChunkDocument = adapter(ChunkDocument).validate_json(await source.read(0, source.size))
        found = {file.path: there.get(prefix + document.folder + file.path) for file in document.chunk.files}
        sizes = {file.path: file.size for file in document.chunk.files}
        whole = {path: ref for path, ref in found.items() if ref is not None and ref.size == sizes[path]}
        return whole if len(whole) == len(sizes) else {}
