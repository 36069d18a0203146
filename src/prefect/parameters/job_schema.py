"""What the job variables of a deployment or a run are to be, by the job template of their work pool."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from prefect.parameters.schema_check import SchemaError, check_values

__all__ = ["check_job_variables", "job_schema"]

_WITHIN = ("properties", "definitions", "$defs")
_BLOCK = re.compile(r"{{\s*prefect\.blocks\.")


def check_job_variables(
    values: Mapping[str, Any], template: Mapping[str, Any], *, partial: bool = False
) -> None:
    """Refuse job variables that are not as a job template says.

    What a worker is to take from a block may be anything until then.

    Args:
        values: The job variables by name.
        template: The job template of the work pool.
        partial: Whether some may be missing.

    Raises:
        prefect.parameters.schema_check.ValueMismatch: They are not; the text says which, and why.
        SchemaError: The template has no proper schema, or the check takes too long.
        prefect.exceptions.ServerBusy: Too many checks that take long are under way.
    """
    if partial and not values:
        return
    schema = job_schema(template)
    awaited = {name for name, value in values.items() if _is_of_block(value)}
    required = schema.get("required")
    if isinstance(required, list):
        required = schema["required"] = [name for name in required if name not in awaited]
    if not values and not required:
        # Hardly any run says more, and to check schemas is costly to load.
        return
    known = {name: value for name, value in values.items() if name not in awaited}
    check_values(known, schema, partial=partial)


def job_schema(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of the variables of a job template, as it is for those who give some of them.

    A variable that has a default need not be given; one that need not be given may be null.

    Args:
        template: The job template; one that says nothing of variables lets them be anything.

    Raises:
        SchemaError: It is nested too deep.
    """
    try:
        schema: Any = _with_nulls(template.get("variables") or {})
    except RecursionError as error:
        raise SchemaError("Invalid schema: it is nested too deep") from error
    properties, required = schema.get("properties"), schema.get("required")
    if isinstance(properties, dict) and isinstance(required, list):
        schema["required"] = [name for name in required if not _has_default(properties.get(name))]
    return dict(schema)


def _has_default(said: Any) -> bool:
    return isinstance(said, dict) and "default" in said


def _with_nulls(part: Any) -> Any:
    if not isinstance(part, Mapping):
        return part
    made = dict(part)
    for keyword in _WITHIN:
        if isinstance(each := made.get(keyword), dict):
            made[keyword] = {name: _with_nulls(said) for name, said in each.items()}
    properties, required = made.get("properties"), made.get("required") or ()
    if isinstance(properties, dict) and isinstance(required, list | tuple):
        for name, said in properties.items():
            if isinstance(said, dict) and name not in required:
                kinds = said.get("type")
                kinds = [kinds] if isinstance(kinds, str) else kinds
                if isinstance(kinds, list) and "null" not in kinds:
                    said["type"] = [*kinds, "null"]
    return made


def _is_of_block(value: Any) -> bool:
    if isinstance(value, str):
        return _BLOCK.search(value) is not None
    if isinstance(value, Mapping):
        return any(map(_is_of_block, value.values()))
    return isinstance(value, list) and any(map(_is_of_block, value))
