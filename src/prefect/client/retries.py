"""When a request is sent again: pure decisions over what came back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

__all__ = ["RETRIED_CODES", "first_contact_wait", "retry_wait"]

RETRIED_CODES = frozenset({408, 429, 502, 503})
"""The statuses that say: not now, but perhaps soon."""
LONGEST_WAIT = 300.0
"""Seconds; no server may send a client to sleep for longer."""
FIRST_CONTACT = 8.0
"""Seconds in which a server must accept a connection that this process never reached before."""


def retry_wait(attempt: int, headers: Mapping[str, str] | None, now: datetime) -> float:
    """Return how many seconds to wait before a request is sent again, without jitter.

    Args:
        attempt: How often it was sent already; 1 or more.
        headers: The headers of the answer; None where there was none.
        now: The time.
    """
    if headers is None:
        # Mostly an idle connection that the server had closed: the next attempt opens a new one.
        return 0.25 if attempt == 1 else min(2.0**attempt, LONGEST_WAIT)
    asked = _retry_after(headers.get("retry-after"), now)
    return min(2.0**attempt if asked is None else asked, LONGEST_WAIT)


def first_contact_wait(attempt: int, elapsed: float) -> float | None:
    """Return how long to wait before trying to connect again to a server that never answered before.

    Args:
        attempt: How often it was tried; 1 or more.
        elapsed: Seconds since the first time.

    Returns:
        Seconds; None: give up, since a wrong address is told best at once.
    """
    wait = 0.25 * 2.0**attempt
    return wait if elapsed + wait <= FIRST_CONTACT else None


def _retry_after(text: str | None, now: datetime) -> float | None:
    """Read a `Retry-After`: seconds, or a date."""
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        from email.utils import parsedate_to_datetime  # noqa: PLC0415 - rare, and 10 ms

        try:
            due = parsedate_to_datetime(text)
        except ValueError:
            return None
        if due.tzinfo is None:
            due = due.replace(tzinfo=UTC)
        seconds = (due - now).total_seconds()
    # NaN compares as false: it is no time to wait for either.
    return max(seconds, 0.0) if seconds == seconds else None
