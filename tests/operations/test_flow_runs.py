from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from makers import at, log, make_flow_run, make_task_run, state

from prefect.exceptions import ObjectNotFound
from prefect.operations import (
    create_flow,
    create_flow_run,
    create_logs,
    delete_flow_run,
    read_flow_run,
    read_flow_run_states,
    read_flow_runs,
    read_logs,
    read_task_runs,
    set_flow_run_state,
    update_flow_run,
)
from prefect.schemas.actions import FlowCreate, FlowRunCreate, FlowRunUpdate
from prefect.schemas.objects import FlowRunPolicy
from prefect.schemas.queries import FlowRunQuery, LogQuery, TaskRunQuery
from prefect.schemas.responses import SetStateStatus
from prefect.schemas.results import ResultRecord, ResultRecordMetadata
from prefect.schemas.states import StateDetails, StateType
from prefect.store.base import Store


def test_a_flow_run_is_read_back_as_it_was_made(store: Store) -> None:
    flow = create_flow(store, FlowCreate(name="etl"))
    made = create_flow_run(
        store,
        FlowRunCreate(
            flow_id=flow.id,
            name="calm-otter",
            flow_version="1.2",
            parameters={"day": "2026-03-01", "n": 3, "deep": {"a": [1, None]}, "word": "größer ✓"},
            context={"origin": "test"},
            parent_task_run_id=uuid4(),
            empirical_policy=FlowRunPolicy(retries=2, retry_delay=5),
            tags=["nightly", "eu"],
            labels={"team": "data", "prio": 1},
            idempotency_key="k1",
            work_pool_name="default-agent-pool",
            work_queue_name="default",
            job_variables={"image": "x"},
            deployment_id=uuid4(),
        ),
    )
    read = read_flow_run(store, made.id)
    read.estimated_start_time_delta = made.estimated_start_time_delta
    assert read == made


def test_a_run_without_a_name_and_a_state_gets_them(store: Store) -> None:
    run = make_flow_run(store)
    assert run.name.count("-") == 1
    assert run.state is not None
    assert (run.state_type, run.state_name) == (StateType.PENDING, "Pending")
    assert run.state.state_details.flow_run_id == run.id


def test_a_scheduled_run_without_a_time_is_due_now(store: Store) -> None:
    run = make_flow_run(store, state=state("SCHEDULED"))
    assert run.state is not None
    assert run.state.state_details.scheduled_time is not None
    assert run.next_scheduled_start_time == run.expected_start_time == run.state.state_details.scheduled_time


def test_a_run_may_have_an_id_of_the_callers_own_and_is_made_once(store: Store) -> None:
    mine = uuid4()
    first = make_flow_run(store, id=mine, name="first")
    assert first.id == mine
    assert make_flow_run(store, id=mine, name="second").name == "first"


def test_an_idempotency_key_gives_the_first_run_of_that_flow_again(store: Store) -> None:
    first = make_flow_run(store, idempotency_key="k")
    assert make_flow_run(store, idempotency_key="k").id == first.id
    assert make_flow_run(store, idempotency_key="k", flow="other").id != first.id


def test_a_run_of_an_unknown_flow_is_refused(store: Store) -> None:
    unknown = uuid4()
    with pytest.raises(ObjectNotFound, match=f"Flow with id {unknown} not found"):
        create_flow_run(store, FlowRunCreate(flow_id=unknown))


@pytest.mark.parametrize("operation", [read_flow_run, delete_flow_run])
def test_an_unknown_run_is_not_found(store: Store, operation: object) -> None:
    with pytest.raises(ObjectNotFound, match="not found"):
        operation(store, UUID(int=7))  # type: ignore[operator]


def test_states_move_a_run_and_its_bookkeeping(store: Store) -> None:
    run = make_flow_run(store, state=state("PENDING", 0))
    set_flow_run_state(store, run.id, state("RUNNING", 1))
    result = set_flow_run_state(store, run.id, state("COMPLETED", 3, message="done"))
    assert result.status is SetStateStatus.ACCEPT
    read = read_flow_run(store, run.id)
    assert read.state == result.state
    assert (read.state_type, read.state_name) == (StateType.COMPLETED, "Completed")
    assert (read.run_count, read.start_time, read.end_time) == (1, at(1), at(3))
    assert (read.total_run_time, read.estimated_run_time) == (120.0, 120.0)
    assert read.estimated_start_time_delta == 60.0
    assert [each.name for each in read_flow_run_states(store, run.id)] == ["Pending", "Running", "Completed"]


