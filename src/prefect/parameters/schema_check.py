"""Whether values are what a JSON schema says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.parameters.schema_mismatches import Mismatch, SchemaError, find_mismatches
from prefect.rules.patterns import may_take_long
from prefect.schemas.base import encode_json, jsonable

__all__ = ["Mismatch", "SchemaError", "ValueMismatch", "check_values", "mismatches"]


class ValueMismatch(ValueError):
    """Values are not what their schema says."""


def mismatches(
    values: Mapping[str, Any], schema: Mapping[str, Any], *, partial: bool = False
) -> list[Mismatch]:
    """Return what of some values is not as a JSON schema says, the most telling last.

    A check that might hold this process up is made in another, and given up after some seconds.

    Args:
        values: The values by name.
        schema: The schema of an object that has them.
        partial: Whether some may be missing.

    Raises:
        SchemaError: It is no schema, or the check takes too long.
        prefect.exceptions.ServerBusy: Too many checks that take long are under way.
    """
    encoded, plain = encode_json(schema), jsonable(dict(values))
    if may_take_long(jsonable(dict(schema)), plain):
        from prefect.parameters.schema_child import find_in_child  # noqa: PLC0415 - hardly ever

        return find_in_child(encoded, encode_json(plain), partial=partial)
    return find_mismatches(encoded, plain, partial=partial)


def check_values(
    values: Mapping[str, Any], schema: Mapping[str, Any], *, partial: bool = False, nullable: bool = False
) -> None:
    """Refuse values that are not as a JSON schema says.

    Args:
        values: The values by name.
        schema: The schema of an object that has them.
        partial: Whether some may be missing.
        nullable: Whether null stands for one that may be missing and has no default.

    Raises:
        ValueMismatch: They are not; the text says which, and why.
        SchemaError: It is no schema, or the check takes too long.
        prefect.exceptions.ServerBusy: Too many checks that take long are under way.
    """
    found = mismatches(values, _with_nulls(schema) if nullable else schema, partial=partial)
    if found:
        path = _path(found[-1].absolute_path)
        where = f" for field {path!r}" if path else ""
        raise ValueMismatch(f"Validation failed{where}. Failure reason: {found[-1].message}")


def _with_nulls(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        made: Mapping[str, Any] = _nullable(schema)
    except RecursionError as error:
        raise SchemaError("Invalid schema: it is nested too deep") from error
    return made


def _nullable(part: Any) -> Any:
    if isinstance(part, list):
        return [_nullable(each) for each in part]
    if not isinstance(part, Mapping):
        return part
    made = {key: _nullable(value) for key, value in part.items()}
    properties, required = made.get("properties"), made.get("required") or ()
    if isinstance(properties, dict) and isinstance(required, list | tuple):
        for name, each in properties.items():
            if name not in required and isinstance(each, dict) and "default" not in each:
                kinds = each.get("type")
                kinds = [kinds] if isinstance(kinds, str) else kinds
                if isinstance(kinds, list) and "null" not in kinds:
                    properties[name] = {**each, "type": [*kinds, "null"]}
    return made


def _path(steps: list[str | int]) -> str:
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")
