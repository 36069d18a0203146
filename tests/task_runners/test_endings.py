"""What every task runner makes of tasks that end in ways of their own, and of what they said before."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

import remote_tasks as remote
from prefect import flow
from prefect.client.current import get_caller
from prefect.exceptions import SerializationError
from prefect.operations.logs import read_logs
from prefect.recorder import get_recorder
from prefect.schemas.filters import LogFilter
from prefect.schemas.queries import LogQuery
from prefect.task_runners import ProcessPoolTaskRunner
from recorded import history_of, task_runs_of
from task_runner_kinds import elsewhere, on_clusters

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        ("SystemExit", "Execution was aborted by Python system exit call."),
        ("KeyboardInterrupt", "Execution was aborted by a keyboard interrupt."),
        ("Unusual", "Execution was interrupted by an unexpected exception: Unusual"),
    ],
)
def test_a_task_that_exits_does_not_take_its_worker_along(runner, raised, message):
    @flow(task_runner=runner)
    def main() -> Any:
        exited = remote.exit_with.submit(raised)
        exited.wait(60)
        after = remote.same.submit(4).result()
        return (
            exited.state.name,
            exited.state.message,
            type(exited.result(raise_on_failure=False)).__name__,
            after,
        )

    state = main(return_state=True)
    name, text, kind, after = state.result()
    assert (name, kind, after) == ("Crashed", raised, 4)
    assert text.startswith(message)
    assert {history_of(run)[-1] for run in task_runs_of(state) if run.task_key.startswith("exit_with")} == {
        "Crashed"
    }


class Interrupting:
    """Presses Ctrl-C while it is made ready to travel."""

    def __reduce__(self) -> Any:
        raise KeyboardInterrupt


@on_clusters
def test_a_run_whose_submission_is_interrupted_ends_and_is_waited_for_no_more(runner):
    @flow(task_runner=runner)
    def main() -> Any:
        with pytest.raises(KeyboardInterrupt):
            remote.same.submit(Interrupting())
        return remote.same.submit(4).result()

    state = main(return_state=True)
    assert state.result() == 4
    assert sorted(history_of(run)[-1] for run in task_runs_of(state)) == ["Completed", "Crashed"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_child_that_a_task_forks_ends_with_the_task(runner, tmp_path):
    @flow(task_runner=runner)
    def main() -> Any:
        return remote.fork.submit(str(tmp_path / "said")).result(), remote.same.submit(4).result()

    state = main(return_state=True)
    assert state.result() == (0, 4)
    assert (tmp_path / "said").read_text() == "child\n"
    # What the child has called is recorded, and nothing of it twice.
    assert sorted(history_of(run) for run in task_runs_of(state)) == [["Pending", "Running", "Completed"]] * 3


@elsewhere
def test_results_that_cannot_be_read_name_their_run(runner, kind):
    @flow(task_runner=runner)
    def main() -> Any:
        future = remote.unreadable.submit()
        with pytest.raises(SerializationError, match=r"The result of run 'unreadable-.*cannot be read here"):
            future.result()
        return "seen"

    assert main() == "seen"


@pytest.mark.processes
def test_what_processes_tell_is_taken_before_their_answers():
    """Also where the process of the flow is busy, so that the thread that takes it comes late."""
    is_over = threading.Event()

    def be_busy() -> None:
        while not is_over.is_set():
            sum(range(3_000))

    @flow(task_runner=ProcessPoolTaskRunner(max_workers=4))
    def main() -> Any:
        busy = [threading.Thread(target=be_busy) for _ in range(3)]
        for thread in busy:
            thread.start()
        try:
            return [future.result() for future in remote.speak_late.map(range(40))]
        finally:
            is_over.set()
            for thread in busy:
                thread.join()

    state = main(return_state=True)
    assert state.is_completed()
    get_recorder().flush()
    own = LogFilter(flow_run_id={"any_": [state.state_details.flow_run_id]})
    logs = get_caller().call(read_logs, LogQuery(logs=own, limit=200))
    assert sum(log.message == "late" for log in logs) == 40


@pytest.mark.processes
def test_a_task_without_retries_that_ends_its_process_is_run_once(tmp_path):
    is_over = threading.Event()

    def be_busy() -> None:
        while not is_over.is_set():
            sum(range(3_000))

    @flow(task_runner=ProcessPoolTaskRunner(max_workers=1))
    def main() -> Any:
        busy = [threading.Thread(target=be_busy) for _ in range(3)]
        for thread in busy:
            thread.start()
        try:
            for _ in range(3):
                remote.count_and_die.submit(str(tmp_path / "begun")).wait()
        finally:
            is_over.set()
            for thread in busy:
                thread.join()
        return "over"

    assert main() == "over"
    assert Path(tmp_path / "begun").read_text() == "begun\n" * 3
