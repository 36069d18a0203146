"""One of many processes that write to one database: `many_writers.py URL NUMBER WRITES`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from prefect.client.local import get_local_client
from prefect.operations import create_flow, create_flow_run, create_logs, record_task_runs, set_flow_run_state
from prefect.rules.bookkeeping import enter_state
from prefect.schemas.actions import FlowCreate, FlowRunCreate
from prefect.schemas.objects import Log, TaskRun, TaskRunRecord
from prefect.schemas.states import State, StateType


def main(url: str, number: int, writes: int) -> None:
    client = get_local_client(url)
    flow = client.call(create_flow, FlowCreate(name="shared"))
    run = client.call(create_flow_run, FlowRunCreate(flow_id=flow.id, name=f"run-{number}"))
    client.call(set_flow_run_state, run.id, State(type=StateType.RUNNING))
    for item in range(writes // 2):
        task_run = TaskRun(task_key="t", dynamic_key=str(item), name=f"t-{item}", flow_run_id=run.id)
        done: State[None] = State(type=StateType.COMPLETED)
        enter_state(task_run, done)
        client.call(record_task_runs, [TaskRunRecord(run=task_run, states=[done])])
        log = Log(
            name="l", level=20, message=f"{number}-{item}", timestamp=datetime.now(UTC), flow_run_id=run.id
        )
        client.call(create_logs, [log])
    client.call(set_flow_run_state, run.id, State(type=StateType.COMPLETED))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
