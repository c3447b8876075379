"""The description of the API is complete, sound, and the same as what answers."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from smmu import wire
from smmu.entrypoints.api.routes import Api
from tests.support.service import a_service

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


@pytest.fixture
def described() -> dict[str, Any]:
    return a_service().app.openapi()


async def test_the_description_is_served(client: httpx.AsyncClient, described: dict[str, Any]) -> None:
    answer = await client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == json.loads(json.dumps(described))


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from ([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_it_is_openapi_3_1(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1.")
    assert set(described) == {"openapi", "info", "paths", "components"}
    assert described["info"]["title"]
    assert described["info"]["version"]


def test_every_route_is_described_and_nothing_else(described: dict[str, Any]) -> None:
    app = a_service().app
    assert isinstance(app, Api)
    routes = {
        (method, getattr(route, "path_format", ""))
        for route in app.router.routes
        for method in getattr(route, "methods", ())
    }
    assert {(method.upper(), path) for method, path, _ in operations(described)} == routes - {("GET", "/openapi.json")}


def test_every_reference_leads_somewhere_and_every_schema_is_used(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    found = set(references(described))
    assert found == {f"#/components/schemas/{name}" for name in schemas}


def test_every_operation_has_a_name_of_its_own_a_sentence_and_its_path_parameters(described: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(names) == len(set(names))
    for _, path, operation in operations(described):
        assert operation["summary"].endswith((".", ":"))
        declared = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert all(f"{{{name}}}" in path for name in declared)
        assert path.count("{") == len(declared)
        assert all({"name", "in", "schema"} <= set(p) for p in operation["parameters"])
        assert all(p["in"] in ("path", "query", "header") for p in operation["parameters"])


def test_every_error_is_a_problem(described: dict[str, Any]) -> None:
    for _, _, operation in operations(described):
        answers = operation["responses"]
        errors = {status: answer for status, answer in answers.items() if status == "default" or status[0] in "45"}
        assert "default" in errors
        assert all(answer["content"] == PROBLEM for answer in errors.values())
        assert all(answer["description"] for answer in answers.values())
        assert any(status[0] in "23" for status in answers)
        assert ("401" in answers) == bool(operation["security"])


def test_a_request_may_not_have_unknown_fields_and_an_answer_may(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    assert schemas["InitRequest"]["additionalProperties"] is False
    assert schemas["InitAnswer"].get("additionalProperties", True) is True


def test_messages_are_the_same_for_server_and_client() -> None:
    models = [model for model in vars(wire).values() if isinstance(model, type) and issubclass(model, wire.Answer)]
    assert len(models) > 15
    for model in models:
        assert json.dumps(model.model_json_schema(mode="serialization"))
