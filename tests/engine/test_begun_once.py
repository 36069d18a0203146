"""On a server that knows no claims, one of all processes that are started for a run runs it."""

from __future__ import annotations

import msgspec
import pytest

from prefect import flow
from prefect.client.current import get_caller
from prefect.engine.entry import carry_out_flow_run
from prefect.exceptions import Abort
from prefect.operations.flow_run_details import update_flow_run_labels
from prefect.operations.flow_runs import (
    create_flow_run,
    read_flow_run,
    set_flow_run_state,
)
from prefect.operations.flows import create_flow
from prefect.rules.beginning import BEGINS_ONCE
from prefect.schemas.actions import FlowCreate, FlowRunCreate
from prefect.schemas.objects import FlowRun
from prefect.schemas.snapshots import FlowRunSnapshot
from prefect.schemas.states import State, StateType
from recorded import history_of

calls: list[int] = []


@flow(name="begun once")
def begun() -> int:
    calls.append(1)
    return 1


@pytest.fixture
def taken() -> FlowRun:
    """A run that a worker took, as processes that are started for it read it."""
    calls.clear()
    call = get_caller().call
    flow_id = call(create_flow, FlowCreate(name="begun once")).id
    data = FlowRunCreate(flow_id=flow_id, state=State(type=StateType.SCHEDULED))
    run_id = call(create_flow_run, data).id
    call(update_flow_run_labels, run_id, {BEGINS_ONCE: True})
    call(set_flow_run_state, run_id, State(type=StateType.PENDING, name="Submitting"))
    return call(read_flow_run, run_id)


def carry_out(run: FlowRun) -> None:
    carry_out_flow_run(begun, msgspec.structs.replace(run), FlowRunSnapshot(id=str(run.id)))


def test_a_process_that_comes_late_leaves_the_run(taken: FlowRun) -> None:
    carry_out(taken)
    with pytest.raises(Abort, match="it is not run here"):
        carry_out(taken)
    assert len(calls) == 1
    assert history_of(get_caller().call(read_flow_run, taken.id)) == [
        "Scheduled",
        "Submitting",
        "Starting",
        "Running",
        "Completed",
    ]


def test_a_process_that_was_overtaken_after_it_looked_puts_the_end_back(taken: FlowRun) -> None:
    carry_out(taken)
    done = get_caller().call(read_flow_run, taken.id)
    assert taken.state is not None
    # All that it reads of the run before it proposes is as if nobody had begun it.
    state = taken.state.model_copy(update={"id": done.state_id})
    looked = msgspec.structs.replace(taken, state=state, state_id=done.state_id)
    with pytest.raises(Abort, match="was run by another process"):
        carry_out(looked)
    assert len(calls) == 1
    found = get_caller().call(read_flow_run, taken.id)
    assert found.state_name == "Completed"
    assert found.run_count == 1
