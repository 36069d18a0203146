"""The description of the API, made from the same routes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, get_args, get_origin

import msgspec
from msgspec import inspect as kinds

from prefect.schemas.responses import TextFile
from prefect.server.routes import Route
from prefect.version import API_VERSION

__all__ = ["describe"]

_REFERENCES = "#/components/schemas/{name}"
_REFUSED = {
    "description": "It was not done",
    "content": {
        "application/json": {
            "schema": {
                "anyOf": [
                    {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]},
                    {
                        "type": "object",
                        "properties": {
                            "exception_message": {"type": "string"},
                            "exception_detail": {"type": "array", "items": {"type": "object"}},
                            "request_body": {},
                        },
                        "required": ["exception_message"],
                    },
                    {"type": "object", "properties": {"error": {"type": "object"}}, "required": ["error"]},
                ]
            }
        }
    },
}
"""What `errors.py` answers."""


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
    _name_times(wanted, components)
    schemas = iter(made)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        described = _describe(route, schemas, components)
        paths.setdefault(prefix + route.operation.path, {})[route.operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "Proconsul", "version": API_VERSION},
        "paths": paths,
        "components": {"schemas": components, "responses": {"Refused": _REFUSED}},
    }


def _name_times(wanted: Sequence[Any], components: dict[str, Any]) -> None:
    """Say which texts are times, as msgspec does of those alone that must have an offset."""
    waiting: list[Any] = list(kinds.multi_type_info(wanted))
    seen: set[Any] = set()
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, kinds.StructType) and kind.cls not in seen:
            seen.add(kind.cls)
            properties = components.get(_named(kind.cls), {}).get("properties", {})
            for field in kind.fields:
                waiting.append(field.type)
                _name_time(field.type, properties.get(field.encode_name, {}))
        waiting += (*getattr(kind, "types", ()), *getattr(kind, "item_types", ()))
        waiting += [getattr(kind, name) for name in ("item_type", "value_type") if hasattr(kind, name)]


def _name_time(kind: Any, schema: dict[str, Any]) -> None:
    if isinstance(kind, kinds.DateTimeType):
        schema["format"] = "date-time"
    elif isinstance(kind, kinds.UnionType) and any(isinstance(arm, kinds.DateTimeType) for arm in kind.types):
        # There is no other text beside it: msgspec could not tell them apart.
        next(arm for arm in schema["anyOf"] if arm == {"type": "string"})["format"] = "date-time"


def _named(struct: Any) -> str:
    """Return what msgspec calls a struct among the components: `State[Any]` is `State_Any_`."""
    arguments = ", ".join(getattr(arm, "__name__", str(arm)) for arm in get_args(struct))
    name = (get_origin(struct) or struct).__name__
    return re.sub(r"[^\w.-]", "_", f"{name}[{arguments}]" if arguments else name)


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
    described["responses"]["default"] = {"$ref": "#/components/responses/Refused"}
    return described


def _query_parameters(
    query_type: type[msgspec.Struct], components: dict[str, Any], reference: dict[str, Any]
) -> list[dict[str, Any]]:
    schema = components.pop(reference["$ref"].rpartition("/")[2])
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": each}
        for name, each in schema["properties"].items()
    ]
