"""Operations on parts of runs: the labels of flow runs, and states by their own ids."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, select, update

from prefect.exceptions import ObjectNotFound, RequestRefused
from prefect.operations.flow_runs import lock_flow_run
from prefect.operations.registry import operation
from prefect.schemas.states import State
from prefect.store.base import Store
from prefect.store.codec import flow_run_from_row, flow_run_state_from_row, task_run_states_from_row
from prefect.store.tables import flow_run_states, flow_runs, task_runs
from prefect.store.values import json_text
from prefect.types import KeyValueLabels, format_utc, now

__all__ = ["read_flow_run_state", "read_task_run_state", "update_flow_run_labels"]


@operation("PATCH", "/flow_runs/{flow_run_id}/labels")
def update_flow_run_labels(store: Store, flow_run_id: UUID, data: KeyValueLabels) -> None:
    """Give a flow run labels beside those that it has; those of the same key are replaced.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run.
        prefect.exceptions.RequestRefused: A value is neither a text, a number nor a truth value.
    """
    for key, value in data.items():
        if not isinstance(value, str | int | float | bool):
            raise RequestRefused(f"The label {key!r} must be a text, a number or a truth value.")
    with store.transaction() as connection:
        rows = lock_flow_run(connection, flow_run_id.hex)
        if not rows:
            raise ObjectNotFound(help_message=f"Flow run with id {flow_run_id} not found")
        merged = {**flow_run_from_row(rows[0]).labels, **data}
        connection.execute(
            update(flow_runs)
            .where(flow_runs.c.id == flow_run_id.hex)
            .values(labels=json_text(merged), updated=format_utc(now()))
        )


@operation("GET", "/flow_run_states/{state_id}")
def read_flow_run_state(store: Store, state_id: UUID) -> State[Any]:
    """Return a state that a flow run is or was in.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such state.
    """
    rows = store.select(select(flow_run_states).where(flow_run_states.c.id == state_id.hex))
    if not rows:
        raise ObjectNotFound(help_message="Flow run state not found")
    return flow_run_state_from_row(rows[0])


@operation("GET", "/task_run_states/{state_id}")
def read_task_run_state(store: Store, state_id: UUID) -> State[Any]:
    """Return a state that a task run is or was in.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such state.
    """
    # The states of a task run are within its row, and no index leads to them: all runs are looked through.
    holds = cast(task_runs.c.states, Text).contains(str(state_id))
    for row in store.select(select(task_runs).where(holds)):
        for state in task_run_states_from_row(row):
            if state.id == state_id:
                return state
    raise ObjectNotFound(help_message="Task run state not found")
