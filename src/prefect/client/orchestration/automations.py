"""The client's methods for automations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client.orchestration.base import Group
from prefect.exceptions import ObjectNotFound
from prefect.operations.automations import (
    create_automation,
    delete_automation,
    delete_automations_owned_by,
    read_automation,
    read_automations,
    read_automations_related_to,
    replace_automation,
    update_automation,
)
from prefect.schemas.automations import (
    Automation,
    AutomationCreate,
    AutomationPartialUpdate,
    AutomationQuery,
    AutomationSort,
    AutomationUpdate,
)
from prefect.schemas.base import jsonable
from prefect.schemas.filters.automations import AutomationFilter, AutomationFilterName

__all__ = ["AutomationMethods"]


class AutomationMethods(Group):
    """Makes, reads, changes and deletes automations."""

    def create_automation(self, automation: Any) -> UUID:
        """Make an automation.

        Args:
            automation: What it does, and when.

        Returns:
            Its id.
        """
        return self._call(
            create_automation, AutomationCreate.model_validate(_fields(automation, AutomationCreate))
        ).id

    def update_automation(self, automation_id: UUID, automation: Any) -> None:
        """Put an automation in the place of another.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such automation.
        """
        data = AutomationUpdate.model_validate(_fields(automation, AutomationUpdate))
        self._call(replace_automation, automation_id, data)

    def read_automations(
        self,
        *,
        automations: AutomationFilter | None = None,
        sort: AutomationSort | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Automation]:
        """Return automations.

        Args:
            automations: Which ones.
            sort: Their order; None: by name.
            limit: At most so many; None: 200.
            offset: Leave out so many of the first.
        """
        query = AutomationQuery(
            automations=automations, sort=sort or AutomationSort.NAME_ASC, limit=limit, offset=offset
        )
        return self._call(read_automations, query)

    def read_automation(self, automation_id: UUID | str) -> Automation | None:
        """Return an automation, or None where there is none."""
        try:
            return self._call(read_automation, UUID(str(automation_id)))
        except ObjectNotFound:
            return None

    def read_automations_by_name(self, name: str) -> list[Automation]:
        """Return the automations of a name."""
        return self.read_automations(automations=AutomationFilter(name=AutomationFilterName(any_=[name])))

    def find_automation(self, id_or_name: str | UUID) -> Automation | None:
        """Return the automation of an id or a name, however its letters are; None where there is none."""
        try:
            found = self.read_automation(UUID(str(id_or_name)))
        except ValueError:
            found = None
        if found is not None:
            return found
        name = str(id_or_name)
        if exact := self.read_automations_by_name(name):
            return exact[0]
        every = self.read_automations()
        return next((each for each in every if each.name.lower() == name.lower()), None)

    def read_resource_related_automations(self, resource_id: str) -> list[Automation]:
        """Return the automations that a resource has to do with.

        Args:
            resource_id: As `prefect.deployment.<id>`.
        """
        return self._call(read_automations_related_to, resource_id)

    def pause_automation(self, automation_id: UUID) -> None:
        """Have an automation rest.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such automation.
        """
        self._call(update_automation, automation_id, AutomationPartialUpdate(enabled=False))

    def resume_automation(self, automation_id: UUID) -> None:
        """Have an automation go on.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such automation.
        """
        self._call(update_automation, automation_id, AutomationPartialUpdate(enabled=True))

    def delete_automation(self, automation_id: UUID) -> None:
        """Delete an automation; one that is not there is none to delete."""
        try:
            self._call(delete_automation, automation_id)
        except ObjectNotFound:
            return

    def delete_resource_owned_automations(self, resource_id: str) -> None:
        """Delete the automations that came with a resource.

        Args:
            resource_id: As `prefect.deployment.<id>`.
        """
        self._call(delete_automations_owned_by, resource_id)


def _fields(automation: Any, wanted: type[AutomationUpdate]) -> dict[str, Any]:
    """Return what an automation of any class says of itself; ids and times are the server's."""
    known: dict[str, Any] = jsonable(automation)
    return {name: known[name] for name in wanted.__struct_fields__ if name in known}
