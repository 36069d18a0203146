"""How a class of blocks describes itself to others: its JSON schema, its texts, its slug."""

from __future__ import annotations

import inspect
import re
from typing import Any

from prefect.blocks.annotations import blocks_within, secret_fields_of
from prefect.rules.blocks import checksum_of

__all__ = ["describe", "example_of", "nested_blocks", "slug_of", "text_of"]

_SECTION = re.compile(
    r"^\s*(Args|Arguments|Attributes|Example|Examples|Raises|Returns|Note|Notes):", re.MULTILINE
)


def slug_of(name: str) -> str:
    """Return what a block type is called in addresses.

    Args:
        name: Its name.
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def text_of(cls: Any) -> str | None:
    """Return what a class says of itself: its docstring, up to the first section such as `Args:`."""
    if cls._description is not None:
        return str(cls._description)
    own = cls.__dict__.get("__doc__")
    if not own:
        return None
    return _SECTION.split(inspect.cleandoc(own), maxsplit=1)[0].strip() or None


def example_of(cls: Any) -> str:
    """Return how to use blocks of a class, as Markdown."""
    if cls._code_example is not None:
        return str(cls._code_example)
    name = cls.__name__
    code = f'from {cls.__module__} import {name}\n\n{name.lower()}_block = {name}.load("BLOCK_NAME")'
    return f"```python\n{code}\n```"


def nested_blocks(cls: Any) -> list[Any]:
    """Return the classes of blocks that a class's fields may hold, each once."""
    found = (inner for field in cls.model_fields.values() for inner in blocks_within(field.annotation))
    return list(dict.fromkeys(inner for inner in found if inner.__name__ != "Block"))


def describe(cls: Any, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of a class of blocks as servers keep it.

    Args:
        cls: The class.
        schema: Its JSON schema as pydantic has it.
    """
    definitions = {name: _closed(each) for name, each in schema.pop("$defs", {}).items()}
    described = _describe_one(cls, schema)
    for inner in _all_nested(cls):
        if inner.__name__ in definitions:
            definitions[inner.__name__] = _describe_one(inner, definitions[inner.__name__])
    if definitions:
        described["definitions"] = definitions
    return described


def _describe_one(cls: Any, schema: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = _closed(
        {name: each for name, each in schema.items() if name != "description"}
    )
    if (text := text_of(cls)) is not None:
        described["description"] = text
    for position, each in enumerate(described.get("properties", {}).values()):
        each["position"] = position
    described["block_type_slug"] = cls.get_block_type_slug()
    described["block_schema_references"] = _references(cls)
    described["secret_fields"] = secret_fields_of(cls)
    return described


def _closed(value: Any) -> Any:
    """Leave out what is said of further properties: all clients do, and it would count in the checksum."""
    if isinstance(value, dict):
        return {name: _closed(item) for name, item in value.items() if name != "additionalProperties"}
    return [_closed(item) for item in value] if isinstance(value, list) else value


def _references(cls: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field in cls.model_fields.items():
        given = [
            {
                "block_type_slug": inner.get_block_type_slug(),
                "block_schema_checksum": checksum_of(inner.model_json_schema()),
            }
            for inner in dict.fromkeys(blocks_within(field.annotation))
            if inner is not cls and inner.__name__ != "Block"
        ]
        if given:
            found[name] = given[0] if len(given) == 1 else given
    return found


def _all_nested(cls: Any) -> list[Any]:
    found: dict[Any, None] = {}
    waiting = nested_blocks(cls)
    while waiting:
        inner = waiting.pop()
        if inner not in found:
            found[inner] = None
            waiting += nested_blocks(inner)
    return list(found)
