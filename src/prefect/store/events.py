"""Events as rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from prefect.schemas.events import Event, ReceivedEvent
from prefect.store import statements
from prefect.store.base import Connection
from prefect.store.reading import reads
from prefect.store.values import Row, clean_text, hex_or_none, id_or_none, json_text, read_id, read_time
from prefect.types import format_utc

__all__ = ["event_from_row", "event_row", "insert_events"]

_decode_labels = msgspec.json.Decoder(dict[str, str]).decode
_decode_related = msgspec.json.Decoder(list[dict[str, str]]).decode
_decode_payload = msgspec.json.Decoder(dict[str, Any]).decode


def insert_events(connection: Connection, events: Iterable[Event], received: datetime) -> None:
    """Write events; those that are there already are left as they are.

    Args:
        connection: A connection that may write.
        events: The events, in the order in which subscribers are to be told.
        received: When they came.
    """
    at = format_utc(received)
    connection.write_many(statements.INSERT_EVENT, [event_row(event, at) for event in events])


def event_row(event: Event, received: str) -> Row:
    """Return an event's row, less the position that the database gives it.

    Args:
        event: The event.
        received: When it came, as `format_utc` writes it.
    """
    return (
        event.id.hex,
        format_utc(event.occurred),
        received,
        clean_text(event.event),
        clean_text(event.resource["prefect.resource.id"]),
        json_text(event.resource),
        json_text(event.related) if event.related else "[]",
        json_text(event.payload) if event.payload else "{}",
        hex_or_none(event.follows),
    )


@reads("events")
def event_from_row(row: Row) -> ReceivedEvent:
    """Return the event that a row holds."""
    return ReceivedEvent(
        id=read_id(row[1]),
        occurred=read_time(row[2]),
        received=read_time(row[3]),
        event=row[4],
        resource=_decode_labels(row[6]),
        related=_decode_related(row[7]),
        payload=_decode_payload(row[8]),
        follows=id_or_none(row[9]),
    )
