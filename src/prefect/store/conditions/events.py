"""Filters of events as conditions. `prefect.rules.event_filters` says the same of one event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, and_, false, func, literal, not_, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from prefect.rules.event_filters import each_of, values_of
from prefect.rules.text_search import parse_text_search
from prefect.schemas.filters.events import (
    EventAnyResourceFilter,
    EventFilter,
    EventNameFilter,
    EventRelatedFilter,
    EventResourceFilter,
    LabelValues,
)
from prefect.store.conditions.base import Condition, among
from prefect.store.tables.events import events
from prefect.types import format_utc

__all__ = ["event_conditions"]

_ID, _ROLE = "prefect.resource.id", "prefect.resource.role"


class Items(FunctionElement[Any]):
    """The members of a JSON list, as rows."""

    name = "items"
    inherit_cache = True


class Label(FunctionElement[str]):
    """A member of a JSON object, whatever its name is made of."""

    type = String()
    name = "label"
    inherit_cache = True


@compiles(Items, "sqlite")
def _items_sqlite(element: Items, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(Items, "postgresql")
def _items_postgresql(element: Items, compiler: Any, **options: Any) -> str:
    return f"jsonb_array_elements(CAST({compiler.process(element.clauses, **options)} AS JSONB))"


@compiles(Label, "sqlite")
def _label_sqlite(element: Label, compiler: Any, **options: Any) -> str:
    document, name = (compiler.process(part, **options) for part in element.clauses)
    return f"(SELECT value FROM json_each({document}) WHERE key = {name})"


@compiles(Label, "postgresql")
def _label_postgresql(element: Label, compiler: Any, **options: Any) -> str:
    document, name = (compiler.process(part, **options) for part in element.clauses)
    return f"(CAST({document} AS JSONB) ->> {name}::text)"


def event_conditions(filter: EventFilter) -> list[Condition]:
    """Return what a filter asks of events, but for `distinct`.

    Args:
        filter: The filter.
    """
    column = events.c
    conditions: list[Condition] = [
        column.occurred >= format_utc(filter.occurred.since),
        column.occurred <= format_utc(filter.occurred.until),
    ]
    if filter.id.id:
        conditions.append(among(column.id, filter.id.id))
    if filter.event is not None:
        conditions += _name_conditions(filter.event)
    if filter.resource is not None:
        conditions += _resource_conditions(filter.resource, column.resource_id, column.resource)
    for related in each_of(filter.related):
        conditions += _related_conditions(related)
    for any_resource in each_of(filter.any_resource):
        conditions += _any_resource_conditions(any_resource)
    if filter.text is not None:
        conditions += _text_conditions(filter.text.query)
    return conditions


def _name_conditions(filter: EventNameFilter) -> Iterable[Condition]:
    name = events.c.event
    if filter.prefix:
        yield _starts(name, filter.prefix)
    if filter.exclude_prefix:
        yield not_(_starts(name, filter.exclude_prefix))
    if filter.name:
        yield among(name, filter.name)
    if filter.exclude_name:
        yield not_(among(name, filter.exclude_name))


def _resource_conditions(
    filter: EventResourceFilter | EventAnyResourceFilter, resource_id: Any, labels: Any
) -> Iterable[Condition]:
    if filter.id:
        yield among(resource_id, filter.id)
    if filter.id_prefix:
        yield _starts(resource_id, filter.id_prefix)
    yield from _label_conditions(filter.labels, labels)


def _any_resource_conditions(filter: EventAnyResourceFilter) -> Iterable[Condition]:
    own = list(_resource_conditions(filter, events.c.resource_id, events.c.resource))
    if own:
        item = _related()
        theirs = _resource_conditions(filter, Label(item, literal(_ID)), item)
        yield or_(and_(*own), _some(item, theirs))


def _related_conditions(filter: EventRelatedFilter) -> Iterable[Condition]:
    item = _related()
    resource_id, role = Label(item, literal(_ID)), Label(item, literal(_ROLE))
    wanted: list[Condition] = []
    if filter.id:
        wanted.append(resource_id.in_(filter.id))
    if filter.role:
        wanted.append(role.in_(filter.role))
    if filter.resources_in_roles:
        pairs = [and_(resource_id == one, role == other) for one, other in filter.resources_in_roles]
        wanted.append(or_(*pairs))
    wanted += _label_conditions(filter.labels, item)
    if wanted:
        yield _some(item, wanted)


def _related() -> Any:
    return Items(events.c.related).table_valued("value", name="item").c.value


def _some(item: Any, conditions: Iterable[Condition]) -> Condition:
    """Whether one of the related resources meets all conditions."""
    return select(literal(1)).select_from(item.table).where(*conditions).exists()


def _label_conditions(wanted: Mapping[str, LabelValues] | None, labels: Any) -> Iterable[Condition]:
    for name, values in (wanted or {}).items():
        value = Label(labels, literal(name))
        yield value.is_not(None)
        yield or_(false(), *(_is_value(value, each) for each in values_of(values)))


def _is_value(value: Any, wanted: str) -> Condition:
    if wanted.startswith("!"):
        return not_(_is_value(value, wanted[1:]))
    if wanted.endswith("*"):
        return _starts(value, [wanted[:-1]])
    same: Condition = value == wanted
    return same


def _starts(value: Any, prefixes: Sequence[str]) -> Condition:
    # Not LIKE, for which SQLite takes upper and lower case to be the same.
    return or_(*(func.substr(value, 1, len(prefix)) == prefix for prefix in prefixes))


def _text_conditions(query: str) -> Iterable[Condition]:
    search = parse_text_search(query)
    yield from (_says(term) for term in search.all_of)
    yield from (not_(_says(term)) for term in search.none_of)
    if search.some_of:
        yield or_(*map(_says, search.some_of))


def _says(term: str) -> ColumnElement[bool]:
    column = events.c
    texts = (column.event, column.resource, column.related, column.payload)
    return or_(*(text.icontains(term, autoescape=True) for text in texts))
