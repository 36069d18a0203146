"""How a runner gets a run for itself, and what becomes of one that it leaves."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import msgspec
import pytest

from prefect.exceptions import ObjectNotFound
from prefect.operations.claims import CLAIM_SECONDS, claim_flow_run
from prefect.operations.flow_runs import set_flow_run_state
from prefect.operations.leases import Holder, crash_orphans, current_holder, hold_flow_run
from prefect.runner.children import start_child
from prefect.runner.claims import claim, end_left_run, keep
from prefect.schemas.responses import SetStateStatus
from prefect.schemas.states import State, StateType
from prefect.store import open_store
from prefect.types import now, uuid7

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


def test_a_claim_whose_answer_was_lost_is_granted_again(place, run):
    mark = uuid7()
    first = place.client.call(claim_flow_run, run.id, current_holder(), mark)
    second = place.client.call(claim_flow_run, run.id, current_holder(), mark)

    assert first.status is SetStateStatus.ACCEPT
    assert (second.status, second.state.id) == (first.status, first.state.id)
    assert place.client.call(claim_flow_run, run.id, current_holder(), uuid7()).status is SetStateStatus.ABORT


def test_a_claim_of_another_machine_holds_as_long_as_it_is_kept_up(place, run):
    elsewhere = Holder(host="elsewhere", pid=1, process_started="")
    assert place.client.call(claim_flow_run, run.id, elsewhere, uuid7()).status is SetStateStatus.ACCEPT
    store = open_store()

    crash_orphans(store, now() + timedelta(seconds=CLAIM_SECONDS - 5))
    assert place.read(run).state_name == "Submitting"
    keep(place.client, [run.id])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("prefect.operations.claims.now", lambda: now() + timedelta(minutes=5))
        keep(place.client, [run.id])
    crash_orphans(store, now() + timedelta(minutes=4))
    assert place.read(run).state_name == "Submitting"

    crash_orphans(store, now() + timedelta(minutes=7))
    assert place.read(run).state_name == "Scheduled"
    assert claim(place.client, run)


def test_a_run_that_has_begun_outlives_who_started_it(place, run):
    elsewhere = Holder(host="elsewhere", pid=1, process_started="")
    place.client.call(claim_flow_run, run.id, elsewhere, uuid7())
    place.client.call(set_flow_run_state, run.id, State(type=StateType.RUNNING))

    assert crash_orphans(open_store(), now() + timedelta(minutes=5)) == []
    assert place.read(run).state_name == "Running"


def test_a_server_that_knows_no_claims_is_asked_as_the_protocol_has_it(place, run, monkeypatch):
    def unknown(*_):
        raise ObjectNotFound(help_message="Not Found")

    monkeypatch.setattr("prefect.runner.claims.LocalClient", type("No", (), {}))
    monkeypatch.setattr("prefect.runner.claims._without_claims", names := set())
    ask = type(place.client).call

    def call(client, operation, *args, **kwargs):
        return unknown() if operation is claim_flow_run else ask(client, operation, *args, **kwargs)

    monkeypatch.setattr(type(place.client), "call", call)

    assert claim(place.client, run) == place.read(run).state.id
    assert place.history(run) == ["Scheduled", "Pending", "Submitting"]
    assert claim(place.client, run) is None
    assert names == {place.client.name}
    missing = msgspec.structs.replace(run, id=uuid7())
    assert claim(place.client, missing) is None


def test_a_run_that_is_gone_is_not_taken(place, run):
    assert claim(place.client, msgspec.structs.replace(run, id=uuid7())) is None


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
