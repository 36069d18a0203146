"""The description of the API, made from the same routes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from prefect.schemas.responses import TextFile
from prefect.server.routes import Route
from prefect.version import API_VERSION

__all__ = ["describe"]

_REFERENCES = "#/components/schemas/{name}"


def describe(routes: Sequence[Route], prefix: str) -> dict[str, Any]:
    """Return the OpenAPI document of some routes.

    Args:
        routes: The routes.
        prefix: What their paths start with.
    """
    wanted: list[Any] = []
    for route in routes:
        wanted += [str if route.result_type is TextFile else route.result_type, *route.in_path.values()]
        wanted += [each for each in (route.body_type, route.query_type) if each is not None]
    made, components = msgspec.json.schema_components(wanted, ref_template=_REFERENCES)
    schemas = iter(made)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        described = _describe(route, schemas, components)
        paths.setdefault(prefix + route.operation.path, {})[route.operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "Proconsul", "version": API_VERSION},
        "paths": paths,
        "components": {"schemas": components},
    }


def _describe(route: Route, schemas: Any, components: dict[str, Any]) -> dict[str, Any]:
    operation = route.operation
    result = next(schemas)
    summary = (operation.function.__doc__ or "").partition("\n")[0]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": next(schemas)} for name in route.in_path
    ]
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": summary,
        "tags": [operation.path.split("/")[1]],
    }
    if route.body_type is not None:
        described["requestBody"] = {"content": {"application/json": {"schema": next(schemas)}}}
    if route.query_type is not None:
        parameters += _query_parameters(route.query_type, components, next(schemas))
    if parameters:
        described["parameters"] = parameters
    if operation.status is not None:
        answer = {"description": "Done", "content": {"application/json": {"schema": result}}}
        described["responses"] = {str(operation.status): answer}
    elif operation.method in ("PATCH", "DELETE") or (
        route.result_type is type(None) and not operation.creates
    ):
        described["responses"] = {"204": {"description": "Done"}}
    else:
        media = "text/csv" if route.result_type is TextFile else "application/json"
        answer = {"description": "Done", "content": {media: {"schema": result}}}
        described["responses"] = {"200": answer, **({"201": answer} if operation.creates else {})}
    return described


def _query_parameters(
    query_type: type[msgspec.Struct], components: dict[str, Any], reference: dict[str, Any]
) -> list[dict[str, Any]]:
    schema = components.pop(reference["$ref"].rpartition("/")[2])
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": each}
        for name, each in schema["properties"].items()
    ]
