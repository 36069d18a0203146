"""Objects to rows and back.

The order of a row is the order of the table's columns; a test holds the two together.

This is in the path of every task, so there is no reflection here, and what is usually empty is not encoded
at all.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from prefect.schemas.base import encode_json, whole
from prefect.schemas.objects import (
    Constant,
    CreatedBy,
    Flow,
    FlowRun,
    FlowRunPolicy,
    FlowRunResult,
    Log,
    Parameter,
    TaskRun,
    TaskRunPolicy,
    TaskRunRecord,
    TaskRunResult,
)
from prefect.schemas.states import State, StateDetails, StateType
from prefect.store.reading import reads
from prefect.store.state_documents import data_to_keep, details_to_keep, follows_in, state_to_keep
from prefect.store.values import (
    Row,
    clean_text,
    hex_or_none,
    id_or_none,
    json_or_none,
    json_text,
    read_id,
    read_time,
    time_or_none,
    time_text,
)
from prefect.types import format_utc

__all__ = [
    "flow_edit_row",
    "flow_from_row",
    "flow_row",
    "flow_run_edit_row",
    "flow_run_from_row",
    "flow_run_progress_row",
    "flow_run_row",
    "flow_run_state_from_row",
    "flow_run_state_row",
    "log_from_row",
    "log_row",
    "task_run_from_row",
    "task_run_record_from_row",
    "task_run_row",
    "task_run_states_from_row",
]

_KINDS = {kind.value: kind for kind in StateType}
_NO_POLICY = TaskRunPolicy()
_NO_POLICY_TEXT = encode_json(_NO_POLICY).decode()

_read_known_id = lru_cache(maxsize=1000)(read_id)  # of what many runs have in common
_decode_any = msgspec.json.Decoder().decode
_decode_tags = msgspec.json.Decoder(list[str]).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_decode_states = msgspec.json.Decoder(whole(list[State[Any]])).decode
_decode_details = msgspec.json.Decoder(whole(StateDetails)).decode
_decode_flow_run_policy = msgspec.json.Decoder(whole(FlowRunPolicy)).decode
_decode_task_run_policy = msgspec.json.Decoder(whole(TaskRunPolicy)).decode
_decode_created_by = msgspec.json.Decoder(whole(CreatedBy)).decode
_decode_inputs = msgspec.json.Decoder(
    whole(dict[str, list[TaskRunResult | FlowRunResult | Parameter | Constant]])
).decode


def flow_row(flow: Flow) -> Row:
    """Return a flow's row."""
    created = time_text(flow.created)
    return (
        flow.id.hex,
        created,
        time_text(flow.updated) or created,
        flow.name,
        json_text(flow.tags),
        json_text(flow.labels),
    )


def flow_edit_row(flow: Flow) -> Row:
    """Return the parameters of UPDATE_FLOW."""
    return (time_text(flow.updated), json_text(flow.tags), json_text(flow.labels), flow.id.hex)


@reads("flows")
def flow_from_row(row: Row) -> Flow:
    """Return the flow that a row holds."""
    return Flow(
        id=read_id(row[0]),
        created=read_time(row[1]),
        updated=read_time(row[2]),
        name=row[3],
        tags=_decode_tags(row[4]),
        labels=_decode_object(row[5]),
    )


def flow_run_row(run: FlowRun) -> Row:
    """Return a flow run's row; its state has one of its own."""
    state = run.state
    return (
        run.id.hex,
        time_text(run.created),
        time_text(run.updated),
        run.flow_id.hex,
        clean_text(run.name),
        hex_or_none(run.state_id),
        None if run.state_type is None else run.state_type.value,
        run.state_name,
        None if state is None else format_utc(state.timestamp),
        run.run_count,
        time_text(run.expected_start_time),
        time_text(run.next_scheduled_start_time),
        time_text(run.start_time),
        time_text(run.end_time),
        run.total_run_time,
        hex_or_none(run.deployment_id),
        run.deployment_version,
        hex_or_none(run.work_queue_id),
        run.work_queue_name,
        hex_or_none(run.work_pool_id),
        run.work_pool_name,
        run.flow_version,
        json_text(run.parameters),
        run.idempotency_key,
        json_text(run.context),
        json_text(run.empirical_policy),
        json_text(run.tags),
        json_text(run.labels),
        hex_or_none(run.parent_task_run_id),
        run.auto_scheduled,
        hex_or_none(run.infrastructure_document_id),
        run.infrastructure_pid,
        json_or_none(run.created_by),
        json_or_none(run.job_variables),
    )


