"""Operations on variables."""

from __future__ import annotations

from uuid import UUID

import msgspec

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.operations.object_events import tell_of_object
from prefect.operations.registry import operation
from prefect.schemas.pages import set_fields
from prefect.schemas.variables import (
    Variable,
    VariableCreate,
    VariableQuery,
    VariableSort,
    VariableUpdate,
)
from prefect.store.base import Connection, Store
from prefect.store.conditions.base import TAG_TESTS, Condition, all_of, of
from prefect.store.pages import Order, asked, on_page
from prefect.store.records import Records
from prefect.store.tables import variables
from prefect.types import now

__all__ = [
    "count_variables",
    "create_variable",
    "delete_variable",
    "delete_variable_by_name",
    "read_variable",
    "read_variable_by_name",
    "read_variables",
    "update_variable",
    "update_variable_by_name",
]

_records = Records(variables, Variable)
_condition = all_of(
    {
        "id": of(variables.c.id),
        "name": of(variables.c.name),
        "tags": of(variables.c.tags, TAG_TESTS),
    }
)
_ORDERS: dict[VariableSort, Order] = {
    VariableSort.CREATED_DESC: (variables.c.created.desc(), variables.c.id.desc()),
    VariableSort.UPDATED_DESC: (variables.c.updated.desc(), variables.c.id.desc()),
    VariableSort.NAME_DESC: (variables.c.name.desc(),),
    VariableSort.NAME_ASC: (variables.c.name,),
}


@operation("POST", "/variables/", creates=True)
def create_variable(store: Store, data: VariableCreate) -> Variable:
    """Make a variable.

    Args:
        store: The store.
        data: The variable.

    Raises:
        prefect.exceptions.ObjectAlreadyExists: There is one of that name.
    """
    at = now()
    made = Variable(name=data.name, value=data.value, tags=data.tags, created=at, updated=at)
    with store.transaction() as connection:
        if not _records.insert(connection, made):
            raise _taken(data.name)
        _tell(connection, "created", made)
    return made


@operation("POST", "/variables/filter")
def read_variables(store: Store, query: VariableQuery) -> list[Variable]:
    """Return the variables that a query is about."""
    found = _records.select(*asked(_condition, query.variables))
    return _records.all(store, on_page(found, query, _ORDERS[query.sort]))


@operation("POST", "/variables/count")
def count_variables(store: Store, query: VariableQuery) -> int:
    """Return how many variables a query is about, whatever its window."""
    return _records.count(store, *asked(_condition, query.variables))


@operation("GET", "/variables/{variable_id}")
def read_variable(store: Store, variable_id: UUID) -> Variable:
    """Return a variable.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such variable.
    """
    return _read(store, variables.c.id == variable_id.hex)


@operation("GET", "/variables/name/{name}")
def read_variable_by_name(store: Store, name: str) -> Variable:
    """Return the variable of a name.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such variable.
    """
    return _read(store, variables.c.name == name)


@operation("PATCH", "/variables/{variable_id}")
def update_variable(store: Store, variable_id: UUID, data: VariableUpdate) -> None:
    """Change what is set in `data` of a variable.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such variable.
        prefect.exceptions.ObjectAlreadyExists: Another one has the new name.
    """
    _update(store, data, variables.c.id == variable_id.hex)


@operation("PATCH", "/variables/name/{name}")
def update_variable_by_name(store: Store, name: str, data: VariableUpdate) -> None:
    """Change what is set in `data` of the variable of a name.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such variable.
        prefect.exceptions.ObjectAlreadyExists: Another one has the new name.
    """
    _update(store, data, variables.c.name == name)


@operation("DELETE", "/variables/{variable_id}")
def delete_variable(store: Store, variable_id: UUID) -> None:
    """Delete a variable.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such variable.
    """
    _delete(store, variables.c.id == variable_id.hex)


@operation("DELETE", "/variables/name/{name}")
def delete_variable_by_name(store: Store, name: str) -> None:
    """Delete the variable of a name.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such variable.
    """
    _delete(store, variables.c.name == name)


def _read(store: Store, which: Condition) -> Variable:
    found = _records.first(store, which)
    if found is None:
        raise _missing()
    return found


def _update(store: Store, data: VariableUpdate, which: Condition) -> None:
    changes = set_fields(data)
    # None changes a value, but is no name and no list of tags.
    changes = {name: value for name, value in changes.items() if name == "value" or value is not None}
    with store.transaction() as connection:
        found = _records.to_change(connection, which)
        if found is None:
            raise _missing()
        name = changes.get("name", found.name)
        if name != found.name and _records.count(connection, variables.c.name == name):
            raise _taken(name)
        _records.update(connection, changes | {"updated": now()}, variables.c.id == found.id.hex)
        _tell(connection, "updated", msgspec.structs.replace(found, **changes))


def _delete(store: Store, which: Condition) -> None:
    with store.transaction() as connection:
        found = _records.to_change(connection, which)
        if found is None:
            raise _missing()
        _records.delete(connection, variables.c.id == found.id.hex)
        _tell(connection, "deleted", found)


def _tell(connection: Connection, happened: str, variable: Variable) -> None:
    said = {"name": variable.name, "value": variable.value, "tags": variable.tags}
    tell_of_object(connection, f"variable.{happened}", variable.id, variable.name, said)


def _missing() -> ObjectNotFound:
    return ObjectNotFound(help_message="Variable not found.")


def _taken(name: str) -> ObjectAlreadyExists:
    return ObjectAlreadyExists(help_message=f"A variable with the name '{name}' already exists.")
