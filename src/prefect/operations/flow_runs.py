"""Operations on flow runs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any
from uuid import UUID

import msgspec

from prefect.exceptions import ChangeRefused, ObjectNotFound, StoreConflict
from prefect.operations.listings import known_flow_run_count, known_flow_runs
from prefect.operations.registry import operation
from prefect.operations.subflows import FLOW_ID_LABEL, mirror_state
from prefect.rules.bookkeeping import enter_state, estimate
from prefect.rules.decision import Decision, Transition
from prefect.rules.names import random_name
from prefect.rules.transitions import decide_flow_run
from prefect.schemas.actions import FlowRunCreate, FlowRunResume, FlowRunUpdate
from prefect.schemas.base import encode_json
from prefect.schemas.objects import FlowRun, Holder
from prefect.schemas.queries import FlowRunQuery
from prefect.schemas.responses import (
    OrchestrationResult,
    SetStateStatus,
    StateAbortDetails,
)
from prefect.schemas.states import NO_DETAILS, State, StateType
from prefect.store import statements
from prefect.store.base import Connection, Store
from prefect.store.codec import (
    flow_run_edit_row,
    flow_run_from_row,
    flow_run_progress_row,
    flow_run_row,
    flow_run_state_from_row,
    flow_run_state_row,
)
from prefect.store.values import Row, time_text
from prefect.types import now, uuid7

__all__ = [
    "LEASE",
    "add_flow_run",
    "call_runs",
    "count_flow_runs",
    "create_flow_run",
    "delete_flow_run",
    "enter_and_store",
    "lock_flow_run",
    "propose_state",
    "read_flow_run",
    "read_flow_run_states",
    "read_flow_runs",
    "resume_flow_run",
    "send_to",
    "set_flow_run_state",
    "update_flow_run",
]

LEASE = timedelta(seconds=60)
"""How long the lease of a process on a flow run holds unless it is renewed; see `leases`."""
MOST_TEXT = 4096
"""How much text a run may have that is kept as it is sent: together they take some megabytes, and no more."""
_STATE_ID, _STATE_TIME, _STARTED, _ENDED = 5, 8, 12, 13
"""Where a row of a flow run has its state's id, the time that the state itself tells, and the run's times."""
_texts_of = itemgetter(4, 7, 16, 18, 20, 21, 22, 23, 24, 25, 26, 27, 31, 32, 33, 34, 35, 36)
"""Gives what may be long in a row of a flow run."""

_SOMEBODY_ELSES = (
    "This run has another state by now: it was given to another process, or somebody changed it."
)


@operation("POST", "/flow_runs/", creates=True)
def create_flow_run(store: Store, data: FlowRunCreate) -> FlowRun:
    """Make a flow run, with its first state.

    Args:
        store: The store.
        data: The run. Where a run of its id, or of its flow and idempotency key, is there already, that one
            is returned.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such flow, or no such work pool.
    """
    at = now()
    run = FlowRun(
        id=data.id or uuid7(),
        created=at,
        updated=at,
        flow_id=data.flow_id,
        name=data.name or random_name(),
        flow_version=data.flow_version,
        parameters=data.parameters,
        context=data.context,
        parent_task_run_id=data.parent_task_run_id,
        infrastructure_document_id=data.infrastructure_document_id,
        empirical_policy=data.empirical_policy,
        tags=data.tags,
        labels={**(data.labels or {}), FLOW_ID_LABEL: str(data.flow_id)},
        idempotency_key=data.idempotency_key,
        work_queue_name=data.work_queue_name,
        job_variables=data.job_variables,
        deployment_id=data.deployment_id,
    )
    try:
        with store.transaction() as connection:
            if data.work_pool_name is not None:
                send_to(connection, run, data.work_pool_name, data.work_queue_name)
            return add_flow_run(connection, run, data.state)
    except StoreConflict as error:
        raise ObjectNotFound(error, f"Flow with id {data.flow_id} not found") from error


def send_to(connection: Connection, run: FlowRun, pool: str | None, queue: str | None) -> None:
    """Have a flow run wait in a queue of a work pool.

    Args:
        connection: A connection that may write.
        run: The run, which is not written here.
        pool: The name of the pool; None: the default one.
        queue: The name of the queue; None: the pool's default.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool.
    """
    from prefect.store.queues import find_queue  # noqa: PLC0415 - SQLAlchemy

    run.work_queue_id, run.work_queue_name, run.work_pool_id, run.work_pool_name = find_queue(
        connection, pool, queue
    )


def add_flow_run(connection: Connection, run: FlowRun, state: State[Any] | None) -> FlowRun:
    """Write a new flow run with its first state.

    Args:
        connection: A connection that may write.
        run: The run.
        state: Its first state; None: Pending.

    Returns:
        The run; where one of its id, or of its flow and idempotency key, is there already, that one.

    Raises:
        prefect.exceptions.StoreConflict: There is no such flow.
    """
    assert run.created is not None
    first = _first_state(run.id, state, run.created)
    enter_state(run, first)
    if not connection.run(statements.INSERT_FLOW_RUN, flow_run_row(run)):
        return _already_there(connection, run)
    connection.write(statements.INSERT_FLOW_RUN_STATE, flow_run_state_row(run.id, first))
    mirror_state(connection, run)
    _tell(connection, run, None)
    return run


def _first_state(run_id: UUID, given: State[Any] | None, at: datetime) -> State[Any]:
    if given is None:
        given = State(type=StateType.PENDING, timestamp=at)
    details = msgspec.structs.replace(given.state_details, flow_run_id=run_id)
    if given.type is StateType.SCHEDULED and details.scheduled_time is None:
        details = msgspec.structs.replace(details, scheduled_time=at)
    return msgspec.structs.replace(given, state_details=details)


def _already_there(connection: Connection, run: FlowRun) -> FlowRun:
    rows = connection.fetch(statements.FLOW_RUN_BY_ID, (run.id.hex,))
    if not rows and run.idempotency_key is not None:
        rows = connection.fetch(statements.FLOW_RUN_BY_KEY, (run.flow_id.hex, run.idempotency_key))
    return flow_run_from_row(rows[0])


@operation("GET", "/flow_runs/{flow_run_id}")
def read_flow_run(store: Store, flow_run_id: UUID) -> FlowRun:
    """Return a flow run.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run.
    """
    run = _only(store.fetch(statements.FLOW_RUN_BY_ID, (flow_run_id.hex,)), flow_run_id)
    estimate(run, now())
    return run


@lru_cache(maxsize=500)
def _send_ended(row: Row) -> msgspec.Raw:
    return msgspec.Raw(encode_json(_read_flow_run(row, now())))


def _send_flow_runs(store: Store, query: FlowRunQuery) -> list[Any]:
    """Return what encodes like flow runs.

    People look at the same list again and again. A run that has ended says the same until its row does not.
    """
    at = now()
    return [_send_ended(row) if _is_kept(row) else _read_flow_run(row, at) for row in _rows_of(store, query)]


def _is_kept(row: Row) -> bool:
    has_ended = row[_ENDED] is not None and row[_STARTED] is not None
    return has_ended and len("".join(filter(None, _texts_of(row)))) <= MOST_TEXT


@operation("POST", "/flow_runs/filter", to_send=_send_flow_runs)
def read_flow_runs(store: Store, query: FlowRunQuery) -> list[FlowRun]:
    """Return the flow runs that a query is about."""
    at = now()
    return [_read_flow_run(row, at) for row in _rows_of(store, query)]


def _rows_of(store: Store, query: FlowRunQuery) -> list[Row]:
    if known := known_flow_runs(query):
        return store.fetch(*known)
    from prefect.store.queries import select_flow_runs  # noqa: PLC0415 - SQLAlchemy

    return store.select(select_flow_runs(query))


def _read_flow_run(row: Row, at: datetime) -> FlowRun:
    run = flow_run_from_row(row)
    estimate(run, at)
    return run


@operation("POST", "/flow_runs/count")
def count_flow_runs(store: Store, query: FlowRunQuery) -> int:
    """Return how many flow runs a query is about, whatever its window."""
    if known := known_flow_run_count(query):
        return int(store.fetch(*known)[0][0])
    from prefect.store import queries  # noqa: PLC0415 - SQLAlchemy

    return int(store.select(queries.count_flow_runs(query))[0][0])


@operation("GET", "/flow_run_states/")
def read_flow_run_states(store: Store, flow_run_id: UUID) -> list[State[Any]]:
    """Return all states that a flow run was in, oldest first; none where there is no such run."""
    return [
        flow_run_state_from_row(row) for row in store.fetch(statements.FLOW_RUN_STATES, (flow_run_id.hex,))
    ]


@operation("DELETE", "/flow_runs/{flow_run_id}")
def delete_flow_run(store: Store, flow_run_id: UUID) -> None:
    """Delete a flow run with its states, task runs and logs.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run.
    """
    from prefect.store.deletions import flow_run_deletions  # noqa: PLC0415 - SQLAlchemy

    with store.transaction() as connection:
        if not [connection.execute(deletion) for deletion in flow_run_deletions(flow_run_id)][-1]:
            raise _not_found(flow_run_id)


@operation("PATCH", "/flow_runs/{flow_run_id}")
def update_flow_run(store: Store, flow_run_id: UUID, data: FlowRunUpdate) -> None:
    """Change what is set in `data` of a flow run.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run.
        prefect.exceptions.ChangeRefused: Its job is made already, or it is of no deployment.
        prefect.exceptions.RequestRefused: The job variables do not fit its deployment's work pool.
    """
    changes = {
        name: value for name in data.__struct_fields__ if (value := getattr(data, name)) is not msgspec.UNSET
    }
    if changes.get("name", "") is None:
        del changes["name"]
    values = changes.get("job_variables")
    if values is not None:
        _check_job_variables(store, flow_run_id, values)
    with store.transaction() as connection:
        run = _to_change(connection, flow_run_id)
        if values is not None:
            _check_job_is_open(run)
        run = msgspec.structs.replace(run, updated=now(), **changes)
        connection.write(statements.UPDATE_FLOW_RUN, flow_run_edit_row(run))


def _check_job_variables(store: Store, flow_run_id: UUID, values: dict[str, Any]) -> None:
    from prefect.operations.job_variables import check_changed_run  # noqa: PLC0415 - SQLAlchemy

    run = read_flow_run(store, flow_run_id)
    _check_job_is_open(run)
    check_changed_run(store, run, values)


def _check_job_is_open(run: FlowRun) -> None:
    if run.state_type is not StateType.SCHEDULED:
        state = StateType.PENDING if run.state_type is None else run.state_type
        raise ChangeRefused(f"Job variables for a flow run in state {state.value} cannot be updated")
    if run.deployment_id is None:
        raise ChangeRefused("A deployment for the flow run could not be found")


@operation("POST", "/flow_runs/{flow_run_id}/set_state", creates=True)
def set_flow_run_state(
    store: Store,
    flow_run_id: UUID,
    state: State[Any],
    force: bool = False,
    only_from: UUID | None = None,
    holder: Holder | None = None,
) -> OrchestrationResult:
    """Propose a state for a flow run; the rules decide what becomes of it.

    Args:
        store: The store.
        flow_run_id: The run.
        state: The state that the run is to enter.
        force: Enter it even where the rules would not have it.
        only_from: The id of the state that the run must have until then: in another one it is somebody
            else's by now, and stays as it is.
        holder: The process that carries out the run, for which it takes the lease as the run begins.

    Returns:
        What was decided, with the state that the run has now.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run.
    """
    with store.transaction() as connection:
        answer = propose_state(connection, flow_run_id, state, force, only_from)
        if holder is not None and answer.status is SetStateStatus.ACCEPT and state.is_running():
            until = time_text(now() + LEASE)
            row = (flow_run_id.hex, holder.host, holder.pid, holder.process_started, until)
            connection.write(statements.HOLD_LEASE, row)
        return answer


def propose_state(
    connection: Connection,
    flow_run_id: UUID,
    state: State[Any],
    force: bool = False,
    only_from: UUID | None = None,
) -> OrchestrationResult:
    """Propose a state for a flow run over a connection that may write; see `set_flow_run_state`."""
    run = _to_change(connection, flow_run_id)
    at = now()
    decision = decide_flow_run(run.state, state, run, now=at, force=force)
    if only_from not in (None, run.state_id) and decision.status is SetStateStatus.ACCEPT:
        decision = Decision(status=SetStateStatus.ABORT, reason=_SOMEBODY_ELSES)
    if decision.status is SetStateStatus.ACCEPT and not force:
        decision = _with_slot(connection, run, decision, at)
    if decision.state is not None:
        if decision.policy is not None:
            run.empirical_policy = decision.policy
        if decision.run_count is not None:
            run.run_count = decision.run_count
        enter_and_store(connection, run, decision.state)
    return decision.answer(run.state)


@operation("POST", "/flow_runs/{flow_run_id}/resume", creates=True)
def resume_flow_run(store: Store, flow_run_id: UUID, data: FlowRunResume) -> OrchestrationResult:
    """Let a paused flow run go on; one that was suspended is scheduled anew.

    Args:
        store: The store.
        flow_run_id: The run.
        data: What it is resumed with, for a run that waits for an input.

    Returns:
        What was decided; ABORT for a run that is not paused, REJECT where the input is not what it waits for.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run.
    """
    paused = read_flow_run(store, flow_run_id).state
    if paused is None or paused.type is not StateType.PAUSED:
        return _not_resumed(SetStateStatus.ABORT, None, "Cannot resume a flow run that is not paused.")
    keyset = paused.state_details.run_input_keyset
    if keyset is not None:
        from prefect.operations.flow_run_inputs import answer_pause  # noqa: PLC0415 - only with inputs

        # Kept before the run goes on, because it then looks for it.
        problem = answer_pause(store, flow_run_id, keyset, data.run_input or {})
        if problem is not None:
            return _not_resumed(SetStateStatus.REJECT, paused, problem)
    if paused.state_details.pause_reschedule:
        details = msgspec.structs.replace(NO_DETAILS, scheduled_time=now())
        resumed: State[Any] = State(type=StateType.SCHEDULED, name="Resuming", state_details=details)
    else:
        resumed = State(type=StateType.RUNNING)
    answer = set_flow_run_state(store, flow_run_id, resumed)
    if keyset is not None and answer.status is not SetStateStatus.ACCEPT:
        from prefect.operations.flow_run_inputs import forget_input  # noqa: PLC0415 - only with inputs

        forget_input(store, flow_run_id, keyset["response"])
    return answer


def _not_resumed(status: SetStateStatus, state: State[Any] | None, reason: str) -> OrchestrationResult:
    return OrchestrationResult(state=state, status=status, details=StateAbortDetails(reason=reason))


def enter_and_store(connection: Connection, run: FlowRun, state: State[Any]) -> None:
    """Make a state a flow run's current one and write both.

    A run that has ended gives its lease back, and so does one that is suspended: it is nobody's then.

    Args:
        connection: A connection that may write.
        run: The run as it is now; it is changed.
        state: The state that it enters.
    """
    if state.state_details.flow_run_id is None:
        details = msgspec.structs.replace(state.state_details, flow_run_id=run.id)
        state = msgspec.structs.replace(state, state_details=details)
    left = run.state
    had_slot = left is not None and left.state_details.deployment_concurrency_lease_id is not None
    if left is not None and had_slot:
        from prefect.operations.slots import keep_deployment_slot  # noqa: PLC0415 - SQLAlchemy

        state = keep_deployment_slot(connection, left, state, now())
    enter_state(run, state)
    run.updated = now()
    connection.write(statements.INSERT_FLOW_RUN_STATE, flow_run_state_row(run.id, state))
    connection.write(statements.UPDATE_FLOW_RUN_PROGRESS, flow_run_progress_row(run))
    mirror_state(connection, run)
    _tell(connection, run, left)
    if run.end_time is not None or (state.is_paused() and state.state_details.pause_reschedule):
        connection.write(statements.DROP_LEASE, (run.id.hex,))
    has_slot = state.state_details.deployment_concurrency_lease_id is not None
    if had_slot and not has_slot and run.deployment_id is not None:
        from prefect.operations.slots import next_in_line  # noqa: PLC0415 - SQLAlchemy

        call_runs(connection, next_in_line(connection, run.deployment_id, now()))


def call_runs(connection: Connection, run_ids: Iterable[UUID]) -> None:
    """Let runs that waited for a slot be due at once.

    Args:
        connection: A connection that may write.
        run_ids: The runs, locked.
    """
    from prefect.rules.slot_rules import call  # noqa: PLC0415 - only where there are limits

    for run_id in run_ids:
        run = _to_change(connection, run_id)
        enter_and_store(connection, run, call(run, now()))


def _tell(connection: Connection, run: FlowRun, before: State[Any] | None) -> None:
    if connection.keeps_events:
        from prefect.operations.flow_run_events import tell_flow_runs  # noqa: PLC0415 - for servers only

        tell_flow_runs(connection, [(run, before)])


def _with_slot(connection: Connection, run: FlowRun, decision: Decision, at: datetime) -> Decision:
    """Have a run that is given to a worker keep to the limits of its pool, and take its deployment's slot."""
    state = decision.state
    if state is None or state.type is not StateType.PENDING:
        return decision
    if run.deployment_id is None and run.work_pool_id is None:
        return decision
    from prefect.operations.slots import (  # noqa: PLC0415 - SQLAlchemy
        refuse_where_pool_is_full,
        take_deployment_slot,
    )

    transition = Transition(run.state, state, run, at)
    refusal = refuse_where_pool_is_full(connection, transition)
    refusal = refusal or take_deployment_slot(connection, transition)
    return refusal or msgspec.structs.replace(decision, state=transition.proposed)


