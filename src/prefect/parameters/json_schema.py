"""The JSON schema of a function's parameters: deployments check by it, and forms are made from it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from prefect.parameters.validation import resolved_annotations, type_adapter

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["parameter_schema"]

_VARIADIC = {inspect.Parameter.VAR_POSITIONAL: "array", inspect.Parameter.VAR_KEYWORD: "object"}
_GOOGLE_SECTION = re.compile(
    r"^(?P<indent> *)(?:Args|Arguments|Parameters):\n(?P<body>(?:(?P=indent) +.*\n|\n)*)", re.M
)
_GOOGLE_ITEM = re.compile(r"^\*{0,2}(?P<name>\w+)(?: *\([^)]*\))? *: *(?P<text>.*)$")
_REST_ITEM = re.compile(r"^ *:param (?:[^:]* )?\*{0,2}(?P<name>\w+): *(?P<text>.*)$", re.M)


def parameter_schema(fn: Callable[..., Any], name: str | None = None) -> dict[str, Any]:
    """Return the JSON schema of a function's parameters.

    Parameters whose annotation has no JSON form may be anything; defaults without one are left out.
    Descriptions are taken from the docstring.

    Args:
        fn: The function.
        name: The flow, as warnings name it; None for the function's own name.
    """
    signature = inspect.signature(fn)
    flow: str = getattr(fn, "__name__", type(fn).__name__) if name is None else name
    schemas, definitions = _schemas_of(resolved_annotations(fn, signature, flow))
    descriptions = _descriptions(inspect.getdoc(fn) or "")
    properties: dict[str, Any] = {}
    required: list[str] = []
    for position, parameter in enumerate(signature.parameters.values()):
        schema = {**schemas.get(parameter.name, {}), "position": position, "title": parameter.name}
        if parameter.kind in _VARIADIC:
            schema["type"] = _VARIADIC[parameter.kind]
        elif parameter.default is inspect.Parameter.empty:
            required.append(parameter.name)
        else:
            schema |= _default(parameter.default)
        if parameter.name in descriptions:
            schema["description"] = descriptions[parameter.name]
        properties[parameter.name] = schema
    return {
        "title": "Parameters",
        "type": "object",
        "properties": properties,
        "required": required,
        "definitions": definitions,
    }


def _schemas_of(annotations: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a schema for each annotation that has one, and the definitions that these refer to."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only deployments need schemas

    adapters = {}
    for name, annotation in annotations.items():
        adapter = _adapter_with_schema(annotation)
        if adapter is not None:
            adapters[name] = adapter
    # All at once, so that two models of one name get definitions of their own.
    made, shared = TypeAdapter.json_schemas(
        [(name, "validation", adapter) for name, adapter in adapters.items()],
        ref_template="#/definitions/{model}",
    )
    return {name: made[name, "validation"] for name in adapters}, shared.get("$defs", {})


def _adapter_with_schema(annotation: Any) -> TypeAdapter[Any] | None:
    from pydantic.errors import PydanticUserError  # noqa: PLC0415 - only deployments need schemas

    try:
        adapter = type_adapter(annotation)
        adapter.json_schema()
    except PydanticUserError:
        return None
    return adapter


def _default(value: Any) -> dict[str, Any]:
    from pydantic_core import PydanticSerializationError, to_jsonable_python  # noqa: PLC0415 - as above

    if hasattr(value, "get_default"):
        value = value.get_default(call_default_factory=True)  # written as pydantic's Field()
    try:
        return {"default": to_jsonable_python(value)}
    except (PydanticSerializationError, UnicodeDecodeError):
        return {}


def _descriptions(docstring: str) -> dict[str, str]:
    """Read what a docstring in Google's or Sphinx's form says of parameters."""
    found = {match["name"]: match["text"].strip() for match in _REST_ITEM.finditer(docstring)}
    section = _GOOGLE_SECTION.search(docstring + "\n")
    if section is None:
        return found
    lines = inspect.cleandoc("\n" + section["body"]).splitlines()
    current = ""
    for line in lines:
        item = _GOOGLE_ITEM.match(line)
        if item is not None:
            current = item["name"]
            found[current] = item["text"].strip()
        elif current and line.startswith(" "):
            found[current] = f"{found[current]} {line.strip()}".strip()
    return found
