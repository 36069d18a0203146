"""What is Ray's alone: clusters that come and go, and what Ray is asked for with a task."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

OWN_CLUSTER = """
import os, signal, time
import ray
import remote_tasks as remote
from prefect import flow, task
from prefect.exceptions import ConfigurationError, TerminationSignal
from prefect.task_runners.ray import cluster
from prefect_ray import RayTaskRunner
from prefect_ray.context import RemoteOptionsContext, remote_options

@task
def given():
    return dict(sorted(ray.get_runtime_context().get_assigned_resources().items()))

size = {"num_cpus": 2, "resources": {"disk": 1}}

@flow(task_runner=RayTaskRunner(init_kwargs={**size, "log_to_driver": False}))
def main():
    with remote_options(num_cpus=2), remote_options(resources={"disk": 0.5}) as options:
        assert options == {"num_cpus": 2, "resources": {"disk": 0.5}}
        assert RemoteOptionsContext.get().current_remote_options == options
        more = given.submit()
    with remote_options(enable_task_events=True):
        usual = given.submit()
    print("OPTIONS", more.result(), usual.result())
    with remote_options(number_of_cpus=2):
        refused = given.submit()
    refused.wait()
    print("REFUSED", refused.state.name, refused.state.message)
    try:
        RayTaskRunner(address="ray.example:6379")._start()
    except ConfigurationError as error:
        print("ELSEWHERE", error)
    kept.append(remote.zeros.submit(1_000_000))
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
    except TerminationSignal as told:
        print("TERMINATED", told)
    return inner()

@flow(task_runner=RayTaskRunner())
def inner():
    "Joins the cluster of the flow around it, and leaves that one running."
    return remote.same.submit(3).result() + remote.same.submit(4).result()

kept = []
print("INNER", main())
print("ENDED", not ray.is_initialized())
print("KEPT", kept[0].result().nbytes)

cluster._APPEARS_SECONDS = 0.1
try:
    RayTaskRunner(address="127.0.0.1:1")._start()
except ConfigurationError as error:
    print("NOBODY", error)
"""

LOST_CLUSTER = """
import sys
import psutil, ray
import remote_tasks as remote
from prefect import flow
from prefect.task_runners import RayTaskRunner
from prefect.task_runners.ray import dispatch
from prefect.task_runners.remote import errands
from recorded import task_runs_of

errands.SILENCE, dispatch._LOST_SECONDS = 0.2, 1.0

@flow(task_runner=RayTaskRunner(init_kwargs={"num_cpus": 1, "log_to_driver": False}))
def main(place):
    held = remote.hold.submit(place + "/begun", place + "/until")
    late = remote.same.submit(held)
    remote.wait_until((remote.Path(place) / "begun").exists)
    for process in psutil.Process().children(recursive=True):
        if process.name() == "gcs_server":
            process.kill()
    held.wait(30)
    print("LOST", held.state.name, held.state.message)
    return held

@flow(task_runner=RayTaskRunner(init_kwargs={"num_cpus": 1, "log_to_driver": False}))
def leaving(place):
    held = remote.hold.submit(place + "/begun", place + "/until")
    ray.shutdown()
    held.wait(30)
    late = remote.same.submit(1)
    print("LEFT", held.state.name, late.state.name, held.state.message)

leaving(sys.argv[1], return_state=True)
state = main(sys.argv[1], return_state=True)
print("FLOW", state.name)
print("RUNS", sorted(run.state_name for run in task_runs_of(state)))
"""


SEEN_RUNNING = """
import sys
import remote_tasks as remote
from prefect import flow
from prefect.client.current import get_caller
from prefect.operations.logs import read_logs
from prefect.recorder import get_recorder
from prefect.schemas.filters import LogFilter
from prefect.schemas.queries import LogQuery
from prefect.task_runners import RayTaskRunner
from prefect.task_runners.ray import answers
from ray.experimental import tqdm_ray
from recorded import history_of, task_run_of, task_runs_of

answers._YOUNG_SECONDS = 0.1

held_id, seen = [], []

def logged():
    get_recorder().flush()
    logs = get_caller().call(read_logs, LogQuery(logs=LogFilter(task_run_id={"any_": held_id})))
    return [log.message for log in logs if log.message == "holding"]

def state_of(future):
    get_recorder().flush()
    return task_run_of(future.task_run_id).state_name

