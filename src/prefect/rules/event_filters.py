"""Whether an event is one that a filter is about. `store/conditions/events.py` says the same in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from prefect.rules.text_search import parse_text_search
from prefect.schemas.base import encode_json
from prefect.schemas.events import Event
from prefect.schemas.filters.events import (
    EventAnyResourceFilter,
    EventFilter,
    EventNameFilter,
    EventRelatedFilter,
    EventResourceFilter,
    LabelValues,
)
from prefect.types import aware

__all__ = ["each_of", "has_labels", "matches", "values_of"]

T = TypeVar("T")
Labels = Mapping[str, str]
_ID, _ROLE = "prefect.resource.id", "prefect.resource.role"


def matches(filter: EventFilter, event: Event, *, at_any_time: bool = False) -> bool:
    """Tell whether a filter is about an event.

    Args:
        filter: The filter. Its order, and `distinct`, say nothing of one event.
        event: The event.
        at_any_time: Whether it does not count when it occurred.
    """
    occurred = aware(event.occurred)
    return (
        (at_any_time or aware(filter.occurred.since) <= occurred <= aware(filter.occurred.until))
        and (not filter.id.id or event.id in filter.id.id)
        and (filter.event is None or _has_name(filter.event, event.event))
        and (filter.resource is None or _is_resource(filter.resource, event.resource))
        and all(_relates(each, event.related) for each in each_of(filter.related))
        and all(_touches(each, event) for each in each_of(filter.any_resource))
        and (filter.text is None or _says(filter.text.query, event))
    )


def each_of(given: T | list[T] | None) -> Iterable[T]:
    """Return the filters of a place where one or several may be given."""
    if given is None:
        return ()
    return given if isinstance(given, list) else (given,)


def values_of(given: LabelValues) -> list[str]:
    """Return the values of a label, of which any will do."""
    return [given] if isinstance(given, str) else given


def _has_name(filter: EventNameFilter, name: str) -> bool:
    return (
        (not filter.prefix or name.startswith(tuple(filter.prefix)))
        and (not filter.exclude_prefix or not name.startswith(tuple(filter.exclude_prefix)))
        and (not filter.name or name in filter.name)
        and (not filter.exclude_name or name not in filter.exclude_name)
    )


def _is_resource(filter: EventResourceFilter | EventAnyResourceFilter, labels: Labels) -> bool:
    return (
        (not filter.id or labels.get(_ID) in filter.id)
        and (not filter.id_prefix or labels.get(_ID, "").startswith(tuple(filter.id_prefix)))
        and has_labels(filter.labels, labels)
    )


def _touches(filter: EventAnyResourceFilter, event: Event) -> bool:
    return any(_is_resource(filter, labels) for labels in (event.resource, *event.related))


def _relates(filter: EventRelatedFilter, related: Sequence[Labels]) -> bool:
    if not (filter.id or filter.role or filter.resources_in_roles or filter.labels):
        return True
    return any(
        (not filter.id or labels.get(_ID) in filter.id)
        and (not filter.role or labels.get(_ROLE) in filter.role)
        and (not filter.resources_in_roles or _in_role(filter.resources_in_roles, labels))
        and has_labels(filter.labels, labels)
        for labels in related
    )


def _in_role(wanted: Sequence[tuple[str, str]], labels: Labels) -> bool:
    return (labels.get(_ID), labels.get(_ROLE)) in wanted


def has_labels(wanted: Mapping[str, LabelValues] | None, labels: Labels) -> bool:
    """Tell whether a resource has all labels that are wanted.

    Args:
        wanted: Their values, of which any will do; `*` at the end stands for any text, `!` before for any
            other.
        labels: The labels of the resource.
    """
    return not wanted or all(
        name in labels and any(_is_value(value, labels[name]) for value in values_of(values))
        for name, values in wanted.items()
    )


def _is_value(wanted: str, value: str) -> bool:
    if wanted.startswith("!"):
        return not _is_value(wanted[1:], value)
    return value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted


def _says(query: str, event: Event) -> bool:
    search = parse_text_search(query.lower())
    texts = (
        event.event,
        *(encode_json(each).decode() for each in (event.resource, event.related, event.payload)),
    )
    text = "\n".join(texts).lower()
    return (
        (not search.some_of or any(term in text for term in search.some_of))
        and all(term in text for term in search.all_of)
        and not any(term in text for term in search.none_of)
    )
