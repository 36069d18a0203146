"""What texts refer to: `{{ prefect.blocks.TYPE.NAME }}`, `{{ prefect.variables.NAME }}`, `{{ $NAME }}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.client.base import Caller
from prefect.exceptions import ConfigurationError, ObjectNotFound
from prefect.rules.placeholders import LEFT_OUT
from prefect.settings.runtime_variables import run_variable

__all__ = ["BLOCKS", "ENVIRONMENT", "VARIABLES", "is_reference", "value_referred_to"]

BLOCKS, VARIABLES, ENVIRONMENT = "prefect.blocks.", "prefect.variables.", "$"
"""What the names of placeholders begin with whose values are kept elsewhere."""


def is_reference(name: str) -> bool:
    """Return whether a placeholder's value is kept elsewhere.

    Args:
        name: The placeholder's name.
    """
    return name.startswith((BLOCKS, VARIABLES, ENVIRONMENT))


def value_referred_to(caller: Caller, name: str) -> Any:
    """Return what a placeholder refers to; of an environment variable that is not set, `LEFT_OUT`.

    Args:
        caller: Whom to ask for blocks and variables.
        name: The placeholder's name, of which `is_reference` is true.

    Raises:
        prefect.exceptions.ConfigurationError: The name is none of a block, or the block has no such field.
        prefect.exceptions.ObjectNotFound: There is no such block or variable.
    """
    if name.startswith(BLOCKS):
        return _of_block(caller, name)
    if name.startswith(VARIABLES):
        from prefect.operations.variables import read_variable_by_name  # noqa: PLC0415 - SQLAlchemy

        variable = name.removeprefix(VARIABLES)
        try:
            return caller.call(read_variable_by_name, variable).value
        except ObjectNotFound as error:
            raise ObjectNotFound(
                error, f"{{{{ {name} }}}}: there is no variable {variable!r}. Set it: prefect variable set"
            ) from error
    return run_variable(name.removeprefix(ENVIRONMENT)) or LEFT_OUT


def _of_block(caller: Caller, name: str) -> Any:
    from prefect.operations.block_documents import read_block_document_by_name  # noqa: PLC0415 - SQLAlchemy

    kind, _, rest = name.removeprefix(BLOCKS).partition(".")
    block, _, path = rest.partition(".")
    if not (kind and block):
        raise ConfigurationError(f"{{{{ {name} }}}} names no block: give {BLOCKS}TYPE.NAME.")
    try:
        data: Any = caller.call(read_block_document_by_name, kind, block, include_secrets=True).data
    except ObjectNotFound as error:
        raise ObjectNotFound(
            error,
            f"{{{{ {name} }}}}: there is no block {kind}/{block}. `prefect block ls` lists those that are.",
        ) from error
    for key in path.split(".") if path else ():
        if not isinstance(data, Mapping) or key not in data:
            raise ConfigurationError(f"{{{{ {name} }}}}: the block has no {key!r}.")
        data = data[key]
    # A block with nothing but a value stands for that.
    return data["value"] if not path and isinstance(data, Mapping) and set(data) == {"value"} else data
