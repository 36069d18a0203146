"""The values of blocks as they are kept: plain JSON, secrets in clear, other blocks by reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_origin
from uuid import UUID

from pydantic import BaseModel, Secret, SecretBytes, SecretStr
from pydantic_core import to_jsonable_python

from prefect.blocks.annotations import is_block

__all__ = ["SLUG", "resolve", "values_of"]

SLUG = "block_type_slug"
"""What tells the type of a block that is kept within another."""


def values_of(block: Any) -> dict[str, Any]:
    """Return the values of a block. Blocks within that are kept themselves are referred to.

    Args:
        block: The block.
    """
    dumped = block.model_dump(mode="json")
    dumped.pop(SLUG, None)
    return _reveal_fields(block, dumped)


def _reveal_fields(model: BaseModel, dumped: dict[str, Any]) -> dict[str, Any]:
    revealed = {}
    for name, each in dumped.items():
        value, field = getattr(model, name, None), type(model).model_fields.get(name)
        kind = field and (get_origin(field.annotation) or field.annotation)
        if isinstance(kind, type) and issubclass(kind, Secret) and not isinstance(value, Secret):
            # A default that was never made a secret, which is dumped as its text.
            revealed[name] = to_jsonable_python(value)
        else:
            revealed[name] = _reveal(value, each)
    return revealed


def _reveal(value: Any, dumped: Any) -> Any:
    """Put what is secret into what was dumped, where there are only asterisks of it."""
    if isinstance(value, SecretStr | SecretBytes | Secret):
        return to_jsonable_python(value.get_secret_value())
    if is_block(type(value)):
        if value._block_document_id is not None:
            return {"$ref": {"block_document_id": str(value._block_document_id)}}
        return values_of(value) | {SLUG: value.get_block_type_slug()}
    if isinstance(value, BaseModel) and isinstance(dumped, dict):
        return _reveal_fields(value, dumped)
    if isinstance(value, Mapping) and isinstance(dumped, dict):
        kept = {str(name): each for name, each in value.items()}
        return {name: _reveal(kept.get(name), each) for name, each in dumped.items()}
    if isinstance(value, list | tuple) and isinstance(dumped, list):
        return [_reveal(one, each) for one, each in zip(value, dumped, strict=False)]
    return dumped


def resolve(
    data: Mapping[str, Any], references: Mapping[str, Any], class_of: Callable[[str], Any]
) -> dict[str, Any]:
    """Return values with blocks in the place of the values of blocks.

    Args:
        data: The values of a block document.
        references: The documents that it refers to, by field.
        class_of: Returns the class of a slug, or None.
    """
    found: dict[str, Any] = {}
    for name, value in data.items():
        reference = (references.get(name) or {}).get("block_document")
        found[name] = _block_or_value(value, reference, class_of)
    return found


def _block_or_value(value: Any, reference: Any, class_of: Callable[[str], Any]) -> Any:
    if isinstance(value, list):
        return [_block_or_value(each, None, class_of) for each in value]
    if not isinstance(value, dict):
        return value
    kind = reference.get("block_type") if reference else None
    slug = _member(kind, "slug") if kind is not None else value.get(SLUG)
    cls = class_of(slug) if isinstance(slug, str) else None
    if cls is None:
        return {name: _block_or_value(each, None, class_of) for name, each in value.items()}
    own = {name: each for name, each in value.items() if name != SLUG}
    inner = reference.get("block_document_references", {}) if reference else {}
    block = cls(**resolve(own, inner, class_of))
    if reference:
        block._block_document_id = UUID(str(reference["id"]))
        block._block_document_name = reference.get("name")
        block._is_anonymous = reference.get("is_anonymous")
    return block


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)
