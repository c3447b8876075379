"""The documents that steps leave for each other in storage, so that only references travel between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter

from smmu.domain.facts import MediaFacts
from smmu.domain.manifest import Rendition
from smmu.domain.plan import Plan
from smmu.domain.values import ObjectRef
from smmu.ports.objects import ObjectStore

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument:
    """What `inspect` found and decided."""

    facts: MediaFacts
    plan: Plan
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderDocument:
    """What one `render` made. `prefix` is where its files are, relative to the manifest; `sha256` of the source."""

    task: str
    prefix: str
    renditions: tuple[Rendition, ...]
    source_sha256: str | None
    seconds: float


D = TypeVar("D", PlanDocument, RenderDocument)
_PLAN, _RENDER, _REF = TypeAdapter(PlanDocument), TypeAdapter(RenderDocument), TypeAdapter(ObjectRef)


async def leave(objects: ObjectStore, key: str, document: PlanDocument | RenderDocument) -> dict[str, Any]:
    """Store a document; its reference, as a JSON value."""
    adapter: TypeAdapter[Any] = _PLAN if isinstance(document, PlanDocument) else _RENDER
    ref = await objects.put(key, adapter.dump_json(document), content_type=JSON)
    reference: dict[str, Any] = _REF.dump_python(ref)
    return reference


async def read_plan(objects: ObjectStore, reference: Mapping[str, Any]) -> PlanDocument:
    """The plan document at a reference."""
    return _PLAN.validate_json(await _bytes(objects, reference))


async def read_render(objects: ObjectStore, reference: Mapping[str, Any]) -> RenderDocument:
    """The render document at a reference."""
    return _RENDER.validate_json(await _bytes(objects, reference))


async def _bytes(objects: ObjectStore, reference: Mapping[str, Any]) -> bytes:
    source = await objects.open(_REF.validate_python(reference))
    return await source.read(0, source.size)
