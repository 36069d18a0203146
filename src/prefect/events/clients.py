"""Clients of events: names that code imports from here."""

from __future__ import annotations

from prefect.events.emitters import (
    AssertingEventsClient,
    EventsClient,
    NullEventsClient,
    PrefectEventsClient,
    get_events_client,
)
from prefect.events.subscribers import PrefectEventSubscriber, get_events_subscriber

__all__ = [
    "AssertingEventsClient",
    "EventsClient",
    "NullEventsClient",
    "PrefectEventSubscriber",
    "PrefectEventsClient",
    "get_events_client",
    "get_events_subscriber",
]
