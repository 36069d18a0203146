"""A run of a deployment, carried out by a process that is started for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from prefect.operations.flow_runs import resume_flow_run, set_flow_run_state
from prefect.runner.claims import claim
from prefect.schemas.actions import FlowRunResume
from prefect.schemas.states import State, StateDetails, StateType
from prefect.types import now
from proxies import proxy

pytestmark = [pytest.mark.timeout(90), pytest.mark.processes, pytest.mark.embedded]

FACTS = """
import json
from prefect import flow, task
from prefect.runtime import deployment, flow_run

def facts():
    return [deployment.name, deployment.id, deployment.version, deployment.tags, deployment.parameters,
            flow_run.id, flow_run.flow_name, flow_run.job_variables]

AT_IMPORT = facts()

def name():
    return f"run-of-{deployment.name}"

@task(task_run_name=name)
def inner():
    return facts()

@flow
def nested():
    return facts(), inner()

def hook(flow, run, state):
    print("HOOK", json.dumps(facts()))

@flow(name="tells", flow_run_name=name, on_completion=[hook])
def tells(x: int, y: str = "why"):
    for each in (AT_IMPORT, facts(), inner(), *nested()):
        print("FACTS", json.dumps(each))
    print("PARAMETERS", json.dumps([x, y]))
"""


def test_the_deployment_is_known_everywhere(place):
    deployment_id = place.deploy(
        "tells", place.script(FACTS) + ":tells", name="there", version="7", tags=["a"], parameters={"x": 1}
    )
    run = place.run_of(deployment_id, parameters={"x": "2"}, tags=["b"], job_variables={"v": 1})

    done = place.execute(run)

    assert done.returncode == 0, done.stderr
    lines = [line.partition(" ")[::2] for line in done.stdout.splitlines()]
    told = [json.loads(text) for kind, text in lines if kind in ("FACTS", "HOOK")]
    wanted = ["there", str(deployment_id), "7", ["a"], {"x": "2"}, str(run.id), "tells", {"v": 1}]
    nested_run = told[3][5]
    assert told == [wanted] * 3 + [[*wanted[:5], nested_run, "nested", {}]] * 2 + [wanted]
    assert json.loads(dict(lines)["PARAMETERS"]) == [2, "why"]
    found = place.read(run)
    assert (found.name, found.state_name, sorted(found.tags)) == ("run-of-there", "Completed", ["a", "b"])
    assert found.parameters == {"x": "2"}
    assert found.flow_version is not None
    assert place.history(run) == ["Scheduled", "Running", "Completed"]
    assert "Finished in state Completed()" in place.logs(run)


@pytest.mark.parametrize(
    ("entrypoint", "said"),
    [
        ("missing.py:f", "There is no file"),
        ("script.py:missing", "has no flow 'missing'"),
        ("script.py:fails_at_import", "ZeroDivisionError"),
        ("script.py:leaves", "SystemExit"),
        ("script.py:a_task", "is a task, and no flow"),
    ],
)
def test_a_flow_that_cannot_be_loaded_crashes_the_run_and_says_why(store_place, entrypoint, said):
    text = "from prefect import flow, task\n@task\ndef a_task(): ...\n"
    if "fails" in entrypoint:
        text += "1 / 0\n"
    if "leaves" in entrypoint:
        text += "raise SystemExit(0)\n"
    store_place.script(text)
    run = store_place.run_of(store_place.deploy("f", entrypoint))

    done = store_place.execute(run)

    assert done.returncode == 1
    found = store_place.read(run)
    assert found.state_name == "Crashed"
    assert said in found.state.message
    assert any(said in log for log in store_place.logs(run))


def test_parameters_that_do_not_fit_fail_the_run(place):
    script = place.script("from prefect import flow\n@flow\ndef f(x: int): ...\n")
    deployment_id = place.deploy("f", f"{script}:f")
    wrong, missing = place.run_of(deployment_id, parameters={"x": "?"}), place.run_of(deployment_id)

    assert [place.execute(each).returncode for each in (wrong, missing)] == [1, 1]
    assert [place.read(each).state_name for each in (wrong, missing)] == ["Failed", "Failed"]
    assert "x" in place.read(wrong).state.message
    assert "'x'" in place.read(missing).state.message


def test_a_run_waits_until_it_is_due(store_place):
    script = store_place.script("from prefect import flow\n@flow\ndef f(): ...\n")
    due = now() + timedelta(seconds=1.5)
    state = State(type=StateType.SCHEDULED, state_details=StateDetails(scheduled_time=due))
    run = store_place.run_of(store_place.deploy("f", f"{script}:f"), state=state)

    assert store_place.execute(run).returncode == 0
    assert store_place.read(run).start_time >= due


@pytest.mark.parametrize("kind", [StateType.CANCELLED, StateType.RUNNING])
def test_a_run_that_is_over_or_somebody_elses_is_left_alone(place, kind):
    script = place.script("from prefect import flow\n@flow\ndef f():\n    print('RAN')\n")
    run = place.run_of(place.deploy("f", f"{script}:f"))
    place.client.call(set_flow_run_state, run.id, State(type=kind))

    done = place.execute(run)

    assert (done.returncode, "RAN" in done.stdout) == (0, False)
    assert place.read(run).state_type is kind


def test_a_run_that_is_being_cancelled_ends_and_calls_its_hooks(place):
    script = place.script(
        "from prefect import flow\n"
        "@flow(on_cancellation=[lambda *_: print('HOOK')])\n"
        "def f():\n    print('RAN')\n"
    )
    run = place.run_of(place.deploy("f", f"{script}:f"))
    for kind in (StateType.PENDING, StateType.CANCELLING):
        place.client.call(set_flow_run_state, run.id, State(type=kind))

    done = place.execute(run)

    assert ("HOOK" in done.stdout, "RAN" in done.stdout) == (True, False)
    assert place.read(run).state_name == "Cancelled"


def test_only_the_process_that_a_run_was_taken_for_runs_it(place):
    script = place.script("from prefect import flow\n@flow\ndef f(): ...\n")
    run = place.run_of(place.deploy("f", f"{script}:f"))
    place.client.call(set_flow_run_state, run.id, State(type=StateType.PENDING))

    assert place.execute(run, PREFECT__FLOW_RUN_CLAIM=str(run.state.id)).returncode == 0
    assert place.read(run).state_name == "Pending"
    taken = place.read(run).state.id
    assert place.execute(run, PREFECT__FLOW_RUN_CLAIM=str(taken)).returncode == 0
    assert place.read(run).state_name == "Completed"


def test_pull_steps_lead_to_the_code(store_place):
    code = store_place.folder / "code"
    code.mkdir()
    (code / "there.py").write_text("from prefect import flow\n@flow\ndef f():\n    print('RAN')\n")
    steps = [{"prefect.deployments.steps.set_working_directory": {"directory": str(code)}}]
    missing = [{"prefect.deployments.steps.set_working_directory": {"directory": "/no/such"}}]
    good = store_place.run_of(store_place.deploy("f", "there.py:f", pull_steps=steps))
    bad = store_place.run_of(store_place.deploy("f", "there.py:f", name="bad", pull_steps=missing))

    assert "RAN" in store_place.execute(good).stdout
    assert store_place.execute(bad).returncode == 1
    assert "no folder '/no/such'" in store_place.read(bad).state.message


def test_the_command_line_carries_a_run_out(store_place):
    script = store_place.script("from prefect import flow\n@flow\ndef f():\n    print('RAN')\n")
    run = store_place.run_of(store_place.deploy("f", f"{script}:f"))
    command = [sys.executable, "-m", "prefect.cli", "flow-run", "execute", str(run.id)]

    done = subprocess.run(
        command, env={**os.environ, **store_place.env}, capture_output=True, text=True, check=False
    )

    assert (done.returncode, "RAN" in done.stdout) == (0, True), done.stderr
    assert store_place.read(run).state_name == "Completed"


def test_a_suspended_run_goes_on_in_another_process(place):
    script = place.script(
        "from prefect import flow, task\n"
        "from prefect.flow_runs import suspend_flow_run\n"
        "@task(persist_result=True, cache_key_fn=lambda *_: 'one')\n"
        "def once():\n    print('ONCE')\n    return 1\n"
        "@flow(persist_result=True)\n"
        "def f():\n    once()\n    suspend_flow_run()\n    print('AFTER')\n"
    )
    run = place.run_of(place.deploy("f", f"{script}:f"))

    first = place.execute(run)
    assert place.read(run).state_name == "Suspended", first.stderr
    place.client.call(resume_flow_run, run.id, FlowRunResume())
    second = place.execute(run)

    assert ("ONCE" in first.stdout, "AFTER" in first.stdout) == (True, False)
    assert ("ONCE" in second.stdout, "AFTER" in second.stdout) == (False, True)
    assert place.read(run).state_name == "Completed"


def test_a_flow_is_tried_again_in_its_process(place):
    script = place.script(
        "from prefect import flow\nfrom prefect.runtime import flow_run\n"
        "@flow(retries=1)\n"
        "def f():\n    print('ATTEMPT', flow_run.run_count)\n    assert flow_run.run_count > 1\n"
    )
    run = place.run_of(place.deploy("f", f"{script}:f"))

    done = place.execute(run)

    assert ("ATTEMPT 1" in done.stdout, "ATTEMPT 2" in done.stdout) == (True, True)
    assert place.history(run)[1:] == ["Running", "AwaitingRetry", "Retrying", "Completed"]


def test_async_flows_and_generators_are_carried_out(store_place):
    script = store_place.script(
        "from prefect import flow\n"
        "@flow\nasync def a(): print('RAN a')\n"
        "@flow\ndef g():\n    yield 1\n    print('RAN g')\n"
    )
    for name in "ag":
        run = store_place.run_of(store_place.deploy(name, f"{script}:{name}"))
        assert f"RAN {name}" in store_place.execute(run).stdout
        assert store_place.read(run).state_name == "Completed"


def test_a_run_that_begins_while_the_server_is_away_waits_for_it(server_place):
    place = server_place
    run = place.run_of(
        place.deploy("f", place.script("from prefect import flow\n@flow\ndef f(): pass\n") + ":f")
    )
    with proxy(place.env["PREFECT_API_URL"]) as between:
        between.is_away = True
        process = subprocess.Popen(
            [sys.executable, "-c", HURRIED],
            cwd=place.folder,
            env={
                **os.environ,
                **place.env,
                "PREFECT_API_URL": between.url,
                "PREFECT__FLOW_RUN_ID": str(run.id),
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        while between.turned_away < 8:
            assert process.poll() is None
            time.sleep(0.05)
        between.is_away = False
        printed = process.communicate(timeout=60)[1]

    assert process.returncode == 0, printed
    assert place.read(run).state_name == "Completed"
    assert printed.count("The run waits for it") == 1


SLOW = """
import os, time
from prefect import flow
from pathlib import Path

