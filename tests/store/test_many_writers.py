"""Many processes on one database: nothing is lost, and nobody hears of locks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from databases import postgres_schema
from prefect.operations import count_flow_runs, count_flows, count_task_runs, read_logs
from prefect.schemas.filters import FlowRunFilter
from prefect.schemas.queries import FlowQuery, FlowRunQuery, LogQuery, TaskRunQuery
from prefect.store import make_store

STORM = {"sqlite": (32, 1000), "postgresql": (12, 50)}
"""Processes, and writes of each, a transaction a write; a server has more to do for each."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "postgresql":
        with postgres_schema() as url:
            yield url
    else:
        yield f"sqlite:///{tmp_path / 'home' / 'prefect.db'}"


@pytest.mark.timeout(300)
def test_many_processes_write_at_once(url: str) -> None:
    processes, writes = STORM[url.partition(":")[0]]
    script = Path(__file__).with_name("many_writers.py")
    writers = [
        subprocess.Popen(
            [sys.executable, "-X", "dev", str(script), url, str(number), str(writes)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in range(processes)
    ]
    said = [writer.communicate()[0] for writer in writers]
    assert not "".join(said)
    assert [writer.returncode for writer in writers] == [0] * processes
    store = make_store(url)
    per_process = writes // 2
    done = FlowRunQuery(flow_runs=FlowRunFilter(state={"name": {"any_": ["Completed"]}}))
    assert count_flows(store, FlowQuery()) == 1
    assert count_flow_runs(store, done) == processes
    assert count_task_runs(store, TaskRunQuery()) == processes * per_process
    messages = {log.message for log in read_logs(store, LogQuery(limit=processes * per_process + 1))}
    assert messages == {f"{number}-{item}" for number in range(processes) for item in range(per_process)}
    store.close()
