from __future__ import annotations

from uuid import UUID

import pytest
from makers import make_flow_run, make_task_run

from prefect.exceptions import ObjectNotFound
from prefect.operations import (
    count_flow_runs,
    count_flows,
    count_task_runs,
    create_flow,
    delete_flow,
    read_flow,
    read_flow_by_name,
    read_flows,
    update_flow,
)
from prefect.schemas.actions import FlowCreate, FlowUpdate
from prefect.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowFilterTags,
    FlowRunFilter,
    FlowRunFilterName,
)
from prefect.schemas.queries import FlowQuery, FlowRunQuery, TaskRunQuery
from prefect.schemas.sorting import FlowSort
from prefect.store.base import Store


def test_a_flow_is_made_once(store: Store) -> None:
    first = create_flow(store, FlowCreate(name="etl", tags=["a"], labels={"k": 1}))
    assert create_flow(store, FlowCreate(name="etl", tags=["b"])) == first
    assert read_flow(store, first.id) == read_flow_by_name(store, "etl") == first


def test_an_unknown_flow_is_not_found(store: Store) -> None:
    for ask in (lambda: read_flow(store, UUID(int=1)), lambda: delete_flow(store, UUID(int=1))):
        with pytest.raises(ObjectNotFound, match=r"Flow with id .* not found"):
            ask()
    with pytest.raises(ObjectNotFound, match="Flow named 'nope' not found"):
        read_flow_by_name(store, "nope")


def test_flows_are_filtered_sorted_and_counted(store: Store) -> None:
    for name, tags in (("b", ["x"]), ("a", []), ("C", ["x", "y"])):
        create_flow(store, FlowCreate(name=name, tags=tags))

    def names(**query: object) -> list[str]:
        return [flow.name for flow in read_flows(store, FlowQuery(**query))]  # type: ignore[arg-type]

    assert sorted(names()) == ["C", "a", "b"]
    assert names(sort=FlowSort.CREATED_DESC) == ["C", "a", "b"]
    assert names(flows=FlowFilter(name=FlowFilterName(like_="c"))) == ["C"]
    assert sorted(names(flows=FlowFilter(tags=FlowFilterTags(all_=["x"])))) == ["C", "b"]
    assert names(flows=FlowFilter(tags=FlowFilterTags(is_null_=True))) == ["a"]
    assert names(sort=FlowSort.CREATED_DESC, limit=1, offset=1) == ["a"]
    assert count_flows(store, FlowQuery(limit=1)) == 3


def test_flows_are_found_by_their_runs(store: Store) -> None:
    make_flow_run(store, flow="one", name="r1")
    make_flow_run(store, flow="two", name="r2")
    query = FlowQuery(flow_runs=FlowRunFilter(name=FlowRunFilterName(any_=["r2"])))
    assert [flow.name for flow in read_flows(store, query)] == ["two"]


def test_tags_can_be_changed(store: Store) -> None:
    flow = create_flow(store, FlowCreate(name="etl", tags=["a"]))
    update_flow(store, flow.id, FlowUpdate(tags=["b"]))
    assert read_flow(store, flow.id).tags == ["b"]


def test_deleting_a_flow_takes_its_runs(store: Store) -> None:
    run = make_flow_run(store, flow="one")
    make_task_run(store, flow_run_id=run.id)
    make_flow_run(store, flow="two")
    delete_flow(store, run.flow_id)
    assert count_flows(store, FlowQuery()) == 1
    assert count_flow_runs(store, FlowRunQuery()) == 1
    assert count_task_runs(store, TaskRunQuery()) == 0
