"""Whether an event is one that a trigger is about, and which of its buckets counts it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from prefect.rules.event_filters import each_of, has_labels
from prefect.schemas.automations import EventTrigger
from prefect.schemas.events import Event

__all__ = ["begins", "covers", "expects", "labels_of"]

_RELATED, _ROLE = "related:", "prefect.resource.role"


def covers(trigger: EventTrigger, event: Event) -> bool:
    """Tell whether a trigger is about the resources of an event.

    Args:
        trigger: The trigger.
        event: The event.
    """
    return has_labels(trigger.match, event.resource) and all(
        not wanted or any(has_labels(wanted, labels) for labels in event.related)
        for wanted in each_of(trigger.match_related)
    )


def begins(trigger: EventTrigger, event: Event) -> bool:
    """Tell whether an event is one of those after which a trigger begins to count."""
    return _is_named(trigger.after, event.event)


def expects(trigger: EventTrigger, event: Event) -> bool:
    """Tell whether an event counts; where none is named, all do."""
    return not trigger.expect or _is_named(trigger.expect, event.event)


def labels_of(trigger: EventTrigger, event: Event) -> dict[str, str]:
    """Return what tells an event from those that are counted apart from it.

    Args:
        trigger: The trigger; its `for_each` names labels of the resource, or of a related one by its role, as
            `related:flow:prefect.resource.id`.
        event: The event.
    """
    return {name: _value(name, event) for name in trigger.for_each}


def _value(name: str, event: Event) -> str:
    if not name.startswith(_RELATED):
        return event.resource.get(name, "")
    role, _, label = name.removeprefix(_RELATED).partition(":")
    return next(_values(event.related, role, label), "")


def _values(related: Sequence[dict[str, str]], role: str, label: str) -> Iterator[str]:
    return (labels[label] for labels in related if labels.get(_ROLE) == role and label in labels)


def _is_named(wanted: Iterable[str], name: str) -> bool:
    return any(name.startswith(each[:-1]) if each.endswith("*") else name == each for each in wanted)
