"""Leases: which process carries out which flow run.

Thanks to them a run whose process is gone does not stay Running for ever.

On the same machine the process itself is the proof: it is there, or it is not, however long it was too busy
to say so. Of another machine only the lease's time is known. A process whose lease has run out is late at
first, and has as long again to be heard of: it may have been stopped for a minute, or the store may have been
away, and with it everybody else's leases too.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from uuid import UUID

import msgspec

from prefect.exceptions import UnreadableRow
from prefect.operations.flow_runs import LEASE, enter_and_store, lock_flow_run
from prefect.operations.registry import operation
from prefect.rules.bookkeeping import enter_state
from prefect.schemas.objects import FlowRun, Holder
from prefect.schemas.states import TERMINAL_STATES, State, StateDetails, StateType
from prefect.store import statements
from prefect.store.base import Connection, Store
from prefect.store.codec import flow_run_from_row, task_run_record_from_row, task_run_row
from prefect.store.values import Row, read_time, time_text
from prefect.types import now, uuid7
from prefect.types.processes import host_id, is_running, started

__all__ = [
    "BEATS",
    "CLAIM",
    "LATE",
    "Holder",
    "crash_orphans",
    "current_holder",
    "hold_flow_run",
    "keep_leases",
    "release_flow_run",
    "renew_leases",
    "take_over_flow_run",
]

CLAIM = "claim:"
"""Stands before the host in the lease of a process that is to start a run, and does not run it itself."""
BEATS = "beats:"
"""Stands for the host in the lease of a client that tells of itself by heartbeats alone: see `heartbeats`.