def flow_run_progress_row(run: FlowRun) -> Row:
    """Return the parameters of UPDATE_FLOW_RUN_PROGRESS."""
    state = run.state
    return (
        time_text(run.updated),
        hex_or_none(run.state_id),
        None if run.state_type is None else run.state_type.value,
        run.state_name,
        None if state is None else format_utc(state.timestamp),
        run.run_count,
        time_text(run.expected_start_time),
        time_text(run.next_scheduled_start_time),
        time_text(run.start_time),
        time_text(run.end_time),
        run.total_run_time,
        json_text(run.empirical_policy),
        run.id.hex,
    )


def flow_run_edit_row(run: FlowRun) -> Row:
    """Return the parameters of UPDATE_FLOW_RUN."""
    return (
        time_text(run.updated),
        clean_text(run.name),
        run.flow_version,
        json_text(run.parameters),
        json_text(run.empirical_policy),
        json_text(run.tags),
        run.infrastructure_pid,
        json_or_none(run.job_variables),
        run.id.hex,
    )


@reads("flow_runs")
def flow_run_from_row(row: Row) -> FlowRun:
    """Return the flow run that a row of it and its state holds."""
    run_id = read_id(row[0])
    return FlowRun(
        id=run_id,
        created=read_time(row[1]),
        updated=read_time(row[2]),
        flow_id=_read_known_id(row[3]),
        name=row[4],
        state_id=id_or_none(row[5]),
        state_type=None if row[6] is None else _KINDS[row[6]],
        state_name=row[7],
        run_count=row[9],
        expected_start_time=time_or_none(row[10]),
        next_scheduled_start_time=time_or_none(row[11]),
        start_time=time_or_none(row[12]),
        end_time=time_or_none(row[13]),
        total_run_time=row[14],
        deployment_id=None if row[15] is None else _read_known_id(row[15]),
        deployment_version=row[16],
        work_queue_id=None if row[17] is None else _read_known_id(row[17]),
        work_queue_name=row[18],
        work_pool_id=None if row[19] is None else _read_known_id(row[19]),
        work_pool_name=row[20],
        flow_version=row[21],
        parameters=_decode_object(row[22]),
        idempotency_key=row[23],
        context=_decode_object(row[24]),
        empirical_policy=_decode_flow_run_policy(row[25]),
        tags=_decode_tags(row[26]),
        labels=_decode_object(row[27]),
        parent_task_run_id=id_or_none(row[28]),
        auto_scheduled=bool(row[29]),
        infrastructure_document_id=id_or_none(row[30]),
        infrastructure_pid=row[31],
        created_by=None if row[32] is None else _decode_created_by(row[32]),
        job_variables=None if row[33] is None else _decode_object(row[33]),
        state=None if row[8] is None else _state(run_id, (*row[5:9], *row[34:37])),
    )


def flow_run_state_row(run_id: UUID, state: State[Any]) -> Row:
    """Return the row of a flow run's state."""
    return (
        state.id.hex,
        run_id.hex,
        state.type.value,
        state.name,
        None if state.message is None else clean_text(state.message),
        format_utc(state.timestamp),
        None if state.data is None else json_or_none(data_to_keep(state.data)),
        json_text(details_to_keep(state.state_details)),
    )


@reads("flow_run_states")
def flow_run_state_from_row(row: Row) -> State[Any]:
    """Return the state that a row of `flow_run_states` holds."""
    return _state(read_id(row[1]), (row[0], row[2], row[3], row[5], row[4], row[6], row[7]))


def _state(run_id: UUID, row: Row) -> State[Any]:
    state_id, kind, name, at, message, data, details = row
    return State(
        id=read_id(state_id),
        type=_KINDS[kind],
        name=name,
        message=message,
        timestamp=read_time(at),
        data=None if data is None else _decode_any(data),
        state_details=_details(run_id, details),
    )


def _details(run_id: UUID, text: str) -> StateDetails:
    if text == "{}":
        # Most say nothing.
        return StateDetails(flow_run_id=run_id)
    return msgspec.structs.replace(_decode_details(text), flow_run_id=run_id)


