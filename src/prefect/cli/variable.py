"""`prefect variable`: small values that are kept under a name."""

from __future__ import annotations

import json
from typing import Annotated, Any

from prefect.cli.commands import Flag, Group
from prefect.cli.log_lines import Output
from prefect.cli.moments import ago, local
from prefect.cli.output import confirm, print_facts, print_json, print_table
from prefect.cli.selecting import Limit
from prefect.client.current import get_caller
from prefect.exceptions import ConfigurationError, ObjectNotFound
from prefect.operations.variables import delete_variable_by_name, read_variable_by_name, read_variables
from prefect.schemas.variables import Variable as KeptVariable
from prefect.schemas.variables import VariableQuery
from prefect.variables import Variable

__all__ = ["run"]

group = Group("variable")
run = group.run


@group.command("ls")
def ls(*, limit: Limit = 200, output: Output = None) -> None:
    """List variables, by name.

    Args:
        limit: At most so many.
        output: Print for programs.
    """
    found = get_caller().call(read_variables, VariableQuery(limit=limit))
    if output:
        print_json(found)
        return
    rows = [[each.name, json.dumps(each.value), ago(each.created), ago(each.updated)] for each in found]
    print_table("Variables", ["Name", "Value", "Created", "Updated"], rows)


@group.command("get")
def get(name: str) -> None:
    """Print the value of a variable: a text as it is, anything else as JSON.

    Args:
        name: The variable's name.
    """
    value = _find(name).value
    print(value if isinstance(value, str) else json.dumps(value))


@group.command("inspect")
def inspect(name: str, *, output: Output = None) -> None:
    """Show a variable.

    Args:
        name: The variable's name.
        output: Print for programs.
    """
    found = _find(name)
    if output:
        print_json(found)
        return
    facts = {
        "ID": found.id,
        "Name": found.name,
        "Value": json.dumps(found.value),
        "Tags": ", ".join(found.tags),
        "Created": local(found.created),
        "Updated": local(found.updated),
    }
    print_facts(facts)


@group.command("set")
def set_(
    name: str,
    value: str,
    *,
    overwrite: bool = False,
    tag: Annotated[list[str] | None, Flag(metavar="TAG")] = None,
) -> None:
    """Keep a value.

    Args:
        name: Lower-case letters, digits, dashes and underscores.
        value: The value: JSON, or else a text.
        overwrite: Replace a value that is kept under the name.
        tag: What to find it by. Can be given several times.
    """
    try:
        Variable.set(name, _read(value), tags=tag, overwrite=overwrite)
    except ValueError as error:
        text = str(error).replace("`overwrite=True`", "--overwrite")
        raise ConfigurationError(text) from error
    print(f"Set variable {name!r}.")


@group.command("unset")
def unset(name: str, *, yes: Annotated[bool, Flag("-y")] = False) -> None:
    """Keep a value no longer.

    Args:
        name: The variable's name.
        yes: Do not ask.
    """
    _find(name)
    confirm(f"Unset variable {name!r}?", yes=yes)
    get_caller().call(delete_variable_by_name, name)
    print(f"Unset variable {name!r}.")


group.commands["delete"] = unset


def _find(name: str) -> KeptVariable:
    try:
        return get_caller().call(read_variable_by_name, name)
    except ObjectNotFound as error:
        raise ObjectNotFound(error, f"Variable {name!r} not found.") from error


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
