"""Rules of blocks: the checksum of a schema, what is hidden of values, what one document says of others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

__all__ = ["HIDDEN", "checksum_of", "hide", "keep_hidden", "references_of", "schema_references_of"]

HIDDEN = "********"
"""What stands in the place of a secret."""

_EVERY = "*"


def checksum_of(fields: Mapping[str, Any]) -> str:
    """Return the checksum of a block schema's fields, which clients compute for themselves and look up.

    It is the same for the same fields, whatever their order, and whether or not definitions of the blocks
    within are repeated; definitions that say nothing, as that of any JSON value, do not count.

    Args:
        fields: JSON schema.
    """
    kept = dict(fields)
    definitions = kept.pop("definitions", None)
    if definitions:
        own = {
            name: each for name, each in definitions.items() if each and "block_schema_references" not in each
        }
        if own:
            kept["definitions"] = own
    text = json.dumps([[_without_secret_fields(kept)], {}], sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _without_secret_fields(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_secret_fields(item) for name, item in value.items() if name != "secret_fields"}
    return [_without_secret_fields(item) for item in value] if isinstance(value, list) else value


def hide(data: Mapping[str, Any], secret_fields: Iterable[str]) -> dict[str, Any]:
    """Return values with asterisks in the place of secrets; what is None is none.

    Args:
        data: The values of a block.
        secret_fields: Paths such as `password`, `credentials.password` and `headers.*`.
    """
    hidden: Any = dict(data)
    for path in secret_fields:
        hidden = _hide(hidden, path.split("."))
    return dict(hidden)


def _hide(value: Any, path: list[str]) -> Any:
    if value is None:
        return None
    if not path:
        return HIDDEN
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_hide(item, path) for item in value]
    if step == _EVERY:
        # What is no mapping here is a secret as a whole.
        return {name: _hide_all(item) for name, item in value.items()} if isinstance(value, dict) else HIDDEN
    if isinstance(value, dict) and step in value:
        return value | {step: _hide(value[step], rest)}
    return value


def _hide_all(value: Any) -> Any:
    return {name: _hide_all(item) for name, item in value.items()} if isinstance(value, dict) else HIDDEN


def keep_hidden(new: Any, old: Any) -> Any:
    """Return new values, with the old ones where asterisks were sent back.

    Args:
        new: The new values.
        old: The old ones, in clear.
    """
    if new == HIDDEN and old is not None:
        return old
    if isinstance(new, dict) and isinstance(old, dict):
        return {name: keep_hidden(item, old.get(name)) for name, item in new.items()}
    if isinstance(new, list) and isinstance(old, list):
        return [keep_hidden(item, old[index] if index < len(old) else None) for index, item in enumerate(new)]
    return new


def references_of(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, UUID]]:
    """Split values into those of the document's own, and the documents that fields refer to.

    Args:
        data: The values.

    Raises:
        ValueError: A reference names no document.
    """
    own: dict[str, Any] = {}
    referred: dict[str, UUID] = {}
    for name, value in data.items():
        if not (isinstance(value, dict) and "$ref" in value):
            own[name] = value
            continue
        target = value["$ref"]
        document_id = target.get("block_document_id") if isinstance(target, dict) else target
        try:
            referred[name] = UUID(str(document_id))
        except ValueError:
            message = f'{name}: a reference is {{"$ref": {{"block_document_id": ID}}}}, not {value!r}.'
            raise ValueError(message) from None
    return own, referred


def schema_references_of(fields: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return what a schema refers to: the field, and slug and checksum of each schema that fits it.

    Args:
        fields: JSON schema.
    """
    return [
        (name, str(each.get("block_type_slug")), str(each.get("block_schema_checksum")))
        for name, given in (fields.get("block_schema_references") or {}).items()
        for each in (given if isinstance(given, list) else [given])
    ]