def task_run_row(record: TaskRunRecord) -> Row:
    """Return the one row that holds a task run and its history."""
    run, states, follows = record.run, record.states, record.follows
    last = states[-1] if states else None
    at = format_utc(last.timestamp) if last is not None else None
    flow_run_id, start, end, expected = run.flow_run_id, run.start_time, run.end_time, run.expected_start_time
    policy = run.empirical_policy
    created = run.created or (states[0].timestamp if states else run.expected_start_time)
    made = format_utc(created) if created is not None else at
    return (
        run.id.hex,
        made,
        at or made,
        None if flow_run_id is None else flow_run_id.hex,
        clean_text(run.name),
        run.task_key,
        run.dynamic_key,
        run.cache_key,
        time_text(run.cache_expiration),
        run.task_version,
        _NO_POLICY_TEXT if policy == _NO_POLICY else json_text(policy),
        json_text(run.tags) if run.tags else "[]",
        json_text(run.labels) if run.labels else "{}",
        json_text(run.task_inputs) if run.task_inputs else "{}",
        run.run_count,
        run.flow_run_run_count,
        made if expected is created else time_text(expected),
        time_text(run.next_scheduled_start_time),
        None if start is None else format_utc(start),
        at if last is not None and end is last.timestamp else time_text(end),
        run.total_run_time,
        None if last is None else last.id.hex,
        None if last is None else last.type.value,
        None if last is None else last.name,
        at,
        len(states),
        json_text(
            [state_to_keep(state, follows.get(state.id)) for state in states]
            if follows
            else [state_to_keep(state) for state in states]
        ),
    )


@reads("task_runs")
def task_run_states_from_row(row: Row) -> list[State[Any]]:
    """Return the history that a row of `task_runs` holds, oldest first."""
    states = _decode_states(row[26])
    run_id, flow_run_id = read_id(row[0]), id_or_none(row[3])
    for state in states:
        state.state_details = msgspec.structs.replace(
            state.state_details, task_run_id=run_id, flow_run_id=flow_run_id
        )
    return states


def task_run_from_row(row: Row) -> TaskRun:
    """Return the task run that a row holds."""
    return task_run_record_from_row(row).run


@reads("task_runs")
def task_run_record_from_row(row: Row) -> TaskRunRecord:
    """Return the task run that a row holds, with its history."""
    states = task_run_states_from_row(row)
    run = TaskRun(
        id=read_id(row[0]),
        created=read_time(row[1]),
        updated=read_time(row[2]),
        flow_run_id=id_or_none(row[3]),
        name=row[4],
        task_key=row[5],
        dynamic_key=row[6],
        cache_key=row[7],
        cache_expiration=time_or_none(row[8]),
        task_version=row[9],
        empirical_policy=_decode_task_run_policy(row[10]),
        tags=_decode_tags(row[11]),
        labels=_decode_object(row[12]),
        task_inputs=_decode_inputs(row[13]),
        run_count=row[14],
        flow_run_run_count=row[15],
        expected_start_time=time_or_none(row[16]),
        next_scheduled_start_time=time_or_none(row[17]),
        start_time=time_or_none(row[18]),
        end_time=time_or_none(row[19]),
        total_run_time=row[20],
        state_id=id_or_none(row[21]),
        state_type=None if row[22] is None else _KINDS[row[22]],
        state_name=row[23],
        state=states[-1] if states else None,
    )
    return TaskRunRecord(run=run, states=states, follows=follows_in(row[26]))


def log_row(log: Log) -> Row:
    """Return a log record's row."""
    at = format_utc(log.timestamp)
    flow_run_id, task_run_id = log.flow_run_id, log.task_run_id
    return (
        log.id.hex,
        at if log.created is None else format_utc(log.created),
        clean_text(log.name),
        log.level,
        clean_text(log.message),
        at,
        None if flow_run_id is None else flow_run_id.hex,
        None if task_run_id is None else task_run_id.hex,
    )


@reads("logs")
def log_from_row(row: Row) -> Log:
    """Return the log record that a row holds."""
    created = read_time(row[1])
    return Log(
        id=read_id(row[0]),
        created=created,
        updated=created,
        name=row[2],
        level=row[3],
        message=row[4],
        timestamp=read_time(row[5]),
        flow_run_id=id_or_none(row[6]),
        task_run_id=id_or_none(row[7]),
    )