def test_a_refused_state_changes_nothing_and_says_why(store: Store) -> None:
    run = make_flow_run(store, state=state("RUNNING"))
    result = set_flow_run_state(store, run.id, state("PENDING"))
    assert result.status is SetStateStatus.ABORT
    assert result.details.reason == "This run is in a RUNNING state and cannot transition to a PENDING state."  # type: ignore[union-attr]
    assert read_flow_run(store, run.id).state == run.state == result.state
    assert len(read_flow_run_states(store, run.id)) == 1


def test_force_overrules(store: Store) -> None:
    run = make_flow_run(store, state=state("RUNNING"))
    assert set_flow_run_state(store, run.id, state("PENDING"), force=True).status is SetStateStatus.ACCEPT
    assert read_flow_run(store, run.id).state_type is StateType.PENDING


def test_a_failure_with_retries_left_becomes_awaiting_retry(store: Store) -> None:
    run = make_flow_run(
        store, state=state("PENDING"), empirical_policy=FlowRunPolicy(retries=1, retry_delay=7)
    )
    set_flow_run_state(store, run.id, state("RUNNING"))
    result = set_flow_run_state(store, run.id, state("FAILED", message="boom"))
    assert result.status is SetStateStatus.REJECT
    read = read_flow_run(store, run.id)
    assert (read.state_name, read.end_time) == ("AwaitingRetry", None)
    assert read.empirical_policy.retry_type == "in_process"
    assert read.state is not None
    assert read.next_scheduled_start_time == read.state.state_details.scheduled_time


def test_where_a_result_is_kept_is_stored_and_the_value_is_not(store: Store) -> None:
    run = make_flow_run(store)
    kept = ResultRecord(
        result=object(), metadata=ResultRecordMetadata(storage_key="/r/1", serializer={"type": "json"})
    )
    set_flow_run_state(store, run.id, state("COMPLETED", data=kept))
    read = read_flow_run(store, run.id)
    assert read.state is not None
    assert read.state.data["storage_key"] == "/r/1"
    other = make_flow_run(store)
    set_flow_run_state(store, other.id, state("COMPLETED", data=ResultRecord(result=object())))
    assert read_flow_run(store, other.id).state.data is None  # type: ignore[union-attr]


def test_details_survive(store: Store) -> None:
    details = StateDetails(
        cache_key="c", cache_expiration=at(5), pause_key="p", retriable=False, untrackable_result=True
    )
    run = make_flow_run(store, state=state("RUNNING", state_details=details))
    assert read_flow_run(store, run.id).state == run.state


def test_an_update_changes_what_it_names_only(store: Store) -> None:
    run = make_flow_run(store, name="old", tags=["a"], parameters={"x": 1})
    update_flow_run(store, run.id, FlowRunUpdate(name="new", infrastructure_pid="4711"))
    read = read_flow_run(store, run.id)
    assert (read.name, read.tags, read.parameters) == ("new", ["a"], {"x": 1})
    assert read.infrastructure_pid == "4711"
    assert read.state == run.state


def test_deleting_a_run_takes_its_task_runs_states_and_logs(store: Store) -> None:
    gone, stays = make_flow_run(store), make_flow_run(store)
    for run in (gone, stays):
        make_task_run(store, flow_run_id=run.id)
        create_logs(store, [log("hello", flow_run_id=run.id)])
    delete_flow_run(store, gone.id)
    assert [run.id for run in read_flow_runs(store, FlowRunQuery())] == [stays.id]
    assert [run.flow_run_id for run in read_task_runs(store, TaskRunQuery())] == [stays.id]
    assert [each.flow_run_id for each in read_logs(store, LogQuery())] == [stays.id]
    assert read_flow_run_states(store, gone.id) == []


def test_texts_that_databases_dislike_are_kept_or_cleaned_and_never_lose_a_run(store: Store) -> None:
    run = make_flow_run(
        store, name="nul \0 here", parameters={"odd": "a\0b", "slash": "\\u0000", "ok": "c\udc80"}
    )
    read = read_flow_run(store, run.id)
    assert read.parameters["ok"] == "c?"
    assert read.parameters["slash"] == "\\u0000"
    create_logs(store, [log("lone \udc80 surrogate", flow_run_id=run.id), log("fine", flow_run_id=run.id)])
    assert len(read_logs(store, LogQuery())) == 2
