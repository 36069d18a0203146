"""`prefect_test_harness`: whole runs in a store that is gone afterwards."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from prefect import flow, task
from prefect.client.local import LocalClient
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger
from prefect.operations import read_flow_runs, read_logs
from prefect.schemas.queries import FlowRunQuery, LogQuery
from prefect.settings import get_current_settings, temporary_settings
from prefect.store import open_store
from prefect.testing.utilities import (
    assert_uses_result_serializer,
    get_most_recent_flow_run,
    prefect_test_harness,
)


@task
def double(x: int) -> int:
    get_run_logger().info("doubling")
    return 2 * x


@flow
def my_flow(x: int) -> int:
    return double(x)


def runs() -> list[str]:
    return [run.name for run in LocalClient(open_store()).call(read_flow_runs, FlowRunQuery())]


def test_runs_are_kept_in_a_home_that_is_gone_afterwards():
    outside = get_current_settings().home
    with prefect_test_harness():
        home = get_current_settings().home
        assert home != outside
        assert my_flow(2) == 4
        assert len(runs()) == 1
        assert (home / "prefect.db").exists()
    assert not home.exists()
    assert get_current_settings().home == outside


def test_each_harness_begins_empty():
    for _ in range(2):
        with prefect_test_harness():
            assert runs() == []
            my_flow(1)


def test_harnesses_can_be_nested():
    with prefect_test_harness():
        my_flow(1)
        outer = runs()
        with prefect_test_harness():
            assert runs() == []
            my_flow(1)
        assert runs() == outer
        my_flow(1)
        assert len(runs()) == 2


def test_the_environment_of_the_user_does_not_matter(monkeypatch, tmp_path):
    monkeypatch.setenv("PREFECT_API_URL", "http://production/api")
    monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", f"sqlite:///{tmp_path}/mine.db")
    with temporary_settings({"PREFECT_API_KEY": "pnu_mine"}), prefect_test_harness():
        settings = get_current_settings()
        assert (settings.api.url, settings.api.key) == (None, None)
        my_flow(1)
    assert not (tmp_path / "mine.db").exists()
    assert os.environ["PREFECT_API_URL"] == "http://production/api"


def test_other_settings_stay():
    with temporary_settings({"PREFECT_LOGGING_LEVEL": "ERROR"}), prefect_test_harness():
        assert get_current_settings().logging.level == "ERROR"


def test_threads_and_child_processes_are_in_the_harness_too():
    code = "from prefect.settings import get_current_settings; print(get_current_settings().home)"
    homes: list[Path] = []
    with prefect_test_harness():
        home = get_current_settings().home
        thread = threading.Thread(target=lambda: homes.append(get_current_settings().home))
        thread.start()
        thread.join()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert homes == [home]
    assert done.stdout.strip() == str(home)


def test_everything_is_put_back_after_an_error():
    outside = get_current_settings().home
    with pytest.raises(ValueError, match="mine"), prefect_test_harness():
        raise ValueError("mine")
    assert get_current_settings().home == outside
    assert os.environ["PREFECT_HOME"] == str(outside)


def test_logs_of_the_run_can_be_read_in_the_harness():
    with prefect_test_harness(server_startup_timeout=10):
        my_flow(1)
        messages = [log.message for log in LocalClient(open_store()).call(read_logs, LogQuery())]
    assert "doubling" in messages


def test_the_most_recent_flow_run():
    @flow
    def other() -> None: ...

    async def check() -> None:
        with pytest.raises(ObjectNotFound):
            await get_most_recent_flow_run()
        my_flow(1)
        other()
        assert (await get_most_recent_flow_run()).name == runs()[0]
        assert (await get_most_recent_flow_run(flow_name="my-flow")).name == runs()[1]

    with prefect_test_harness():
        asyncio.run(check())


def test_which_serializer_wrote_a_result():
    @flow(persist_result=True, result_serializer="json")
    def kept() -> int:
        return 1

    with prefect_test_harness():
        state = kept(return_state=True)
        asyncio.run(assert_uses_result_serializer(state, "json"))
        with pytest.raises(AssertionError, match="'json', not 'pickle'"):
            asyncio.run(assert_uses_result_serializer(state, "pickle"))
        with pytest.raises(AssertionError, match="was not kept"):
            asyncio.run(assert_uses_result_serializer(my_flow(1, return_state=True), "json"))
