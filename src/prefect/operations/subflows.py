"""Task runs that stand for subflows: what happens to the flow run is written down of its task run too."""

from __future__ import annotations

import msgspec

from prefect.rules.bookkeeping import enter_state
from prefect.schemas.objects import FlowRun
from prefect.store import statements
from prefect.store.base import Connection
from prefect.store.codec import task_run_record_from_row, task_run_row
from prefect.types import uuid7

__all__ = ["FLOW_ID_LABEL", "FLOW_RUN_ID_LABEL", "mirror_state"]

FLOW_ID_LABEL = "prefect.flow.id"
FLOW_RUN_ID_LABEL = "prefect.flow-run.id"
"""What `create_task_run` marks its runs with. Task runs without it write down their states themselves."""


def mirror_state(connection: Connection, run: FlowRun) -> None:
    """Let the task run that stands for a flow run enter the flow run's state, if it does not do so itself.

    Args:
        connection: A connection that may write.
        run: The flow run, in its new state.
    """
    if run.parent_task_run_id is None or run.state is None:
        return
    rows = connection.fetch(statements.TASK_RUN_TO_CHANGE, (run.parent_task_run_id.hex,))
    record = task_run_record_from_row(rows[0]) if rows else None
    if record is None or FLOW_RUN_ID_LABEL not in record.run.labels:
        return
    details = msgspec.structs.replace(
        run.state.state_details,
        child_flow_run_id=run.id,
        task_run_id=record.run.id,
        flow_run_id=record.run.flow_run_id,
    )
    state = msgspec.structs.replace(run.state, id=uuid7(), state_details=details)
    enter_state(record.run, state)
    record.states.append(state)
    connection.write(statements.UPSERT_TASK_RUN, task_run_row(record))
