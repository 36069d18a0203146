from __future__ import annotations

from uuid import UUID

import pytest
from makers import at, log, make_flow_run, make_task_run, state, task_run_record

from prefect.exceptions import ObjectNotFound
from prefect.operations import (
    count_task_runs,
    create_logs,
    delete_task_run,
    read_logs,
    read_task_run,
    read_task_run_states,
    record_task_runs,
)
from prefect.rules.bookkeeping import enter_state
from prefect.schemas.objects import Constant, Parameter, TaskRunPolicy, TaskRunRecord, TaskRunResult
from prefect.schemas.queries import LogQuery, TaskRunQuery
from prefect.schemas.states import StateDetails, StateType
from prefect.store.base import Store


def test_a_task_run_is_read_back_as_it_was_recorded(store: Store) -> None:
    other = UUID(int=1)
    record = task_run_record(
        state("PENDING", 0),
        state("RUNNING", 1),
        state("COMPLETED", 2, message="ok", state_details=StateDetails(cache_key="c", refresh_cache=False)),
        flow_run_id=UUID(int=2),
        task_version="v",
        cache_key="c",
        cache_expiration=at(60),
        tags=["t"],
        labels={"l": True},
        empirical_policy=TaskRunPolicy(retries=3, retry_delay=[1, 2.5], retry_jitter_factor=0.5),
        task_inputs={"a": [TaskRunResult(id=other)], "b": [Parameter(name="p"), Constant(type="int")]},
        flow_run_run_count=1,
    )
    record_task_runs(store, [record])
    read = read_task_run(store, record.run.id)
    assert read.state is not None
    assert read.state.state_details.task_run_id == read.id
    assert read.state.state_details.flow_run_id == read.flow_run_id
    assert (read.run_count, read.start_time, read.end_time, read.total_run_time) == (1, at(1), at(2), 60.0)
    for name in ("task_key", "dynamic_key", "name", "tags", "labels", "empirical_policy",
                 "task_inputs", "cache_key", "cache_expiration", "task_version", "state_name"):  # fmt: skip
        assert getattr(read, name) == getattr(record.run, name)
    states = read_task_run_states(store, read.id)
    assert [(each.id, each.name, each.timestamp) for each in states] == [
        (each.id, each.name, each.timestamp) for each in record.states
    ]
    assert states[-1].state_details.cache_key == "c"
    assert states[-1].state_details.refresh_cache is False


def test_a_later_record_replaces_an_earlier_one_and_never_the_other_way_round(store: Store) -> None:
    early = task_run_record(state("PENDING", 5), state("RUNNING", 6))
    late = TaskRunRecord(run=early.run.model_copy(), states=list(early.states))
    done = state("COMPLETED", 4)  # by a clock that was set back
    late.states.append(done)
    enter_state(late.run, done)
    record_task_runs(store, [early])
    record_task_runs(store, [late])
    record_task_runs(store, [early])
    assert read_task_run(store, early.run.id).state_type is StateType.COMPLETED
    assert count_task_runs(store, TaskRunQuery()) == 1


def test_an_unknown_task_run_is_not_found(store: Store) -> None:
    for ask in (lambda: read_task_run(store, UUID(int=1)), lambda: delete_task_run(store, UUID(int=1))):
        with pytest.raises(ObjectNotFound, match=r"Task run with id .* not found"):
            ask()
    assert read_task_run_states(store, UUID(int=1)) == []


def test_deleting_a_task_run_takes_its_logs(store: Store) -> None:
    flow_run = make_flow_run(store)
    run = make_task_run(store, flow_run_id=flow_run.id)
    create_logs(
        store, [log("a", flow_run_id=flow_run.id, task_run_id=run.id), log("b", flow_run_id=flow_run.id)]
    )
    delete_task_run(store, run.id)
    assert [each.message for each in read_logs(store, LogQuery())] == ["b"]
