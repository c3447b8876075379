"""The documents that steps leave for each other in storage, so that only references travel between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from smmu.domain.facts import MediaFacts
from smmu.domain.manifest import Rendition
from smmu.domain.plan import Plan
from smmu.domain.values import ObjectRef
from smmu.ports.objects import ObjectStore

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument:
    """What `inspect` found and decided; `former` is the manifest that a later revision adds to."""

    facts: MediaFacts
    plan: Plan
    seconds: float
    former: ObjectRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderDocument:
    """What one `render` made. `prefix` is where its files are, relative to the manifest; `sha256` of the source."""

    task: str
    prefix: str
    renditions: tuple[Rendition, ...]
    source_sha256: str | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkDocument:
    """A chunk that is whole: written last. `folder` has its files, below the chunk's address."""

    folder: str
    chunk: Rendition


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - mypy holds classes of dataclasses for unhashable
    """How a document is encoded; built when first used, because building one takes longer than using it."""
    return TypeAdapter(kind)


async def leave(objects: ObjectStore, key: str, document: PlanDocument | RenderDocument) -> dict[str, Any]:
    """Store a document; its reference, as a JSON value."""
    kind: Any = type(document)
    ref = await objects.put(key, adapter(kind).dump_json(document), content_type=JSON)
    reference: dict[str, Any] = adapter(ObjectRef).dump_python(ref)
    return reference


async def read_plan(objects: ObjectStore, reference: Mapping[str, Any]) -> PlanDocument:
    """The plan document at a reference."""
    document: PlanDocument = adapter(PlanDocument).validate_json(await _bytes(objects, reference))
    return document


async def read_render(objects: ObjectStore, reference: Mapping[str, Any]) -> RenderDocument:
    """The render document at a reference."""
    document: RenderDocument = adapter(RenderDocument).validate_json(await _bytes(objects, reference))
    return document


async def _bytes(objects: ObjectStore, reference: Mapping[str, Any]) -> bytes:
    source = await objects.open(adapter(ObjectRef).validate_python(reference))
    return await source.read(0, source.size)