In the place of the process id are the seconds that the next beat may take, in that of its start the time of
the last one.
"""
LATE = "late:"
"""Stands before the host in a lease that has run out once, until it is renewed (by `RENEW_LEASE`)."""

_log = logging.getLogger("prefect.operations")


def current_holder() -> Holder:
    """Return this process."""
    return _holder(os.getpid())


@cache
def _holder(pid: int) -> Holder:
    return Holder(host=host_id(), pid=pid, process_started=started(pid) or "")


@operation("PUT", "/flow_runs/{flow_run_id}/lease", internal=True)
def hold_flow_run(store: Store, flow_run_id: UUID, holder: Holder, expires: datetime) -> None:
    """Say which process carries out a flow run. The lease ends with the run.

    Args:
        store: The store.
        flow_run_id: The run; who holds it already gives way.
        holder: The process.
        expires: When other machines may take the process for dead, unless the lease is renewed.
    """
    row = (flow_run_id.hex, holder.host, holder.pid, holder.process_started, time_text(expires))
    with store.transaction() as connection:
        connection.run(statements.HOLD_LEASE, row)


@operation("POST", "/flow_runs/{flow_run_id}/lease/take_over", internal=True)
def take_over_flow_run(
    store: Store, flow_run_id: UUID, state_id: UUID | None, holder: Holder, expires: datetime
) -> bool:
    """Have a process carry out a flow run that another one took for it, unless it was given to others since.

    Args:
        store: The store.
        flow_run_id: The run.
        state_id: The state that the run was in when the process was started for it.
        holder: The process.
        expires: As for `hold_flow_run`.

    Returns:
        Whether the run is the process's now. One that is being cancelled is, so that the process ends it.
    """
    row = (flow_run_id.hex, holder.host, holder.pid, holder.process_started, time_text(expires))
    with store.transaction() as connection:
        rows = lock_flow_run(connection, flow_run_id.hex)
        if not rows:
            return False
        run = flow_run_from_row(rows[0])
        if run.state_id != state_id and run.state_type is not StateType.CANCELLING:
            return False
        connection.run(statements.HOLD_LEASE, row)
        return True


@operation("DELETE", "/flow_runs/{flow_run_id}/lease", internal=True)
def release_flow_run(store: Store, flow_run_id: UUID) -> None:
    """Give a lease back while the run goes on elsewhere, or later: when it is suspended, say."""
    with store.transaction() as connection:
        connection.run(statements.DROP_LEASE, (flow_run_id.hex,))


@operation("POST", "/flow_runs/leases/renew", internal=True)
def renew_leases(store: Store, flow_run_ids: Sequence[UUID], expires: datetime) -> None:
    """Put off the end of leases.

    Args:
        store: The store.
        flow_run_ids: The runs; those that have ended have no lease any more and are passed over.
        expires: The new end.
    """
    until = time_text(expires)
    # In the order of their ids, so that two who do this at once never wait for each other.
    rows = [(until, run_id) for run_id in sorted(each.hex for each in flow_run_ids)]
    with store.transaction() as connection:
        connection.run_many(statements.RENEW_LEASE, rows)


@operation("POST", "/flow_runs/leases/keep")
def keep_leases(store: Store, flow_run_ids: Sequence[UUID]) -> None:
    """Say of flow runs that the process which carries them out is alive. The interface has no such request.

    Args:
        store: The store.
        flow_run_ids: The runs; those that have ended have no lease any more and are passed over.
    """
    renew_leases(store, flow_run_ids, now() + LEASE)


@operation("POST", "/flow_runs/leases/crash_orphans", internal=True)
def crash_orphans(store: Store, now: datetime) -> list[FlowRun]:
    """Let the flow runs whose process is gone end as Crashed, and their task runs with them.

    A run that was being cancelled ends as Cancelled. One that had not begun is scheduled again, if a runner
    had taken it: another one carries it out. One that had begun is left alone where it is only the runner's
    process that is gone.

    Args:
        store: The store.
        now: The current time.

    Returns:
        The runs that ended by this. A run that had ended already, or is scheduled again, is none of them.
    """
    judge = _judge(now)
    orphans = [lease[0] for lease in store.fetch(statements.LEASES) if judge(lease)]
    ended: list[FlowRun] = []
    for run_id in orphans:
        try:
            run = _end(store, run_id, judge, now)
        except UnreadableRow as error:
            # One bad row must not keep every other run from starting.
            _log.error(
                "Flow run %s lost its process, but cannot be read and stays as it is: %s", run_id, error
            )
            with store.transaction() as connection:
                connection.run(statements.DROP_LEASE, (run_id,))
            continue
        if run is not None:
            ended.append(run)
    return ended


class _Verdict(Enum):
    """What a lease says of its process, if not that it is there."""

    LATE = 1
    """It was not heard of in time, for the first time."""
    GONE = 2


_Judge = Callable[[Row], "_Verdict | None"]


def _judge(now: datetime) -> _Judge:
    here = host_id()

    def judge(lease: Row) -> _Verdict | None:
        _, host, pid, process_started, expires = lease
        name = host.removeprefix(LATE)
        if name.removeprefix(CLAIM) == here:
            return None if is_running(pid, process_started) else _Verdict.GONE
        if read_time(expires) >= now:
            return None
        # A run that has not begun is given back at once: nothing is lost by it.
        return _Verdict.GONE if host.startswith((LATE, CLAIM)) else _Verdict.LATE

    return judge


def _end(store: Store, run_id: str, judge: _Judge, now: datetime) -> FlowRun | None:
    with store.transaction() as connection:
        # The run is locked before its lease, as `set_flow_run_state` does, so that the two never wait for
        # each other. Since the leases were read, the run may have ended or been taken up by another process.
        rows = lock_flow_run(connection, run_id)
        leases = connection.fetch(statements.LEASE_OF, (run_id,))
        verdict = judge(leases[0]) if rows and leases else None
        if verdict is None:
            return None
        _, host, pid, process_started, _ = lease = leases[0]
        if verdict is _Verdict.LATE:
            until = time_text(now + _period(lease))
            connection.run(statements.HOLD_LEASE, (run_id, f"{LATE}{host}", pid, process_started, until))
            return None
        connection.run(statements.DROP_LEASE, (run_id,))
        run = flow_run_from_row(rows[0])
        if run.state_type in TERMINAL_STATES:
            return None
        is_claim, is_told = host.startswith(CLAIM), host.removeprefix(LATE) == BEATS
        is_taken = is_claim or (run.deployment_id is not None and not is_told)
        if run.state_type is StateType.PENDING and is_taken:
            enter_and_store(connection, run, _given_back(run, now))
            return None
        if is_claim or (is_told and not _has_begun(run)):  # another process has it, or will have
            return None
        message = _message(lease)
        # A run that was being cancelled got what was asked for.
        kind = StateType.CANCELLED if run.state_type is StateType.CANCELLING else StateType.CRASHED
        enter_and_store(connection, run, State(type=kind, message=message, timestamp=now))
        _end_task_runs(connection, run_id, State(type=kind, message=message, timestamp=now))
        return run


def _period(lease: Row) -> timedelta:
    return timedelta(seconds=lease[2]) if lease[1] == BEATS else LEASE


def _has_begun(run: FlowRun) -> bool:
    return run.state_type not in (StateType.PENDING, StateType.SCHEDULED) or run.state_name == "AwaitingRetry"


def _message(lease: Row) -> str:
    _, host, pid, last, _ = lease
    host = host.removeprefix(LATE)
    if host == BEATS:
        return f"The process that carried out this run is gone: its last heartbeat was at {last}."
    return f"The process that carried out this run is gone (process {pid} on {host.partition(':')[0]})."


def _given_back(run: FlowRun, now: datetime) -> State[None]:
    due = run.state.state_details.scheduled_time if run.state is not None else None
    message = "The process that was to start this run is gone: another one takes it."
    details = StateDetails(scheduled_time=due or now)
    return State(type=StateType.SCHEDULED, message=message, timestamp=now, state_details=details)


def _end_task_runs(connection: Connection, run_id: str, state: State[None]) -> None:
    rows = connection.fetch(statements.UNFINISHED_TASK_RUNS, (run_id,))
    records = [task_run_record_from_row(row) for row in rows]
    for record in records:
        own = msgspec.structs.replace(state, id=uuid7())
        record.states.append(own)
        enter_state(record.run, own)
    connection.run_many(statements.UPSERT_TASK_RUN, [task_run_row(record) for record in records])