def wait_for(name):
    while not Path(name).exists():
        time.sleep(0.05)

Path(f"imports-{os.environ['WHO']}").touch()
wait_for(f"import-{os.environ['WHO']}")

@flow
def slow():
    Path(f"started-{os.environ['WHO']}").touch()
    wait_for("end")
"""


def test_a_run_that_was_given_to_another_process_meanwhile_is_not_begun_twice(place):
    def start(who):
        env = {
            **os.environ,
            **place.env,
            "WHO": who,
            "PREFECT__FLOW_RUN_CLAIM": str(claim(place.client, run)),
        }
        env["PREFECT__FLOW_RUN_ID"] = str(run.id)
        return subprocess.Popen(
            [sys.executable, "-m", "prefect.flow_engine"], cwd=place.folder, env=env, stderr=subprocess.PIPE
        )

    def wait_for(name):
        while not (place.folder / name).exists():
            assert first.poll() is None
            time.sleep(0.05)

    run = place.run_of(place.deploy("slow", place.script(SLOW) + ":slow"))
    first = start("first")
    wait_for("imports-first")
    # As it is when the worker is taken for dead that had started the process.
    place.client.call(set_flow_run_state, run.id, State(type=StateType.SCHEDULED), force=True)
    second = start("second")
    (place.folder / "import-second").touch()
    wait_for("started-second")

    (place.folder / "import-first").touch()
    printed = first.communicate(timeout=60)[1]
    (place.folder / "end").touch()
    second.communicate(timeout=60)

    assert (first.returncode, second.returncode) == (0, 0)
    assert b"given to another process" in printed
    assert not (place.folder / "started-first").exists()
    assert place.read(run).state_name == "Completed"
    assert place.read(run).run_count == 1


HURRIED = """
from prefect.client import patience
from prefect.runner.execution import execute_process_run
patience.PAUSE = 0.1
raise SystemExit(execute_process_run())
"""
