from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from makers import at, log

from prefect.operations import create_logs, read_logs
from prefect.schemas.filters import LogFilter
from prefect.schemas.queries import LogQuery
from prefect.schemas.sorting import LogSort
from prefect.store.base import Store


def messages(store: Store, filter: dict[str, Any] | None = None, **query: Any) -> list[str]:
    logs = None if filter is None else LogFilter(**filter)
    return [each.message for each in read_logs(store, LogQuery(logs=logs, **query))]


def test_a_log_record_is_read_back_as_it_was_written(store: Store) -> None:
    written = log("größer\n✓", 1, level=30, flow_run_id=uuid4(), task_run_id=uuid4())
    create_logs(store, [written])
    (read,) = read_logs(store, LogQuery())
    written.created = written.updated = written.timestamp
    assert read == written


def test_a_record_that_is_sent_again_is_kept_once(store: Store) -> None:
    written = log("once")
    create_logs(store, [written])
    create_logs(store, [written, log("more", 1)])
    assert messages(store) == ["once", "more"]


def test_logs_are_filtered_sorted_and_windowed(store: Store) -> None:
    flow_run, task_run = uuid4(), uuid4()
    create_logs(
        store,
        [
            log("c", 3, level=40, flow_run_id=flow_run),
            log("a", 1, level=10, flow_run_id=flow_run, task_run_id=task_run),
            log("b", 2, level=20, task_run_id=task_run),
        ],
    )
    assert messages(store) == ["a", "b", "c"]
    assert messages(store, sort=LogSort.TIMESTAMP_DESC, limit=2) == ["c", "b"]
    assert messages(store, limit=1, offset=1) == ["b"]
    assert messages(store, {"level": {"ge_": 20, "le_": 30}}) == ["b"]
    assert messages(store, {"timestamp": {"after_": at(2), "before_": at(3)}}) == ["b", "c"]
    assert messages(store, {"flow_run_id": {"any_": [str(flow_run)]}}) == ["a", "c"]
    assert messages(store, {"task_run_id": {"any_": [task_run]}}) == ["a", "b"]
    assert messages(store, {"task_run_id": {"is_null_": True}}) == ["c"]
    either = {"operator": "or_", "level": {"ge_": 40}, "timestamp": {"before_": at(1)}}
    assert messages(store, either) == ["a", "c"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("refused", ["Connection refused: retry"]),
        ("CONNECTION", ["Connection refused: retry", "connection ok 100%"]),
        ("connection -retry", ["connection ok 100%"]),
        ("connection !ok", ["Connection refused: retry"]),
        ("+connection +ok", ["connection ok 100%"]),
        ('"connection refused"', ["Connection refused: retry"]),
        ("done refused", ["Connection refused: retry", "all done"]),
        ("100%", ["connection ok 100%"]),
        ("n_e", []),
        ("", ["Connection refused: retry", "connection ok 100%", "all done"]),
    ],
)
def test_messages_are_searched(store: Store, query: str, found: list[str]) -> None:
    texts = ["Connection refused: retry", "connection ok 100%", "all done"]
    create_logs(store, [log(text, minute) for minute, text in enumerate(texts)])
    assert messages(store, {"text": {"query": query}}) == found
