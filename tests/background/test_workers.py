"""What one process delays, another runs."""

from __future__ import annotations

import pickle
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import background_tasks as tasks
from prefect.client.current import get_caller
from prefect.exceptions import MissingResult, ParameterBindError, SerializationError
from prefect.futures import PrefectDistributedFuture, as_completed, wait
from prefect.operations import read_logs, read_task_run, read_task_run_states
from prefect.schemas.filters import LogFilter, LogFilterTaskRunId
from prefect.schemas.queries import LogQuery

SECONDS = 40


def states_of(future):
    return [state.name for state in get_caller().call(read_task_run_states, future.task_run_id)]


def until(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.usefixtures("place")
def test_a_run_waits_until_a_worker_takes_it(start_worker):
    future = tasks.add.delay(1, b=5)
    run = get_caller().call(read_task_run, future.task_run_id)
    assert (future.state.name, run.state.state_details.deferred) == ("Scheduled", True)
    assert run.state.state_details.task_parameters_id is not None
    with pytest.raises(TimeoutError, match="did not complete within"):
        future.result(timeout=0)

    start_worker()

    assert future.result(timeout=SECONDS) == 6
    assert states_of(future) == ["Scheduled", "Pending", "Running", "Completed"]
    assert future.state.state_details.deferred is not True


def test_runs_of_every_kind_come_to_their_ends(start_worker):
    worker = start_worker()

    first = tasks.add.delay(1)
    chained = tasks.add_later.delay(first, b=10)
    mapped = tasks.add.map([1, 2, 3], b=1, deferred=True)
    retried = tasks.fail_once.delay()
    failed = tasks.fail.delay()
    kept_from_running = tasks.add.apply_async((1,), wait_for=[failed])

    assert chained.result(timeout=SECONDS) == 13
    assert mapped.result(timeout=SECONDS) == [2, 3, 4]
    assert retried.result(timeout=SECONDS) == 2
    with pytest.raises(LookupError, match="nothing there"):
        failed.result(timeout=SECONDS)
    kept_from_running.wait(SECONDS)
    assert (kept_from_running.state.name, kept_from_running.done()) == ("NotReady", True)
    assert states_of(retried) == ["Scheduled", "Pending", "Running", "Retrying", "Completed"]
    run = get_caller().call(read_task_run, chained.task_run_id)
    assert [source.id for source in run.task_inputs["a"]] == [first.task_run_id]
    logs = LogFilter(task_run_id=LogFilterTaskRunId(any_=[failed.task_run_id]))
    assert "about to fail" in [log.message for log in get_caller().call(read_logs, LogQuery(logs=logs))]
    assert worker.poll() is None


def test_a_run_knows_the_flow_run_that_delayed_it(start_worker):
    worker = start_worker()
    name, run_id = tasks.delaying()

    found, flow_run_id, process = PrefectDistributedFuture(run_id).result(timeout=SECONDS)

    assert (found, process) == (name, worker.pid)
    assert flow_run_id == str(get_caller().call(read_task_run, run_id).flow_run_id)


def test_each_run_has_one_worker_and_a_killed_one_takes_no_others_with_it(start_worker, tmp_path):
    folder = tmp_path / "who"
    folder.mkdir()
    workers = [start_worker("--limit", "2") for _ in range(2)]
    held = [tasks.dawdle.delay(str(folder)) for _ in range(4)]
    until(lambda: [future.state.name for future in held].count("Running") == 4)
    assert {path.name for path in folder.iterdir()} == {str(worker.pid) for worker in workers}
    further = [tasks.add.delay(number) for number in range(6)]

    workers[0].kill()
    (folder / "go").touch()

    assert [future.result(timeout=SECONDS) for future in further] == [number + 2 for number in range(6)]
    done = wait(held, timeout=2).done
    assert {future.result() for future in done} == {workers[1].pid}
    assert len(done) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_that_is_told_to_end_lets_what_has_begun_end(start_worker, tmp_path, number):
    worker = start_worker()
    held = tasks.dawdle.delay(str(tmp_path))
    until(lambda: (tmp_path / str(worker.pid)).exists())

    worker.send_signal(number)
    until(lambda: "Waiting for 1 task run" in worker.stderr.readline())
    left = tasks.add.delay(1)
    (tmp_path / "go").touch()

    assert (worker.wait(SECONDS), held.result(timeout=SECONDS)) == (0, worker.pid)
    assert left.state.name == "Scheduled"


def test_a_second_signal_ends_a_worker_and_its_runs_crash(start_worker, tmp_path):
    worker = start_worker()
    held = tasks.dawdle.delay(str(tmp_path))
    until(lambda: held.state.name == "Running")

    worker.send_signal(signal.SIGTERM)
    until(lambda: "Waiting for 1 task run" in worker.stderr.readline())
    worker.send_signal(signal.SIGTERM)

    assert worker.wait(SECONDS) == 0
    held.wait(SECONDS)
    assert (held.state.name, "told to end" in held.state.message) == ("Crashed", True)


def test_a_run_whose_arguments_are_gone_crashes_and_says_so(start_worker, tmp_path):
    future = tasks.add.delay(1)
    for path in (tmp_path / "home" / "storage" / "parameters").iterdir():
        path.unlink()

    start_worker()
    future.wait(SECONDS)

    assert future.state.name == "Crashed"
    assert MissingResult.__name__ in future.state.message


def test_futures_can_be_waited_for_in_every_way(start_worker):
    start_worker()
    futures = [tasks.add.delay(number) for number in range(3)]
    with ThreadPoolExecutor() as pool:
        sent = pickle.loads(pickle.dumps(futures[0]))
        assert pool.submit(sent.result, SECONDS).result() == 2

    assert sorted(future.result() for future in as_completed(futures, timeout=SECONDS)) == [2, 3, 4]
    assert sent == futures[0] and len({sent, *futures}) == 3
    again = PrefectDistributedFuture(futures[1].task_run_id)
    assert again.done() and again.result() == 3


@pytest.mark.usefixtures("place")
def test_arguments_must_fit_and_can_be_pickled():
    with pytest.raises(ParameterBindError, match="'a'"):
        tasks.add.delay()
    with pytest.raises(SerializationError, match="lock"):
        tasks.add.delay(threading.Lock())
