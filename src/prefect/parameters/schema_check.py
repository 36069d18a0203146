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


def check_values(values: Mapping[str, Any], schema: Mapping[str, Any], *, partial: bool = False) -> None:
    """Refuse values that are not as a JSON schema says.

    Args:
        values: The values by name.
        schema: The schema of an object that has them.
        partial: Whether some may be missing.

    Raises:
        ValueMismatch: They are not; the text says which, and why.
        SchemaError: It is no schema, or the check takes too long.
        prefect.exceptions.ServerBusy: Too many checks that take long are under way.
    """
    found = mismatches(values, schema, partial=partial)
    if found:
        path = _path(found[-1].absolute_path)
        where = f" for field {path!r}" if path else ""
        raise ValueMismatch(f"Validation failed{where}. Failure reason: {found[-1].message}")


def _path(steps: list[str | int]) -> str:
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")
