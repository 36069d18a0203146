"""What every task runner does when something goes wrong in a task, or before and after it."""

from __future__ import annotations

import threading
import traceback
from typing import Any

import pytest

import remote_tasks as remote
from prefect import flow, task
from prefect.exceptions import UnfinishedRun
from prefect.types.annotations import allow_failure
from recorded import history_of, task_runs_of
from task_runner_kinds import elsewhere

pytestmark = pytest.mark.timeout(200)


def histories(state: Any) -> dict[str, list[str]]:
    return {run.name.rpartition("-")[0]: history_of(run) for run in task_runs_of(state)}


def test_failures_with_their_tracebacks(runner):
    @flow(task_runner=runner)
    def main() -> Any:
        future = remote.fail.submit()
        with pytest.raises(KeyError, match="on the worker") as caught:
            future.result()
        assert isinstance(future.result(raise_on_failure=False), KeyError)
        assert future.state.is_failed()
        return "".join(traceback.format_exception(caught.value))

    state = main(return_state=True)
    # The line of the task, whatever process it ran in.
    assert "raise KeyError(text)" in state.result()
    assert histories(state) == {"fail": ["Pending", "Running", "Failed"]}


def test_exceptions_that_do_not_pickle_leave_their_text(runner):
    @flow(task_runner=runner)
    def main() -> Any:
        future = remote.fail_pickily.submit()
        future.wait()
        return future.state.message, str(future.result(raise_on_failure=False))

    message, text = main()
    assert message == "Task run encountered an exception Picky: 1 and 2"
    assert text in ("1 and 2", message)


def test_a_flow_fails_with_its_task(runner):
    @flow(task_runner=runner)
    def main() -> Any:
        return remote.fail.submit()

    assert main(return_state=True).is_failed()


def test_retries(runner):
    @flow(task_runner=runner)
    def main() -> Any:
        return remote.flaky.submit().result(), remote.flaky_with_delay.submit().result()

    state = main(return_state=True)
    assert state.result() == (3, 2)
    assert histories(state) == {
        "flaky": ["Pending", "Running", "Retrying", "Retrying", "Completed"],
        "flaky_with_delay": ["Pending", "Running", "AwaitingRetry", "Retrying", "Completed"],
    }
    assert {run.run_count for run in task_runs_of(state)} == {2, 3}


@pytest.mark.parametrize("slow", [remote.slow, remote.slow_aside], ids=["sync", "async"])
def test_timeouts(runner, slow):
    @flow(task_runner=runner)
    def main() -> Any:
        future = slow.submit()
        with pytest.raises(TimeoutError, match=r"0\.1 second"):
            future.result()
        return future.state.name

    assert main() == "TimedOut"


def test_what_follows_a_failure_is_not_run(runner):
    @flow(task_runner=runner)
    def main() -> Any:
        failed = remote.fail.submit()
        late, later = remote.same.submit(failed), remote.same.submit(1, wait_for=[failed])
        with pytest.raises(UnfinishedRun, match=f"Upstream task run '{failed.task_run_id}'"):
            late.result()
        later.wait()
        allowed = remote.same.submit(allow_failure(failed)).result()
        return late.state.name, later.state.name, type(allowed)

    state = main(return_state=True)
    assert state.result() == ("NotReady", "NotReady", KeyError)


def test_arguments_that_do_not_pickle_are_named(runner, kind):
    @flow(task_runner=runner)
    def main() -> Any:
        future = remote.add.submit(1, y=threading.Lock())
        future.wait()
        return future.state.name, future.state.message

    name, message = main()
    assert name == "Failed"
    if kind != "threads":
        assert "Argument 'y', a lock, of task 'add' cannot be sent to another process" in message


def test_tasks_that_do_not_pickle_are_named(runner, kind):
    guard = threading.Lock()

    @task
    def guarded() -> bool:
        return guard.locked()

    @flow(task_runner=runner)
    def main() -> Any:
        future = guarded.submit()
        future.wait()
        return future.state.name, future.state.message

    name, message = main()
    if kind == "threads":
        assert name == "Completed"
    else:
        assert name == "Failed"
        assert "'guarded'" in message
        assert "cannot be sent to another process" in message


def test_results_that_do_not_pickle_name_their_task(runner, kind):
    @flow(task_runner=runner)
    def main() -> Any:
        future = remote.lock.submit()
        future.wait()
        return future.state.is_completed(), future.state.message

    state = main(return_state=True)
    is_completed, message = state.result()
    assert is_completed is (kind == "threads")
    if not is_completed:
        assert "The result of task 'lock', a lock, cannot be sent back" in message
        assert histories(state) == {"lock": ["Pending", "Running", "Failed"]}


@elsewhere
def test_a_worker_that_is_killed(runner, kind):
    @flow(task_runner=runner)
    def main() -> Any:
        killed = remote.die.submit()
        killed.wait(90)
        # What comes after has workers again.
        return killed.state.name, killed.state.message, remote.same.submit(9).result(timeout=60)

    state = main(return_state=True)
    name, message, after = state.result()
    assert (name, after) == ("Crashed", 9)
    assert "ended before the task did" in message
    assert histories(state)["die"][-1] == "Crashed"


@elsewhere
def test_a_worker_that_is_killed_is_retried(runner, kind, tmp_path):
    @flow(task_runner=runner)
    def main() -> Any:
        return remote.die_once.submit(str(tmp_path / "mark")).result(timeout=90)

    state = main(return_state=True)
    assert state.result() == 2
    history = histories(state)["die_once"]
    assert (history[0], history[-1]) == ("Pending", "Completed")


@elsewhere
def test_what_follows_a_task_whose_worker_is_killed(runner, kind, tmp_path):
    @flow(task_runner=runner)
    def main() -> Any:
        again = remote.die_once.submit(str(tmp_path / "mark"))
        follows = [remote.add.submit(again, n) for n in range(5)]
        numbers = [each.result(timeout=90) for each in follows]
        never = remote.same.submit(remote.die.submit())
        never.wait(90)
        return numbers, never.state.name

    assert main(return_state=True).result() == ([2, 3, 4, 5, 6], "NotReady")
    assert (tmp_path / "mark").read_text() == "again\n"


def test_what_a_flow_leaves_behind_is_taken_back(runner, tmp_path):
    """A flow that fails ends its tasks: those that have not begun are Cancelled."""
    begun, until = tmp_path / "begun", tmp_path / "until"

    @flow(task_runner=runner)
    def main() -> None:
        held = [remote.hold.submit(f"{begun}{n}", str(until)) for n in range(8)]
        late = remote.same.map([held[0], held[0], held[0]])
        remote.wait_until(lambda: list(tmp_path.iterdir()))
        threading.Timer(0.5, until.touch).start()
        assert late
        raise ValueError("the flow itself")

    state = main(return_state=True)
    assert state.is_failed()
    assert "the flow itself" in state.message
    names = [history_of(run)[-1] for run in task_runs_of(state)]
    assert "Completed" in names
    assert set(names) <= {"Completed", "Cancelled"}
    assert all(run.state is not None and run.state.is_final() for run in task_runs_of(state))
