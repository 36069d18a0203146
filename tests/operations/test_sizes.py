"""How long listings are."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from makers import make_flow_run, make_task_run, state

from prefect.operations import sizes
from prefect.operations.sizes import count_if_cheap
from prefect.schemas.queries import FlowRunQuery, TaskRunQuery
from prefect.store.base import Store


def count(store: Store, kind: type[FlowRunQuery | TaskRunQuery] = FlowRunQuery, **given: Any) -> int | None:
    return count_if_cheap(store, msgspec.convert({"limit": 1, **given}, kind))


def test_what_an_index_tells_is_counted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [make_flow_run(store, flow=f"flow-{i % 2}", state=state("FAILED")) for i in range(5)]
    make_task_run(store, flow_run_id=runs[0].id)
    make_task_run(store)

    assert count(store) == 5
    assert count(store, flow_runs={"state": {"type": {"any_": ["FAILED", "CRASHED"]}}}) == 5
    assert count(store, flows={"name": {"any_": ["flow-0"]}}) == 3
    assert count(store, TaskRunQuery) == 2
    assert count(store, TaskRunQuery, task_runs={"flow_run_id": {"any_": [runs[0].id]}}) == 1
    monkeypatch.setattr(sizes, "MOST", 3)
    assert count(store) == 4


def test_what_takes_looking_at_rows_is_not_counted(store: Store) -> None:
    assert count(store, flow_runs={"tags": {"all_": ["a"]}}) is None
    assert count(store, flow_runs={"name": {"like_": "a"}}) is None
    both = {"type": {"any_": ["FAILED"]}, "name": {"any_": ["Failed"]}}
    assert count(store, flow_runs={"state": both}) is None
