"""Heartbeats: signs of life of flow runs whose clients know no leases, such as those of Prefect.

A client sends the event `prefect.flow-run.heartbeat` as its run begins, and then again and again. Who has
sent one is held to it: where they stay away, the run's process is gone. Of a client that sends none nothing
is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from prefect.operations.flow_runs import lock_flow_run
from prefect.operations.leases import BEATS, CLAIM, LATE
from prefect.schemas.events import Event
from prefect.schemas.states import StateType
from prefect.settings import get_current_settings
from prefect.store import statements
from prefect.store.base import Connection
from prefect.store.codec import flow_run_from_row
from prefect.store.values import Row, read_time, time_text
from prefect.types import now

__all__ = ["heed_heartbeats"]

HEARTBEAT = "prefect.flow-run.heartbeat"
_OF_FLOW_RUN = "prefect.flow-run."
_USUAL = 180
"""Seconds from one heartbeat to the next, where the settings say nothing."""
_MARGIN = 30
"""Seconds by which a heartbeat may come later than the one before it."""
_ALIVE = frozenset((StateType.PENDING, StateType.RUNNING, StateType.CANCELLING))


def heed_heartbeats(connection: Connection, events: Sequence[Event]) -> None:
    """Take a lease for the flow runs that some events are heartbeats of, or put off its end.

    Args:
        connection: A connection that may write.
        events: Any events.
    """
    beats: dict[UUID, Event] = {}
    for event in events:
        if event.event == HEARTBEAT and (run_id := _run_id(event)) is not None:
            beats[run_id] = event
    for run_id in sorted(beats):
        _heed(connection, run_id, beats[run_id])


def _heed(connection: Connection, run_id: UUID, beat: Event) -> None:
    rows = lock_flow_run(connection, run_id.hex)
    # A beat that comes late revives nothing.
    state_type = flow_run_from_row(rows[0]).state_type if rows else None
    if state_type not in _ALIVE:
        return
    leases = connection.fetch(statements.LEASE_OF, (run_id.hex,))
    before = leases[0] if leases else None
    host = BEATS if before is None else before[1].removeprefix(LATE)
    if host.startswith(CLAIM) and state_type is not StateType.PENDING:
        before, host = None, BEATS  # who took the run has started it
    if host != BEATS:
        return  # a process that is known tells more
    period = _period(before, beat)
    expires = time_text(now() + timedelta(seconds=period))
    row = (run_id.hex, BEATS, period, beat.occurred.isoformat(timespec="seconds"), expires)
    connection.run(statements.HOLD_LEASE, row)


def _period(before: Row | None, beat: Event) -> int:
    """Return how long the next beat may take; one that was sent again, or early, makes it no shorter."""
    usual = int(get_current_settings().flows.heartbeat_frequency or _USUAL) + _MARGIN
    if before is None:
        return usual
    gap = (beat.occurred - read_time(before[3])).total_seconds()
    return max(usual, int(before[2]), int(gap) + _MARGIN)


def _run_id(event: Event) -> UUID | None:
    name = event.resource.get("prefect.resource.id", "")
    if not name.startswith(_OF_FLOW_RUN):
        return None
    try:
        return UUID(name.removeprefix(_OF_FLOW_RUN))
    except ValueError:
        return None
