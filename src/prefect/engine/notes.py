"""The engine's own notes on a flow run, kept in its context."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.context.runs import FlowRunContext
from prefect.engine.inputs import ResultTracker
from prefect.engine.journal import Journal
from prefect.schemas.objects import FlowRun, TaskRunRecord
from prefect.schemas.states import State
from prefect.settings import get_current_settings
from prefect.types import fork_safe

if TYPE_CHECKING:
    from prefect.recorder.slot_leases import SlotLease

__all__ = ["CHECK_AFTER", "FlowRunNotes", "notes_of", "open_journal"]

CHECK_AFTER = 1.0
"""Seconds until a run first asks, before a task, whether it was cancelled or suspended meanwhile."""


class FlowRunNotes:
    """What the engine remembers of a flow run while it runs.

    Args:
        journal: Where the run, and all that runs in it, is written down.
        enter: Has the run enter a state.
    """

    __slots__ = (
        "_counts",
        "_lock",
        "check_at",
        "children",
        "enter",
        "journal",
        "lease",
        "tracker",
        "under_way",
    )

    def __init__(
        self, journal: Journal, enter: Callable[[State[Any], bool], State[Any]] | None = None
    ) -> None:
        self.journal = journal
        self.enter = enter
        """Has the run enter a state (by force or not), and all that shows it; None: the context was made by
        hand, and there is no run to do so."""
        self.check_at = monotonic() + CHECK_AFTER
        """When to ask whether the run is to go on, on the monotonic clock."""
        self.lease: SlotLease | None = None
        """What holds the slot of its deployment's limit."""
        self.tracker = ResultTracker()
        self.children: dict[tuple[str, int], tuple[FlowRun, TaskRunRecord]] = {}
        """Flow runs nested in this one, by flow and position: a retry runs them again under their old ids."""
        self.under_way: dict[int, TaskRunRecord] = {}
        """Task runs that have begun and not ended, by the ids of their records."""
        self._counts: dict[str, int] = {}
        self._lock = fork_safe(threading.Lock())

    def next_position(self, key: str) -> int:
        """Return how many nested flow runs of a flow this attempt has made so far, and count one more."""
        with self._lock:
            position = self._counts.get(key, 0)
            self._counts[key] = position + 1
            return position

    def begin_attempt(self) -> None:
        """Count nested flow runs from the start again."""
        self._counts.clear()


def open_journal() -> Journal:
    """Return a journal of what the settings name now; each root run needs one of its own.

    Raises:
        prefect.exceptions.ConfigurationError: The settings name a server, but not by a URL.
    """
    if get_current_settings().api.url is None:
        return Journal()
    from prefect.engine.server_journal import ServerJournal  # noqa: PLC0415 - only where a server is used

    return ServerJournal()


def notes_of(context: FlowRunContext) -> FlowRunNotes:
    """Return the notes of a flow run; a context that was made by hand gets its own."""
    notes = context.state
    if notes is None:
        notes = context.state = FlowRunNotes(open_journal())
    return notes  # type: ignore[no-any-return]


def own_run_id(context: FlowRunContext | None) -> UUID | None:
    """Return the id of a context's flow run, where there is one."""
    return context.flow_run.id if context is not None and context.flow_run is not None else None
