from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from makers import at, make_flow_run, make_task_run, state
from sqlalchemy import update

from prefect.operations import (
    Holder,
    crash_orphans,
    current_holder,
    delete_flow_run,
    hold_flow_run,
    read_flow_run,
    read_flow_run_states,
    read_task_run,
    read_task_run_states,
    release_flow_run,
    renew_leases,
    set_flow_run_state,
)
from prefect.operations.claims import claim_flow_run
from prefect.operations.events import record_events
from prefect.operations.leases import keep_leases, take_over_flow_run
from prefect.schemas.events import Event
from prefect.schemas.objects import FlowRun
from prefect.schemas.states import StateDetails, StateType
from prefect.store import make_store
from prefect.store.base import Store
from prefect.store.tables import flow_runs
from prefect.types import now, uuid7
from prefect.types.processes import host_id, is_running, started

LONG = timedelta(days=365 * 100)
ELSEWHERE = Holder(host="another-machine:boot:pid", pid=1, process_started="1")


@pytest.fixture(scope="module")
def dead() -> Holder:
    """A process of this machine that is gone."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        holder = Holder(host=host_id(), pid=process.pid, process_started=started(process.pid) or "")
        process.kill()
    return holder


@pytest.fixture
def run(store: Store) -> Iterator[FlowRun]:
    """A flow run that runs."""
    yield make_flow_run(store, state=state("RUNNING", 1))


def test_a_run_whose_process_is_gone_crashes_with_its_task_runs(
    store: Store, run: FlowRun, dead: Holder
) -> None:
    done = make_task_run(store, state("RUNNING", 1), state("COMPLETED", 2), flow_run_id=run.id)
    open_ = make_task_run(store, state("PENDING", 1), state("RUNNING", 2), flow_run_id=run.id)
    hold_flow_run(store, run.id, dead, at(0) + LONG)
    assert [each.id for each in crash_orphans(store, at(10))] == [run.id]
    read = read_flow_run(store, run.id)
    assert (read.state_type, read.end_time, read.total_run_time) == (StateType.CRASHED, at(10), 540.0)
    assert read.state is not None
    assert f"process {dead.pid}" in (read.state.message or "")
    assert read_task_run(store, done.id).state_type is StateType.COMPLETED
    crashed = read_task_run(store, open_.id)
    assert (crashed.state_type, crashed.end_time) == (StateType.CRASHED, at(10))
    assert [each.name for each in read_task_run_states(store, open_.id)] == ["Pending", "Running", "Crashed"]
    assert crash_orphans(store, at(11)) == []


def test_a_live_process_is_left_alone_however_old_its_lease(store: Store, run: FlowRun) -> None:
    hold_flow_run(store, run.id, current_holder(), at(0) - LONG)
    assert crash_orphans(store, now()) == []
    assert read_flow_run(store, run.id).state_type is StateType.RUNNING


def test_a_process_id_that_was_given_out_again_is_another_process(store: Store, run: FlowRun) -> None:
    me = current_holder()
    reused = Holder(host=me.host, pid=me.pid, process_started="1")
    hold_flow_run(store, run.id, reused, at(0) + LONG)
    assert [each.id for each in crash_orphans(store, at(10))] == [run.id]


def test_another_machine_is_given_until_its_lease_ends(store: Store, run: FlowRun) -> None:
    hold_flow_run(store, run.id, ELSEWHERE, at(5))
    assert crash_orphans(store, at(5)) == []
    renew_leases(store, [run.id], at(8))
    assert crash_orphans(store, at(7)) == []
    assert crash_orphans(store, at(9)) == []  # only late: it may be heard of yet
    assert [each.id for each in crash_orphans(store, at(11))] == [run.id]


def test_a_run_that_ended_never_crashes(store: Store, run: FlowRun, dead: Holder) -> None:
    hold_flow_run(store, run.id, dead, at(0))
    set_flow_run_state(store, run.id, state("COMPLETED", 2))
    hold_flow_run(store, run.id, dead, at(0))  # a beat that came late
    assert crash_orphans(store, at(10)) == []
    assert read_flow_run(store, run.id).state_type is StateType.COMPLETED
    assert crash_orphans(store, at(11)) == []


def test_a_lease_that_was_given_back_proves_nothing(store: Store, run: FlowRun, dead: Holder) -> None:
    hold_flow_run(store, run.id, dead, at(0))
    release_flow_run(store, run.id)
    assert crash_orphans(store, at(10)) == []


def test_a_run_that_was_being_cancelled_is_cancelled(store: Store, run: FlowRun, dead: Holder) -> None:
    set_flow_run_state(store, run.id, state("CANCELLING", 2))
    hold_flow_run(store, run.id, dead, at(0))
    assert [each.state_type for each in crash_orphans(store, at(10))] == [StateType.CANCELLED]


def test_a_run_crashes_once_however_many_processes_look(store: Store, dead: Holder) -> None:
    runs = [make_flow_run(store, state=state("RUNNING", 1)) for _ in range(10)]
    for each in runs:
        hold_flow_run(store, each.id, dead, at(0))
    # Each with connections of its own, as other processes would have.
    stores = [make_store(store.url) for _ in range(4)]
    with ThreadPoolExecutor(len(stores)) as pool:
        found = list(pool.map(lambda other: crash_orphans(other, at(10)), stores))
    for other in stores:
        other.close()
    assert sorted(each.id for some in found for each in some) == sorted(each.id for each in runs)
    for each in runs:
        names = [entered.name for entered in read_flow_run_states(store, each.id)]
        assert names == ["Running", "Crashed"]


def test_a_task_run_recorded_late_does_not_undo_the_crash(store: Store, run: FlowRun, dead: Holder) -> None:
    task_run = make_task_run(store, state("PENDING", 1), state("RUNNING", 2), flow_run_id=run.id)
    hold_flow_run(store, run.id, dead, at(0))
    crash_orphans(store, at(10))
    make_task_run(store, state("PENDING", 1), state("RUNNING", 2), flow_run_id=run.id, id=task_run.id)
    assert read_task_run(store, task_run.id).state_type is StateType.CRASHED


def test_a_run_that_cannot_be_read_keeps_no_other_from_ending(
    store: Store, run: FlowRun, dead: Holder, caplog: pytest.LogCaptureFixture
) -> None:
    unreadable = make_flow_run(store, state=state("RUNNING", 1))
    with store.transaction() as connection:
        connection.execute(update(flow_runs).where(flow_runs.c.id == unreadable.id).values(tags="[1]"))
    for each in (unreadable, run):
        hold_flow_run(store, each.id, dead, at(0) + LONG)
    assert [each.id for each in crash_orphans(store, at(10))] == [run.id]
    assert f"{unreadable.id.hex} lost its process, but cannot be read" in caplog.text.replace("-", "")
    caplog.clear()
    assert crash_orphans(store, at(11)) == []
    assert not caplog.records


def test_a_process_knows_whether_it_runs(dead: Holder) -> None:
    me = current_holder()
    assert is_running(me.pid, me.process_started)
    assert not is_running(dead.pid, dead.process_started)
    assert started(dead.pid) is None


def test_a_run_that_was_given_to_another_process_is_not_taken_over(store: Store, dead: Holder) -> None:
    run = make_flow_run(store, state=state("PENDING", 1))
    hold_flow_run(store, run.id, dead, at(0) + LONG)
    other = set_flow_run_state(store, run.id, state("PENDING", 2, name="Submitting")).state
    assert other is not None

    assert not take_over_flow_run(store, run.id, run.state_id, current_holder(), at(0) + LONG)
    # The lease stays the other's.
    assert crash_orphans(store, at(10))[0].id == run.id


def test_a_run_is_taken_over_by_the_process_that_was_started_for_it(store: Store, dead: Holder) -> None:
    run = make_flow_run(store, state=state("PENDING", 1))
    hold_flow_run(store, run.id, dead, at(0) + LONG)

    assert take_over_flow_run(store, run.id, run.state_id, current_holder(), at(0) + LONG)
    assert crash_orphans(store, at(10)) == []
    set_flow_run_state(store, run.id, state("CANCELLING", 2))
    assert take_over_flow_run(store, run.id, run.state_id, current_holder(), at(0) + LONG)
    assert not take_over_flow_run(store, uuid7(), run.state_id, current_holder(), at(0) + LONG)


def test_a_state_is_entered_only_from_the_one_that_was_named(store: Store) -> None:
    run = make_flow_run(store, state=state("PENDING", 1))
    begun = set_flow_run_state(store, run.id, state("RUNNING", 2), only_from=run.state_id)
    again = set_flow_run_state(store, run.id, state("RUNNING", 3), only_from=run.state_id)
    assert (begun.status.value, again.status.value) == ("ACCEPT", "ABORT")
    assert "given to another process" in (again.details.reason or "")
    assert read_flow_run(store, run.id).run_count == 1


def test_a_late_process_that_is_heard_of_again_has_as_long_as_ever(store: Store, run: FlowRun) -> None:
    hold_flow_run(store, run.id, ELSEWHERE, at(1))
    assert crash_orphans(store, at(2)) == []  # the store was away, say, or the process was stopped
    renew_leases(store, [run.id], at(3))
    assert crash_orphans(store, at(4)) == []
    assert crash_orphans(store, at(4.5)) == []
    assert read_flow_run(store, run.id).state_type is StateType.RUNNING
    assert [each.id for each in crash_orphans(store, at(6))] == [run.id]


def test_a_run_takes_its_lease_as_it_begins(store: Store, dead: Holder) -> None:
    run = make_flow_run(store, state=state("PENDING", 1))
    set_flow_run_state(store, run.id, state("RUNNING", 2), holder=dead)
    open_ = make_task_run(store, state("PENDING", 1), state("RUNNING", 2), flow_run_id=run.id)

    assert [each.id for each in crash_orphans(store, now())] == [run.id]
    assert read_task_run(store, open_.id).state_type is StateType.CRASHED


def test_a_process_that_was_refused_holds_nothing(store: Store, run: FlowRun, dead: Holder) -> None:
    answer = set_flow_run_state(store, run.id, state("RUNNING", 2), only_from=uuid7(), holder=dead)
    assert answer.status.value != "ACCEPT"
    assert crash_orphans(store, now()) == []


def test_a_suspended_run_is_nobodys(store: Store, dead: Holder) -> None:
    run = make_flow_run(store, state=state("PENDING", 1), deployment_id=uuid7())
    set_flow_run_state(store, run.id, state("RUNNING", 2), holder=dead)
    details = StateDetails(pause_reschedule=True, pause_timeout=now() + LONG)
    set_flow_run_state(store, run.id, state("PAUSED", 3, name="Suspended", state_details=details))

    assert crash_orphans(store, now()) == []
    assert read_flow_run(store, run.id).state_name == "Suspended"


def test_who_says_of_runs_that_it_is_alive_keeps_them(store: Store, run: FlowRun) -> None:
    hold_flow_run(store, run.id, ELSEWHERE, now() - LONG)
    keep_leases(store, [run.id, uuid7()])
    assert crash_orphans(store, now() + timedelta(seconds=50)) == []
    assert crash_orphans(store, now() + timedelta(seconds=70)) == []
    assert [each.id for each in crash_orphans(store, now() + timedelta(seconds=140))] == [run.id]


def beat(run: FlowRun, minutes: float) -> Event:
    resource = {"prefect.resource.id": f"prefect.flow-run.{run.id}", "prefect.resource.name": run.name}
    return Event(id=uuid7(), occurred=at(minutes), event="prefect.flow-run.heartbeat", resource=resource)


def test_who_sent_a_heartbeat_is_held_to_it(store: Store, run: FlowRun) -> None:
    open_ = make_task_run(store, state("PENDING", 1), state("RUNNING", 2), flow_run_id=run.id)
    record_events(store, [beat(run, 1)])
    began = now()
    for seconds in (200, 220, 420):
        assert crash_orphans(store, began + timedelta(seconds=seconds)) == []
    (ended,) = crash_orphans(store, began + timedelta(seconds=440))
    assert ended.state is not None
    assert "last heartbeat" in (ended.state.message or "")
    assert read_task_run(store, open_.id).state_type is StateType.CRASHED


def test_a_client_that_sends_heartbeats_seldom_has_longer(store: Store, run: FlowRun) -> None:
    record_events(store, [beat(run, 1)])
    record_events(store, [beat(run, 11), beat(run, 11)])  # in ten minutes
    record_events(store, [beat(run, 11.1)])
    began = now()
    assert crash_orphans(store, began + timedelta(minutes=10)) == []
    assert crash_orphans(store, began + timedelta(minutes=11)) == []
    assert [each.id for each in crash_orphans(store, began + timedelta(minutes=23))] == [run.id]


def test_a_late_heartbeat_revives_nothing(store: Store, run: FlowRun) -> None:
    set_flow_run_state(store, run.id, state("COMPLETED", 2))
    missing = make_flow_run(store, state=state("RUNNING", 1))
    delete_flow_run(store, missing.id)
    record_events(store, [beat(run, 3), beat(missing, 3)])
    assert crash_orphans(store, now() + LONG) == []
    assert read_flow_run(store, run.id).state_type is StateType.COMPLETED


def test_a_run_of_a_claim_goes_by_its_heartbeats_once_it_has_begun(store: Store) -> None:
    run = make_flow_run(store, state=state("SCHEDULED", 1))
    claim_flow_run(store, run.id, ELSEWHERE, uuid7())
    record_events(store, [beat(run, 1)])  # still the claim's
    set_flow_run_state(store, run.id, state("RUNNING", 2))
    record_events(store, [beat(run, 2)])

    assert crash_orphans(store, now() + timedelta(seconds=220)) == []
    assert [each.id for each in crash_orphans(store, now() + timedelta(seconds=440))] == [run.id]


def test_heartbeats_say_nothing_of_who_waits(store: Store) -> None:
    run = make_flow_run(store, state=state("PENDING", 1), deployment_id=uuid7())
    record_events(store, [beat(run, 1)])
    crash_orphans(store, now() + timedelta(seconds=220))
    assert crash_orphans(store, now() + timedelta(seconds=440)) == []
    assert read_flow_run(store, run.id).state_name == "Pending"
