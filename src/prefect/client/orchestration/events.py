"""The client's methods for events."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from prefect.client.orchestration.base import Group
from prefect.operations.event_listings import read_events, read_next_events
from prefect.schemas.events import EventPage, EventQuery
from prefect.schemas.filters.events import EventFilter

__all__ = ["EventMethods"]

_MOST = 50
"""How many events a page has at most."""


class EventMethods(Group):
    """Reads events."""

    def read_events(self, filter: EventFilter | None = None, limit: int = 100) -> EventPage:
        """Return the first page of events.

        Args:
            filter: Which events.
            limit: At most so many; a page has at most 50.
        """
        return self._call(read_events, EventQuery(filter=filter, limit=min(limit, _MOST)))

    def read_events_page(self, next_page_url: str) -> EventPage:
        """Return a further page of events.

        Args:
            next_page_url: The `next_page` of the page before.
        """
        (token,) = parse_qs(urlsplit(next_page_url).query).get("page-token") or [next_page_url]
        return self._call(read_next_events, token)
