"""How a runner gets a run for itself, and what becomes of one that it leaves."""

from __future__ import annotations

import subprocess
import sys

import pytest

from prefect.operations.flow_runs import set_flow_run_state
from prefect.operations.leases import Holder, crash_orphans, current_holder, hold_flow_run
from prefect.runner.children import start_child
from prefect.runner.claims import claim, end_left_run
from prefect.schemas.states import State, StateType
from prefect.types import now

pytestmark = [pytest.mark.timeout(90), pytest.mark.processes, pytest.mark.embedded]


@pytest.fixture
def run(place):
    return place.run_of(place.deploy("f", "script.py:f"))


def test_a_run_is_given_to_one_runner(place, run):
    first, second = claim(place.client, run), claim(place.client, run)

    assert (first, second) == (place.read(run).state.id, None)
    assert place.history(run) == ["Scheduled", "Pending", "Submitting"]


def test_a_run_whose_runner_dies_before_it_begins_is_given_back(store_place):
    run = store_place.run_of(store_place.deploy("f", "script.py:f"))
    assert claim(store_place.client, run)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    holder = Holder(host=current_holder().host, pid=gone.pid, process_started="then")
    store_place.client.call(hold_flow_run, run.id, holder, now())

    assert store_place.client.call(crash_orphans, now()) == []
    found = store_place.read(run)
    assert (found.state_name, found.next_scheduled_start_time) == ("Scheduled", run.next_scheduled_start_time)
    assert claim(store_place.client, run)


@pytest.mark.parametrize(
    ("kind", "code", "name", "said"),
    [
        (StateType.RUNNING, -9, "Crashed", "memory"),
        (StateType.PENDING, 1, "Crashed", "exit code 1"),
        (StateType.CANCELLING, -15, "Cancelled", "cancelled"),
    ],
)
def test_a_run_that_its_process_left_is_ended(place, run, kind, code, name, said):
    place.client.call(set_flow_run_state, run.id, State(type=StateType.PENDING))
    place.client.call(set_flow_run_state, run.id, State(type=kind))

    assert end_left_run(place.client, run.id, code) is not None
    state = place.read(run).state
    assert state.name == name
    assert said in state.message


def test_what_a_child_prints_is_kept_where_asked(store_place):
    run = store_place.run_of(store_place.deploy("f", "script.py:f"))
    command = [sys.executable, "-c", "print('a line'); import sys; print('another', file=sys.stderr)"]

    child = start_child(run, command=command, capture_output=True, stream_output=False)

    assert child.wait() == 0
    from prefect.recorder import get_recorder

    get_recorder().flush()
    assert sorted(store_place.logs(run)) == ["a line", "another"]


def test_a_child_is_asked_to_end_before_it_is_made_to(store_place):
    store_place.script(
        "import time\nfrom prefect import flow\n"
        "@flow(on_cancellation=[lambda *_: print('HOOK')])\n"
        "def f():\n    print('READY', flush=True)\n    time.sleep(600)\n"
    )
    run = store_place.run_of(store_place.deploy("f", "script.py:f"))
    taken = claim(store_place.client, run)
    child = start_child(run, claim=taken, env=store_place.env, capture_output=True, stream_output=False)
    while store_place.read(run).state_name != "Running":
        assert child.poll() is None
    store_place.client.call(set_flow_run_state, run.id, State(type=StateType.CANCELLING))

    code = child.end(grace=30)

    assert code not in (0, None)
    assert store_place.read(run).state_name == "Cancelled"
    assert end_left_run(store_place.client, run.id, code) is None
    assert "HOOK" in store_place.logs(run)
