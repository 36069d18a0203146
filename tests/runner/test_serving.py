"""Flows that are served, as users do it: a script serves, runs are asked for, their logs are read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from prefect import flow, serve
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.operations.deployments import read_deployment_by_name
from prefect.operations.flow_runs import read_flow_runs, set_flow_run_state
from prefect.schemas.queries import FlowRunQuery
from prefect.schemas.states import State, StateType

pytestmark = [pytest.mark.timeout(120), pytest.mark.processes, pytest.mark.embedded]


@flow
def early():
    pass


SCRIPT = """
import os, sys
from prefect import flow, task, get_run_logger, serve
from prefect.runtime import deployment, flow_run

@task
def tell():
    get_run_logger().info("the parameters are %s", flow_run.parameters)

@flow
def example(x: int = 1):
    get_run_logger().info("my name is %s", flow_run.name)
    get_run_logger().info("i belong to deployment %s", deployment.name)
    get_run_logger().info("the editor is %s", os.environ.get("EDITOR"))
    get_run_logger().info("the colour is %s", os.environ.get("COLOUR"))
    tell()

@flow
def stubborn():
    import time
    try:
        time.sleep(600)
    finally:
        print("BUSY", flush=True)
        time.sleep(600)

@flow(on_cancellation=[lambda *_: print("HOOK", flush=True)])
def sleeper():
    import time
    print("READY", flush=True)
    time.sleep(600)

if __name__ == "__main__":
    if "by-hand" in sys.argv:
        example(2)
    elif "two" in sys.argv:
        serve(example.to_deployment("one"), sleeper.to_deployment("two"), stubborn.to_deployment("three"))
    else:
        example.serve("served", **eval(sys.argv[1]))
"""


@contextmanager
def serving(place, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    place.script(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, "script.py", *arguments],
        cwd=place.folder,
        env={**os.environ, **place.env, "PREFECT_RUNNER_POLL_FREQUENCY": "1", "EDITOR": "ed"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(what, process):
    while True:
        try:
            if (found := what()) is not None:
                return found
        except ObjectNotFound:
            pass
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)


def deployed(place, process, flow_name, name):
    return wait_for(lambda: place.client.call(read_deployment_by_name, flow_name, name), process)


def prefect(place, *words: str) -> str:
    command = [sys.executable, "-m", "prefect.cli", *words]
    done = subprocess.run(
        command, env={**os.environ, **place.env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_served_flow_knows_its_deployment_and_one_by_hand_has_none(place):
    place.script(SCRIPT)
    by_hand = subprocess.run(
        [sys.executable, "script.py", "by-hand"],
        cwd=place.folder,
        env={**os.environ, **place.env},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "i belong to deployment None" in by_hand.stderr

    with serving(place, "{}") as process:
        deployment = deployed(place, process, "example", "served")
        env = {"EDITOR": None, "COLOUR": "red"}
        run = run_deployment(
            "example/served",
            parameters={"x": 3},
            job_variables={"env": env},
            timeout=60,
            poll_interval=0.2,
        )
        assert run.state_name == "Completed", run.state
        assert deployment.entrypoint == "script.py:example"
        logs = prefect(place, "flow-run", "logs", str(run.id))
        assert f"my name is {run.name}" in logs
        assert "i belong to deployment served" in logs
        assert "the parameters are {'x': 3}" in logs
        assert "the editor is None" in logs
        assert "the colour is red" in logs

        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert place.client.call(read_deployment_by_name, "example", "served").paused


def test_schedules_are_kept_without_a_server(store_place):
    with serving(store_place, "{'interval': 2}") as process:
        deployed(store_place, process, "example", "served")

        def completed():
            runs = store_place.client.call(read_flow_runs, FlowRunQuery())
            return next((run for run in runs if run.state_type is StateType.COMPLETED), None)

        run = wait_for(completed, process)

    assert run.auto_scheduled
    assert run.start_time >= run.expected_start_time


def test_what_is_told_to_end_before_it_serves_all_leaves_no_schedule_active(store_place):
    class Interrupted:
        pull_interval = None

        def set_base_path(self, path):
            raise KeyboardInterrupt

    second = early.to_deployment("second")
    second.storage = Interrupted()

    serve(early.to_deployment("first", interval=3600), second)

    assert store_place.client.call(read_deployment_by_name, "early", "first").paused


def test_two_deployments_of_one_process_and_a_cancelled_run(place):
    with serving(place, "two") as process:
        deployed(place, process, "sleeper", "two")
        run = run_deployment("sleeper/two", timeout=0)
        wait_for(lambda: True if place.read(run).state_name == "Running" else None, process)

        place.client.call(set_flow_run_state, run.id, State(type=StateType.CANCELLING))
        wait_for(lambda: True if place.read(run).state_name == "Cancelled" else None, process)

        assert run_deployment("example/one", timeout=60, poll_interval=0.2).state_name == "Completed"
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert "HOOK" in output


def test_a_runner_that_is_told_to_end_ends_its_runs(store_place):
    with serving(store_place, "two") as process:
        deployed(store_place, process, "sleeper", "two")
        run = run_deployment("sleeper/two", timeout=0)
        wait_for(lambda: True if store_place.read(run).state_name == "Running" else None, process)

        process.terminate()
        process.communicate(timeout=60)

    assert store_place.read(run).state_name == "Crashed"


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_a_runner_that_is_told_twice_leaves_no_process_behind(store_place, sign):
    with serving(store_place, "two") as process:
        deployed(store_place, process, "stubborn", "three")
        run = run_deployment("stubborn/three", timeout=0)
        wait_for(lambda: True if store_place.read(run).state_name == "Running" else None, process)

        process.send_signal(sign)
        said = ""
        while "BUSY" not in said:
            said += (line := process.stdout.readline())
            assert line, said
        process.send_signal(sign)
        # The end of its output is the end of the run's process too, which has inherited it.
        rest, _ = process.communicate(timeout=25)

    assert store_place.read(run).state_name == "Crashed", said + rest