@flow(task_runner=RayTaskRunner(init_kwargs={"num_cpus": 1, "log_to_driver": False}), log_prints=True)
def main(place):
    held = remote.hold.submit(place + "/begun", place + "/until")
    tqdm_ray.instance()  # as Ray does when a worker has printed: it replaces `print`
    print("while Ray shows what workers print")
    queued = remote.same.submit(1)
    remote.wait_until(lambda: state_of(held) == "Running")
    held_id.append(held.task_run_id)
    remote.wait_until(lambda: logged() == ["holding"])
    seen.extend([held.state.name, queued.state.name, state_of(queued)])
    remote.Path(place, "until").touch()
    return held, queued

state = main(sys.argv[1], return_state=True)
print("SEEN", *seen)
print("RUNS", [history_of(run) for run in task_runs_of(state)])
print("LOGS", logged())
print("PRINTS", [log.message for log in get_caller().call(read_logs, LogQuery()) if "print" in log.message])
"""


def run(place: Path, script: str) -> dict[str, str]:
    (place / "script.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "script.py", str(place)],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=250,
        env={**os.environ, "PREFECT_HOME": str(place / "home"), "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    lines = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
    assert lines, done.stderr
    return {**lines, "output": done.stdout + done.stderr}


def test_a_cluster_of_its_own(tmp_path):
    told = run(tmp_path, OWN_CLUSTER)

    assert "INNER" in told, told["output"]
    assert told["OPTIONS"] == "{'CPU': 2.0, 'disk': 0.5} {'CPU': 1.0}"
    assert told["REFUSED"].startswith("Failed")
    assert "Ray does not take a run of task 'given'" in told["REFUSED"]
    assert "number_of_cpus" in told["REFUSED"]
    assert "names another: call ray.shutdown() before" in told["ELSEWHERE"]
    assert told["TERMINATED"] == "Terminated by signal 15"  # Ray would end the program in its place
    assert told["INNER"] == "7"
    assert told["ENDED"] == "True"
    assert told["KEPT"] == "8000000"  # brought here before the cluster ended
    assert told["NOBODY"].startswith("No Ray answers at 127.0.0.1:1, or there is no way from here to it: ")


def test_a_cluster_that_is_lost(tmp_path):
    told = run(tmp_path, LOST_CLUSTER)

    assert "RUNS" in told, told["output"]
    assert told["LEFT"].startswith("Crashed Crashed This process has left the Ray cluster")
    assert told["LOST"].startswith("Crashed The Ray cluster at ")
    assert "was lost: its head has not answered for" in told["LOST"]
    assert told["FLOW"] == "Failed"
    assert told["RUNS"] == "['Crashed', 'Crashed']"


def test_a_long_task_is_seen_to_run_and_to_log(tmp_path):
    told = run(tmp_path, SEEN_RUNNING)

    assert "RUNS" in told, told["output"]
    assert told["SEEN"] == "Running Pending Pending"
    assert told["RUNS"] == str([["Pending", "Running", "Completed"]] * 2)
    assert told["LOGS"] == "['holding']"  # once, though the answer has it again
    assert told["PRINTS"] == "['while Ray shows what workers print']"


def test_bad_arguments():
    from prefect.task_runners import RayTaskRunner
    from prefect.task_runners.ray import remote_options

    with pytest.raises(TypeError, match=r"init_kwargs must be a dict of arguments of ray\.init"):
        RayTaskRunner(init_kwargs=["num_cpus"])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="given twice"):
        RayTaskRunner("auto", {"address": "auto"})
    with pytest.raises(ValueError, match="cannot set 'num_returns'"), remote_options(num_returns=3):
        pass
    runner = RayTaskRunner(init_kwargs={"address": "auto", "num_cpus": 2})
    assert repr(runner) == "RayTaskRunner(address='auto', init_kwargs={'num_cpus': 2})"
    assert runner.duplicate() == runner


def test_names_that_existing_code_imports():
    import prefect_ray
    import prefect_ray.context
    import prefect_ray.task_runners
    from prefect.task_runners import RayTaskRunner

    assert prefect_ray.RayTaskRunner is prefect_ray.task_runners.RayTaskRunner is RayTaskRunner
    assert prefect_ray.context.remote_options is prefect_ray.remote_options


def test_without_ray_the_extra_is_named(run_python):
    done = run_python(
        "-c",
        "import sys\n"
        "sys.modules['ray'] = None\n"  # as if it were not installed
        "from prefect.task_runners import RayTaskRunner",
        check=False,
    )

    assert done.returncode == 1
    assert 'pip install "proconsul[ray]"' in done.stderr
