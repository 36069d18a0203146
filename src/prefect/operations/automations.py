"""Operations on automations. `prefect.operations.automation_triggers` has them see what happens."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from prefect.exceptions import ObjectNotFound
from prefect.operations.automation_triggers import begin_following, forget_buckets
from prefect.operations.object_events import tell_of_object
from prefect.operations.registry import operation
from prefect.operations.templates import check_templates
from prefect.schemas.automations import (
    Automation,
    AutomationCreate,
    AutomationPartialUpdate,
    AutomationQuery,
    AutomationSort,
    AutomationUpdate,
)
from prefect.schemas.base import jsonable
from prefect.schemas.pages import set_fields
from prefect.store.base import Connection, Store
from prefect.store.conditions.base import TAG_TESTS, Condition, all_of, of
from prefect.store.pages import Order, asked, on_page
from prefect.store.records import Records
from prefect.store.tables import automations
from prefect.types import now

__all__ = [
    "count_automations",
    "create_automation",
    "delete_automation",
    "delete_automations_owned_by",
    "end_automations_of",
    "read_automation",
    "read_automations",
    "read_automations_related_to",
    "replace_automation",
    "update_automation",
]

_records = Records(automations, Automation)
_condition = all_of(
    {
        "id": of(automations.c.id),
        "name": of(automations.c.name),
        "created": of(automations.c.created),
        "tags": of(automations.c.tags, TAG_TESTS),
    }
)
_ORDERS: dict[AutomationSort, Order] = {
    AutomationSort.CREATED_DESC: (automations.c.created.desc(), automations.c.id.desc()),
    AutomationSort.UPDATED_DESC: (automations.c.updated.desc(), automations.c.id.desc()),
    AutomationSort.NAME_ASC: (automations.c.name, automations.c.id),
    AutomationSort.NAME_DESC: (automations.c.name.desc(), automations.c.id.desc()),
}


@operation("POST", "/automations/", creates=True)
def create_automation(store: Store, data: AutomationCreate) -> Automation:
    """Make an automation.

    Args:
        store: The store.
        data: The automation.

    Raises:
        prefect.exceptions.RequestRefused: A template of it is none.
    """
    _check(data)
    at = now()
    values = msgspec.structs.asdict(data)
    owner = values.pop("owner_resource")
    made = Automation(**values, created=at, updated=at)
    with store.transaction() as connection:
        _records.insert(connection, made, owner=owner)
        if made.enabled:
            begin_following(connection, at)
        _tell(connection, "created", made)
    return made


@operation("POST", "/automations/filter")
def read_automations(store: Store, query: AutomationQuery) -> list[Automation]:
    """Return the automations that a query is about."""
    found = _records.select(*asked(_condition, query.automations))
    return _records.all(store, on_page(found, query, _ORDERS[query.sort or AutomationSort.NAME_ASC]))


@operation("POST", "/automations/count")
def count_automations(store: Store, query: AutomationQuery) -> int:
    """Return how many automations a query is about, whatever its window."""
    return _records.count(store, *asked(_condition, query.automations))


@operation("GET", "/automations/{automation_id}")
def read_automation(store: Store, automation_id: UUID) -> Automation:
    """Return an automation.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such automation.
    """
    found = _records.first(store, automations.c.id == automation_id.hex)
    if found is None:
        raise _missing()
    return found


@operation("GET", "/automations/related-to/{resource_id}")
def read_automations_related_to(store: Store, resource_id: str) -> list[Automation]:
    """Return the automations that came with a resource.

    Args:
        store: The store.
        resource_id: The resource, as `prefect.deployment.<id>`.
    """
    return _records.all(store, _records.select(automations.c.owner == resource_id).order_by(automations.c.id))


@operation("PUT", "/automations/{automation_id}")
def replace_automation(store: Store, automation_id: UUID, data: AutomationUpdate) -> None:
    """Put another automation in the place of one.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such automation.
        prefect.exceptions.RequestRefused: A template of it is none.
    """
    _check(data)
    changes = msgspec.structs.asdict(data) | {"updated": now()}
    _change(store, automation_id, changes)


@operation("PATCH", "/automations/{automation_id}")
def update_automation(store: Store, automation_id: UUID, data: AutomationPartialUpdate) -> None:
    """Enable or disable an automation.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such automation.
    """
    changes = set_fields(data) | {"updated": now()}
    _change(store, automation_id, changes)


def _check(data: AutomationUpdate) -> None:
    check_templates([*data.actions, *data.actions_on_trigger, *data.actions_on_resolve])


def _change(store: Store, automation_id: UUID, changes: dict[str, Any]) -> None:
    this = automations.c.id == automation_id.hex
    with store.transaction() as connection:
        if not _records.update(connection, changes, this):
            raise _missing()
        changed = _records.first(connection, this)
        assert changed is not None
        if changed.enabled:
            begin_following(connection, changes["updated"])
        else:
            forget_buckets(connection, automation_id)
        _tell(connection, "updated", changed)


@operation("DELETE", "/automations/{automation_id}")
def delete_automation(store: Store, automation_id: UUID) -> None:
    """Delete an automation.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such automation.
    """
    with store.transaction() as connection:
        if not _delete(connection, automations.c.id == automation_id.hex):
            raise _missing()


@operation("DELETE", "/automations/owned-by/{resource_id}", status=202)
def delete_automations_owned_by(store: Store, resource_id: str) -> None:
    """Delete the automations that came with a resource, if there are any.

    Args:
        store: The store.
        resource_id: The resource, as `prefect.deployment.<id>`.
    """
    with store.transaction() as connection:
        end_automations_of(connection, resource_id)


def end_automations_of(connection: Connection, resource_id: str) -> None:
    """Delete the automations that came with a resource, in a transaction that is there already."""
    _delete(connection, automations.c.owner == resource_id)


def _delete(connection: Connection, which: Condition) -> int:
    gone = _records.all(connection, _records.select(which).with_for_update())
    _records.delete(connection, which)
    for automation in gone:
        _tell(connection, "deleted", automation)
    return len(gone)


def _tell(connection: Connection, happened: str, automation: Automation) -> None:
    said = jsonable(automation)
    tell_of_object(connection, f"automation.{happened}", automation.id, automation.name, said)


def _missing() -> ObjectNotFound:
    return ObjectNotFound(help_message="Automation not found")
