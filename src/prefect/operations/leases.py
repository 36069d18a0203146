"""Leases: which process carries out which flow run.

Thanks to them a run whose process is gone does not stay Running for ever.

On the same machine the process itself is the proof: it is there, or it is not, however long it was too busy
to say so. Of another machine only the lease's time is known.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from uuid import UUID

import msgspec

from prefect.exceptions import UnreadableRow
from prefect.operations.flow_runs import enter_and_store, lock_flow_run
from prefect.operations.registry import operation
from prefect.rules.bookkeeping import enter_state
from prefect.schemas.base import Schema
from prefect.schemas.objects import FlowRun
from prefect.schemas.states import TERMINAL_STATES, State, StateDetails, StateType
from prefect.store import statements
from prefect.store.base import Connection, Store
from prefect.store.codec import flow_run_from_row, task_run_record_from_row, task_run_row
from prefect.store.values import Row, read_time, time_text
from prefect.types import uuid7
from prefect.types.processes import host_id, is_running, started

__all__ = [
    "CLAIM",
    "Holder",
    "crash_orphans",
    "current_holder",
    "hold_flow_run",
    "release_flow_run",
    "renew_leases",
    "take_over_flow_run",
]

CLAIM = "claim:"
"""Stands before the host in the lease of a process that is to start a run, and does not run it itself."""

_log = logging.getLogger("prefect.operations")


class Holder(Schema):
    """The process that carries out a flow run."""

    host: str
    """See `prefect.types.processes.host_id`."""
    pid: int
    process_started: str
    """See `prefect.types.processes.started`."""


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
    with store.transaction() as connection:
        connection.run_many(statements.RENEW_LEASE, [(until, run_id.hex) for run_id in flow_run_ids])


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
    is_gone = _judge(now)
    orphans = [lease[0] for lease in store.fetch(statements.LEASES) if is_gone(lease)]
    ended: list[FlowRun] = []
    for run_id in orphans:
        try:
            run = _end(store, run_id, is_gone, now)
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


def _judge(now: datetime) -> Callable[[Row], bool]:
    here = host_id()

    def is_gone(lease: Row) -> bool:
        _, host, pid, process_started, expires = lease
        if host.removeprefix(CLAIM) == here:
            return not is_running(pid, process_started)
        return read_time(expires) < now

    return is_gone


def _end(store: Store, run_id: str, is_gone: Callable[[Row], bool], now: datetime) -> FlowRun | None:
    with store.transaction() as connection:
        # The run is locked before its lease, as `set_flow_run_state` does, so that the two never wait for
        # each other. Since the leases were read, the run may have ended or been taken up by another process.
        rows = lock_flow_run(connection, run_id)
        leases = connection.fetch(statements.LEASE_OF, (run_id,))
        if not rows or not leases or not is_gone(leases[0]):
            return None
        connection.run(statements.DROP_LEASE, (run_id,))
        run = flow_run_from_row(rows[0])
        if run.state_type in TERMINAL_STATES:
            return None
        _, host, pid, *_ = leases[0]
        is_claim = host.startswith(CLAIM)
        if run.state_type is StateType.PENDING and (is_claim or run.deployment_id is not None):
            enter_and_store(connection, run, _given_back(run, now))
            return None
        if is_claim:  # it had been started
            return None
        message = (
            f"The process that carried out this run is gone (process {pid} on {host.partition(':')[0]})."
        )
        # A run that was being cancelled got what was asked for.
        kind = StateType.CANCELLED if run.state_type is StateType.CANCELLING else StateType.CRASHED
        enter_and_store(connection, run, State(type=kind, message=message, timestamp=now))
        _end_task_runs(connection, run_id, State(type=kind, message=message, timestamp=now))
        return run


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
