"""Whether values are what a JSON schema says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from prefect.schemas.base import encode_json, jsonable

__all__ = ["SchemaError", "ValueMismatch", "check_values", "mismatches"]


class ValueMismatch(ValueError):
    """Values are not what their schema says."""


class SchemaError(ValueError):
    """What should be a JSON schema is none."""


def mismatches(values: Mapping[str, Any], schema: Mapping[str, Any], *, partial: bool = False) -> list[Any]:
    """Return what of some values is not as a JSON schema says, the most telling first.

    Args:
        values: The values by name.
        schema: The schema of an object that has them.
        partial: Whether some may be missing.

    Returns:
        Errors of jsonschema.

    Raises:
        SchemaError: It is no schema.
    """
    from jsonschema.exceptions import relevance  # noqa: PLC0415 - costly, and no part of a run here
    from referencing.exceptions import Unresolvable  # noqa: PLC0415 - goes with it

    validator = _validator(encode_json(schema))
    try:
        found = [
            error
            for error in validator.iter_errors(jsonable(dict(values)))
            if not (partial and error.validator == "required" and not error.absolute_path)
        ]
    except (Unresolvable, re.error, RecursionError) as error:
        raise SchemaError(f"Invalid schema: {error}") from error
    return sorted(found, key=relevance)


def check_values(values: Mapping[str, Any], schema: Mapping[str, Any], *, partial: bool = False) -> None:
    """Refuse values that are not as a JSON schema says.

    Args:
        values: The values by name.
        schema: The schema of an object that has them.
        partial: Whether some may be missing.

    Raises:
        ValueMismatch: They are not; the text says which, and why.
        SchemaError: It is no schema.
    """
    found = mismatches(values, schema, partial=partial)
    if found:
        path = _path(found[-1].absolute_path)
        where = f" for field {path!r}" if path else ""
        raise ValueMismatch(f"Validation failed{where}. Failure reason: {found[-1].message}")


def _path(steps: Any) -> str:
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Any:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - costly, and no part of a run here
    from jsonschema.exceptions import SchemaError as BadSchema  # noqa: PLC0415 - goes with it
    from referencing import Registry  # noqa: PLC0415 - goes with it

    read = msgspec.json.decode(schema)
    try:
        Draft202012Validator.check_schema(read)
    except BadSchema as error:
        raise SchemaError(f"Invalid schema: {error.message}") from error
    # An empty registry: a schema that refers to somewhere else must not make this process ask there.
    return Draft202012Validator(read, registry=Registry())
