"""What the variables of a job template are where nobody gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.exceptions import RequestRefused
from prefect.parameters.schema_check import SchemaError, ValueMismatch, check_values

__all__ = ["check_defaults"]


def check_defaults(template: Mapping[str, Any]) -> None:
    """Refuse a job template whose defaults its own schema refuses; null is fine where nothing need be given.

    Args:
        template: What a pool's jobs are made from.

    Raises:
        prefect.exceptions.RequestRefused: A default does not fit, or the schema is none.
    """
    variables = template.get("variables") or {}
    properties, required = variables.get("properties") or {}, variables.get("required") or ()
    defaults = {
        name: said["default"]
        for name, said in properties.items()
        if isinstance(said, dict) and "default" in said
        if (said["default"] is not None or name in required) and not _is_block(said["default"])
    }
    try:
        check_values(defaults, variables, partial=True)
    except ValueMismatch as error:
        raise RequestRefused(f"Validation failed for work pool's job variable defaults: {error}") from error
    except SchemaError as error:
        raise RequestRefused(str(error)) from error


def _is_block(default: Any) -> bool:
    # Whether what the block keeps fits, turns out when a job is made: it may change until then.
    return isinstance(default, dict) and "$ref" in default
