"""A worker in a function: a small task for the state machine, or a picture on request for the API.

It has no rights of its own but to begin a session, in which it may reach what this one event is about: the product is
opened for each event, with no more than that.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from smmu.application.documents import adapter
from smmu.application.system import System
from smmu.domain.task import attempt_in
from smmu.domain.trace import id_in
from smmu.domain.values import ObjectRef
from smmu.domain.variants import parse_variant
from smmu.entrypoints.lambdas.raising import told
from smmu.entrypoints.lambdas.warm import narrowed_handler
from smmu.ports.about import About
from smmu.ports.pictures import PictureOrder
from smmu.ports.platform import Scope

_NO_ATTEMPT = 0


async def render(system: System, event: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Do the try that the event names, whose record says how it ended; or make a picture, and say where it is."""
    if "order" in event:
        return await _picture(system, _order_in(event))
    with About(owner=event["owner"], record_id=event["record_id"], trace_id=id_in(event.get("trace", ""))):
        await told(system, lambda: system.worker.perform(event["owner"], event["record_id"], event["tries"]))
    return {}


def scope_of(event: Mapping[str, Any]) -> Scope:
    """What an event is about: an attempt of a job, or an owner's pictures alone."""
    if "order" in event:
        order = _order_in(event)
        return Scope(owner=order.owner, job_id=order.job_id, attempt=_NO_ATTEMPT)
    named = attempt_in(event["record_id"])
    if named is None:
        raise ValueError(f"{event['record_id']!r} is no record of a task")
    return Scope(owner=event["owner"], job_id=named[0], attempt=named[1])


async def _picture(system: System, order: PictureOrder) -> dict[str, Any]:
    async def made() -> ObjectRef:
        wish = parse_variant(order.variant.query)  # one of the few there are, whoever asks
        return await system.pictures.make(replace(order, variant=wish))

    with About(owner=order.owner, media_id=order.media_id):
        ref: dict[str, Any] = adapter(ObjectRef).dump_python(await told(system, made), mode="json")
    return ref


def _order_in(event: Mapping[str, Any]) -> PictureOrder:
    order: PictureOrder = adapter(PictureOrder).validate_python(event["order"])
    return order


handle = narrowed_handler(render, "render", scope_of)
