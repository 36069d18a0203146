"""Writing that fails: outages of the store, when to try again, and what is said of what was lost."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Sequence
from time import monotonic

from prefect.exceptions import StoreError
from prefect.schemas.objects import Log, TaskRunRecord

__all__ = ["Outage", "describe_refused", "is_outage", "last_words", "summed_up"]

FIRST_WAIT = 0.25
"""Seconds from the first failure to the second attempt; each further wait is twice as long."""
LONGEST_WAIT = 30.0
"""Seconds between attempts, at most."""


class Outage:
    """One outage, from the first failure until a write succeeds.

    Args:
        error: The first failure.
    """

    __slots__ = ("_wait", "dropped", "error", "retry_at")

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.dropped = 0
        """Items dropped because too many waited."""
        self._wait = FIRST_WAIT
        self.retry_at = monotonic() + self._wait
        """When to try again, on the monotonic clock."""

    def again(self, error: Exception) -> None:
        """Note one more failure, and wait longer."""
        self.error = error
        self._wait = min(self._wait * 2, LONGEST_WAIT)
        self.retry_at = monotonic() + self._wait

    def is_due(self) -> bool:
        """Whether it is time for another attempt."""
        return monotonic() >= self.retry_at

    def greeting(self, store: str) -> str:
        """Say what happened and what it means, once an outage."""
        reason = f"{type(self.error).__name__}: {self.error}".rstrip().rstrip(":")
        if not reason.endswith((".", "!", "?")):
            reason += "."
        return (
            f"Task runs and logs cannot be written to {store}: {reason} "
            "Your code goes on; the newest records wait in memory until it works again."
        )

    def farewell(self, store: str) -> str:
        """Say that it is over."""
        lost = f" {self.dropped} records were dropped meanwhile." if self.dropped else " Nothing was lost."
        return f"Task runs and logs are written to {store} again.{lost}"


def is_outage(error: Exception) -> bool:
    """Whether a failed write is the store's fault, rather than that of a record in it.

    Args:
        error: What the write raised.
    """
    if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError):
        return False
    return isinstance(error, StoreError | OSError | ImportError | sqlite3.Error)


def last_words(left: int, dropped: int, store: str, kept: str | None, outage: Outage | None) -> str:
    """Say what the end of a process means for records that could not be written.

    Args:
        left: How many still wait.
        dropped: How many were dropped before, because too many waited.
        store: Where they were to go.
        kept: Where those that wait are kept, if they are.
        outage: The outage, which was explained when it began; None: the store was merely slow.
    """
    why = "" if outage is not None else ", which did not answer in time"
    lost = dropped if kept else left + dropped
    text = ""
    if kept:
        text = (
            f"{left} records of task runs and logs could not be delivered to {store}{why}. They are kept in "
            f"{kept}, and the next process that reaches it delivers them. "
        )
    if lost:
        text += f"{lost} records of task runs and logs could not be written to {store}{why}, and are lost."
    return text.rstrip()


def describe_refused(item: TaskRunRecord | Log, error: Exception) -> str:
    """Say which record could not be written, and why.

    Args:
        item: The record.
        error: What writing it raised.
    """
    if isinstance(item, TaskRunRecord):
        what = f"Task run {item.run.name!r} ({item.run.id})"
    else:
        what = f"A log record of {item.name!r} at {item.timestamp}, flow run {item.flow_run_id},"
    return f"{what} cannot be recorded, and will be missing in the store: {type(error).__name__}: {error}"


def summed_up(said: Sequence[tuple[int, str]]) -> Iterable[tuple[int, str]]:
    """Return the first few of many messages, and how many more there were.

    Args:
        said: Levels and texts.
    """
    yield from said[:5]
    if len(said) > 5:
        yield logging.ERROR, f"{len(said) - 5} more records could not be recorded, for like reasons."
