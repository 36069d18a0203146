from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from prefect.rules.bookkeeping import enter_state
from prefect.rules.events_of_runs import events_of, heartbeat_of, place_of
from prefect.rules.task_run_events import change_of, merge
from prefect.schemas.events import Event
from prefect.schemas.objects import FlowRun, TaskRun, TaskRunRecord
from prefect.schemas.results import ResultRecord, ResultRecordMetadata
from prefect.schemas.states import State, StateDetails, StateType
from prefect.store.values import json_text
from prefect.types import now

KINDS = st.sampled_from(
    [StateType.PENDING, StateType.RUNNING, StateType.SCHEDULED, StateType.COMPLETED, StateType.FAILED]
)


def record_of(*kinds: StateType, **run: object) -> TaskRunRecord:
    task_run = TaskRun(task_key="t-1", dynamic_key="k", name="t-0", flow_run_id=uuid4(), **run)
    record = TaskRunRecord(run=task_run, states=[])
    start = now()
    for number, kind in enumerate(kinds):
        details = StateDetails(flow_run_id=task_run.flow_run_id, task_run_id=task_run.id)
        state = State(type=kind, state_details=details, timestamp=start + timedelta(seconds=number))
        enter_state(task_run, state)
        record.states.append(state)
    return record


def over_the_wire(event: Event) -> Event:
    return msgspec.json.decode(json_text(event), type=Event)


@given(kinds=st.lists(KINDS, min_size=1, max_size=6), order=st.randoms(use_true_random=False))
def test_who_reads_the_events_in_any_order_knows_what_was_recorded(kinds, order):
    record = record_of(*kinds, tags=["a"])
    events = [over_the_wire(event) for event in events_of(record, 0, None)]
    order.shuffle(events)

    read = None
    for event in [*events, events[0]]:
        change = change_of(event)
        assert change is not None
        read = merge(read, [change])

    assert read is not None
    assert [state.id for state in read.states] == [state.id for state in record.states]
    assert [state.type for state in read.states] == kinds
    for name in ("run_count", "start_time", "end_time", "total_run_time", "name", "tags", "flow_run_id"):
        assert getattr(read.run, name) == getattr(record.run, name), name


def test_an_event_says_how_the_run_was_at_that_state():
    record = record_of(StateType.PENDING, StateType.RUNNING, StateType.COMPLETED)
    pending, running, completed = events_of(record, 0, None)

    assert [event.payload["task_run"]["run_count"] for event in (pending, running, completed)] == [0, 1, 1]
    assert "start_time" not in pending.payload["task_run"]
    assert "end_time" not in running.payload["task_run"]
    assert completed.payload["task_run"]["total_run_time"] == 1.0
    assert [event.follows for event in (pending, running, completed)] == [None, pending.id, running.id]
    assert running.payload["intended"] == {"from": "PENDING", "to": "RUNNING"}
    assert pending.resource == {
        "prefect.resource.id": f"prefect.task-run.{record.run.id}",
        "prefect.resource.name": "t-0",
        "prefect.run-count": "0",
        "prefect.state-message": "",
        "prefect.state-name": "Pending",
        "prefect.state-timestamp": record.states[0].timestamp.isoformat(),
        "prefect.state-type": "PENDING",
        "prefect.orchestration": "client",
    }


def test_states_that_were_told_are_left_out_and_nothing_changes_in_the_record():
    record = record_of(StateType.PENDING, StateType.RUNNING, StateType.FAILED)
    before = msgspec.structs.astuple(record.run)

    (event,) = events_of(record, 2, None)

    assert event.event == "prefect.task-run.Failed"
    assert event.payload["initial_state"]["type"] == "RUNNING"
    assert list(events_of(record, 3, None)) == []
    assert msgspec.structs.astuple(record.run) == before


def test_events_name_the_flow_run_its_flow_and_the_tags():
    run = FlowRun(flow_id=uuid4(), name="brave-fox", deployment_id=uuid4(), tags=["t"])
    record = record_of(StateType.PENDING, tags=["x"])
    place = place_of(run, "etl")

    (event,) = events_of(record, 0, place)
    assert event.related == [
        {"prefect.resource.id": "prefect.tag.x", "prefect.resource.role": "tag"},
        {
            "prefect.resource.id": f"prefect.flow-run.{run.id}",
            "prefect.resource.role": "flow-run",
            "prefect.resource.name": "brave-fox",
        },
        {
            "prefect.resource.id": f"prefect.flow.{run.flow_id}",
            "prefect.resource.role": "flow",
            "prefect.resource.name": "etl",
        },
        {
            "prefect.resource.id": f"prefect.deployment.{run.deployment_id}",
            "prefect.resource.role": "deployment",
        },
    ]
    beat = heartbeat_of(place, "1.0")
    assert beat.event == "prefect.flow-run.heartbeat"
    assert beat.resource == {
        "prefect.resource.id": f"prefect.flow-run.{run.id}",
        "prefect.resource.name": "brave-fox",
        "prefect.version": "1.0",
    }
    assert [labels["prefect.resource.role"] for labels in beat.related] == ["flow", "deployment", "tag"]


def test_a_result_is_told_by_where_it_is_kept_and_never_by_its_value():
    metadata = ResultRecordMetadata(storage_key="key", serializer={"type": "json"})
    record = record_of(StateType.PENDING, StateType.COMPLETED, StateType.COMPLETED)
    record.states[1].data = ResultRecord(result={"secret": 1})
    record.states[2].data = ResultRecord(result={"secret": 1}, metadata=metadata)

    _, here, kept = (over_the_wire(event).payload["validated_state"] for event in events_of(record, 0, None))

    assert here["data"] is None
    assert here["state_details"] == {"untrackable_result": True}
    assert kept["data"]["storage_key"] == "key"
    assert kept["state_details"] == {}


def test_what_is_very_long_is_cut_so_that_servers_take_it():
    record = record_of(StateType.PENDING, tags=[f"tag-{number}" for number in range(300)])
    record.states[0].message = "x" * 5_000_000

    (event,) = events_of(record, 0, None)

    assert len(event.related) <= 100
    assert len(json_text(event)) < 1_000_000