def lock_flow_run(connection: Connection, run_id: str) -> list[Row]:
    """Return the row of a flow run that is to be changed, with its state; nobody else changes it meanwhile.

    Args:
        connection: A connection that may write.
        run_id: The run's id, as 32 digits.

    Returns:
        The row; none where there is no such run.
    """
    rows = connection.fetch(statements.FLOW_RUN_TO_CHANGE, (run_id,))
    if rows and rows[0][_STATE_ID] is not None and rows[0][_STATE_TIME] is None:
        # PostgreSQL waited for somebody else to change the run. It gives the run as it is then, but of its
        # states only those from before: the one that it entered meanwhile is missing.
        rows = connection.fetch(statements.FLOW_RUN_TO_CHANGE, (run_id,))
    return rows


def _to_change(connection: Connection, flow_run_id: UUID) -> FlowRun:
    return _only(lock_flow_run(connection, flow_run_id.hex), flow_run_id)


def _only(rows: list[tuple[Any, ...]], flow_run_id: UUID) -> FlowRun:
    if not rows:
        raise _not_found(flow_run_id)
    return flow_run_from_row(rows[0])


def _not_found(flow_run_id: UUID) -> ObjectNotFound:
    return ObjectNotFound(help_message=f"Flow run with id {flow_run_id} not found")
