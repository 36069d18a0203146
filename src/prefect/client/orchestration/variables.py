"""The client's methods for variables."""

from __future__ import annotations

from prefect.client.orchestration.base import Group
from prefect.exceptions import ObjectNotFound
from prefect.operations.variables import (
    create_variable,
    delete_variable_by_name,
    read_variable_by_name,
    read_variables,
    update_variable_by_name,
)
from prefect.schemas.variables import Variable, VariableCreate, VariableQuery, VariableUpdate

__all__ = ["VariableMethods"]


class VariableMethods(Group):
    """Makes, reads, changes and deletes variables."""

    def create_variable(self, variable: VariableCreate) -> Variable:
        """Make a variable.

        Raises:
            prefect.exceptions.ObjectAlreadyExists: There is one of its name.
        """
        return self._call(create_variable, variable)

    def read_variable_by_name(self, name: str) -> Variable | None:
        """Return the variable of a name, or None where there is none."""
        try:
            return self._call(read_variable_by_name, name)
        except ObjectNotFound:
            return None

    def read_variables(self, limit: int | None = None) -> list[Variable]:
        """Return variables by name.

        Args:
            limit: At most so many; None: 200.
        """
        return self._call(read_variables, VariableQuery(limit=limit))

    def update_variable(self, variable: VariableUpdate) -> None:
        """Change the variable of a name.

        Args:
            variable: The changes, with its name.

        Raises:
            prefect.exceptions.ObjectNotFound: There is none of that name.
            ValueError: The changes have no name.
        """
        if not isinstance(variable.name, str):
            raise ValueError("The changes must say the name of the variable.")
        self._call(update_variable_by_name, variable.name, variable)

    def delete_variable_by_name(self, name: str) -> None:
        """Delete the variable of a name.

        Raises:
            prefect.exceptions.ObjectNotFound: There is none of that name.
        """
        self._call(delete_variable_by_name, name)
