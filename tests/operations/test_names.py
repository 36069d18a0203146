"""Names by id, many at once."""

from __future__ import annotations

from makers import make_flow_run, make_task_run

from prefect.operations.names import read_flow_names, read_task_run_names
from prefect.store.base import Store
from prefect.types import uuid7


def test_names_are_found_by_id(store: Store) -> None:
    runs = [make_flow_run(store, flow=f"flow-{i}") for i in range(3)]
    tasks = [make_task_run(store, name=f"task-{i}") for i in range(3)]

    flow_names = read_flow_names(store, {run.flow_id for run in runs[:2]})
    task_names = read_task_run_names(store, [tasks[2].id, uuid7()])

    assert flow_names == {runs[0].flow_id: "flow-0", runs[1].flow_id: "flow-1"}
    assert task_names == {tasks[2].id: "task-2"}
    assert read_task_run_names(store, []) == {}
    assert len(read_task_run_names(store, [uuid7() for _ in range(70_000)])) == 0
