"""What is written down of runs does not depend on where they ran, or on where it is written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import remote_tasks as remote
from databases import postgres_schema
from prefect import flow
from prefect.client.current import get_caller
from prefect.operations.logs import read_logs
from prefect.recorder import get_recorder
from prefect.schemas.filters import LogFilter
from prefect.schemas.queries import LogQuery
from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_DATABASE_CONNECTION_URL, temporary_settings
from prefect.task_runners import ThreadPoolTaskRunner
from recorded import history_of, task_runs_of, upstream_of
from wire import serving

pytestmark = pytest.mark.timeout(200)


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres), "server"],
)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where runs are written down."""
    with ExitStack() as stack:
        changes: dict[Any, Any] = {PREFECT_API_URL: None}
        if request.param == "postgresql":
            changes[PREFECT_SERVER_DATABASE_CONNECTION_URL] = stack.enter_context(postgres_schema())
        elif request.param == "server":
            home = tmp_path_factory.mktemp("server")
            changes[PREFECT_API_URL], _ = stack.enter_context(serving(Path(home)))
        stack.enter_context(temporary_settings(changes))
        yield request.param


def written(runner: Any, logs_at_least: int) -> Any:
    """What is stored of a flow run of many kinds of tasks, without ids and times."""

    @flow(task_runner=runner, name="written")
    def main() -> None:
        # No small numbers: to Python all that are equal are one, so any task may have made them.
        one = remote.same.submit(1.25)
        after = remote.add.submit(one, 2.75, wait_for=[one])
        ends = [after, remote.flaky.submit(), remote.flaky_with_delay.submit(), remote.nested.submit(3.5)]
        ends += [*remote.speak.map(["one", "two"]), remote.fail.submit("x"), remote.slow.submit()]
        ends.append(remote.same.submit(ends[-1]))
        for future in ends:
            future.wait()

    state = main(return_state=True)
    get_recorder().flush()
    flow_run_id = state.state_details.flow_run_id
    expected = 12

    def complete() -> bool:
        runs = task_runs_of(state)
        return len(runs) >= expected and all(
            run.state is not None and (run.state.is_final() or run.state.name == "NotReady") for run in runs
        )

    remote.wait_until(complete)
    runs = task_runs_of(state)
    by_id = {run.id: run.task_key for run in runs}
    told = sorted(
        (
            run.task_key,
            history_of(run),
            run.run_count,
            re.sub("[0-9a-f-]{36}", "ID", (run.state.message if run.state else "") or ""),
            sorted((name, sorted(by_id[i] for i in ids)) for name, ids in upstream_of(run).items()),
            run.tags,
            run.flow_run_id == flow_run_id,
        )
        for run in runs
    )
    own = LogFilter(flow_run_id={"any_": [flow_run_id]}, level={"ge_": 20})
    query = LogQuery(logs=own, limit=200)

    def logs() -> list[Any]:
        return [
            (log.name, log.level, log.message.split("(")[0].split("'")[0])
            for log in get_caller().call(read_logs, query)
            if log.task_run_id is not None
        ]

    remote.wait_until(lambda: len(logs()) >= logs_at_least)
    return told, sorted(logs())


def test_the_same_is_written_as_of_threads(place, runner, kind):
    if place == "server" and os.environ.get("PROCONSUL_TEST_SETTING", "sqlite") == "server":
        pytest.skip("all of this suite runs over a server already")
    expected_runs, expected_logs = written(ThreadPoolTaskRunner(), 12)
    runs, logs = written(runner, len(expected_logs))
    assert runs == expected_runs
    assert logs == expected_logs
