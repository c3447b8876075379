"""The API's own description (OpenAPI 3.1), made of the same operations and messages that answer.

FastAPI describes what its injection parses; these endpoints parse by themselves, so their description is made here.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response

from smmu import wire
from smmu.entrypoints.api.replies import Reply
from smmu.entrypoints.api.routes import Operation

VERSION = "3.1.0"
_REF = "#/components/schemas/{model}"
_MEANS: Mapping[int, str] = {
    200: "Here it is.",
    201: "It was made.",
    202: "It was accepted, and goes on by itself.",
    204: "There is nothing more to say.",
    206: "The bytes that were asked for.",
    304: "What you have is still so.",
    307: "It is at the address in Location.",
    400: "The body is not JSON.",
    401: "No token, or not a valid one.",
    403: "The address is not signed for this, or its time is over.",
    404: "There is no such thing, or it is not yours.",
    409: "Not as things are.",
    410: "Its time is over.",
    412: "It has changed since you read it.",
    413: "Too large.",
    415: "A type that is not accepted.",
    416: "There are no such bytes.",
    422: "Something in it is refused; every reason is listed.",
    429: "A quota is used up.",
    501: "This service does no such thing.",
    503: "Busy or unreachable: try again.",
    507: "There is no room left.",
}
_SIGNED_IN: list[dict[str, list[str]]] = [{"bearer": []}]


def document(title: str, version: str, operations: Sequence[Operation]) -> dict[str, Any]:
    """The whole description, as a JSON object."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(re.sub(r":\w+}", "}", operation.path), {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": VERSION,
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def serving(described: Callable[[], dict[str, Any]]) -> Operation:
    """The operation that serves a description; it is not part of it."""

    async def endpoint(_: Request) -> Response:
        return Reply(json.dumps(described(), separators=(",", ":")).encode())

    return Operation(method="GET", path="/openapi.json", endpoint=endpoint, says="This.", gives={200: None})


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    taken = {op.takes for op in operations if op.takes}
    given = {model for op in operations for model in op.gives.values() if model} | {wire.Problem}
    models: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in taken]
    models += [(model, "serialization") for model in given]
    _, schema = models_json_schema(sorted(models, key=lambda pair: pair[0].__name__), ref_template=_REF)
    found: dict[str, Any] = schema["$defs"]
    return found


def _operation(operation: Operation) -> dict[str, Any]:
    refused = {*operation.refuses, *((401,) if operation.secured else ())}
    described: dict[str, Any] = {
        "operationId": _name(operation),
        "summary": operation.says,
        "parameters": _parameters(operation),
        "responses": {
            **{str(status): _answer(operation, status, model) for status, model in operation.gives.items()},
            **{str(status): _problem(_MEANS[status]) for status in sorted(refused)},
            "default": _problem("Anything else that goes wrong."),
        },
        "security": _SIGNED_IN if operation.secured else [],
    }
    body = _body(operation)
    return {**described, "requestBody": body} if body else described


def _name(operation: Operation) -> str:
    words = re.findall(r"[a-z]+", operation.path)
    return "_".join((operation.method.lower(), *words))


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)", operation.path)
    ]
    others = [
        {"name": p.name, "in": p.place, "description": p.says, "schema": dict(p.schema)} for p in operation.parameters
    ]
    return in_path + others


def _body(operation: Operation) -> dict[str, Any] | None:
    if operation.takes_bytes:
        return {"required": True, "content": {"application/octet-stream": {}}}
    if operation.takes is None:
        return None
    return {"required": True, "content": {wire.JSON: {"schema": _ref(operation.takes)}}}


def _answer(operation: Operation, status: int, model: type[BaseModel] | None) -> dict[str, Any]:
    described: dict[str, Any] = {"description": _MEANS[status]}
    if model is not None:
        described["content"] = {operation.produces: {"schema": _ref(model)}}
    return described


def _problem(means: str) -> dict[str, Any]:
    return {"description": means, "content": {wire.PROBLEM_JSON: {"schema": _ref(wire.Problem)}}}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}
