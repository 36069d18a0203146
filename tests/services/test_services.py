"""What a server does unasked, on both databases."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from makers import log, make_flow_run, make_task_run

from prefect.exceptions import LeaseLost, ObjectNotFound, StoreUnavailable
from prefect.operations import (
    create_logs,
    read_flow_run,
    read_flow_run_states,
    read_logs,
    read_task_runs,
    set_flow_run_state,
)
from prefect.operations.concurrency import create_global_limit, increment_slots_with_lease, renew_lease
from prefect.operations.overdue import (
    drop_expired_slots,
    end_cancelled_runs,
    end_expired_pauses,
    mark_late_runs,
)
from prefect.operations.retention import forget_events, forget_flow_runs
from prefect.schemas.objects import FlowRun
from prefect.schemas.queries import LogQuery, TaskRunQuery
from prefect.schemas.states import NO_DETAILS, State, StateDetails, StateType
from prefect.services.loop import ServiceThread
from prefect.services.table import Service, services_of
from prefect.settings import get_current_settings, temporary_settings
from prefect.store.base import Store
from prefect.types import now

LATE = timedelta(seconds=15)
LONG = timedelta(seconds=300)


def scheduled(due: datetime) -> State[Any]:
    return State(type=StateType.SCHEDULED, state_details=StateDetails(scheduled_time=due))


def planned(store: Store, due: datetime, **values: Any) -> FlowRun:
    return make_flow_run(store, state=scheduled(due), **values)


def entered(store: Store, run: FlowRun, *kinds: str) -> FlowRun:
    for kind in kinds:
        set_flow_run_state(store, run.id, State(type=StateType(kind)), force=True)
    return read_flow_run(store, run.id)


# --- lateness -----------------------------------------------------------------------------------------------


def test_a_run_that_nobody_started_is_late_after_a_while(store):
    due = now() + timedelta(hours=1)
    run = planned(store, due)

    assert mark_late_runs(store, due + timedelta(seconds=14), LATE) == 0
    assert mark_late_runs(store, due + timedelta(seconds=15), LATE) == 1
    assert mark_late_runs(store, due + timedelta(seconds=16), LATE) == 0

    late = read_flow_run(store, run.id)
    assert (late.state_type, late.state_name) == (StateType.SCHEDULED, "Late")
    assert late.next_scheduled_start_time == late.expected_start_time == due
    assert [state.name for state in read_flow_run_states(store, run.id)] == ["Scheduled", "Late"]


def test_a_run_that_was_started_or_retries_is_not_late(store):
    due = now() - timedelta(minutes=5)
    entered(store, planned(store, due), "PENDING")
    entered(store, planned(store, due), "RUNNING", "COMPLETED")
    waiting = State(
        type=StateType.SCHEDULED, name="AwaitingRetry", state_details=StateDetails(scheduled_time=due)
    )
    make_flow_run(store, state=waiting)

    assert mark_late_runs(store, now(), LATE) == 0


# --- pauses -------------------------------------------------------------------------------------------------


def test_a_pause_that_nobody_ends_fails_when_its_time_is_over(store):
    run = make_flow_run(store)
    until = now() + timedelta(minutes=5)
    details = msgspec.structs.replace(NO_DETAILS, pause_timeout=until)
    set_flow_run_state(store, run.id, State(type=StateType.PAUSED, state_details=details), force=True)
    other = entered(store, make_flow_run(store), "PAUSED")

    assert end_expired_pauses(store, until - timedelta(seconds=1)) == 0
    assert end_expired_pauses(store, until + timedelta(seconds=1)) == 1

    failed = read_flow_run(store, run.id)
    assert failed.state is not None
    assert (failed.state.type, failed.state.message) == (
        StateType.FAILED,
        "The flow was paused and never resumed.",
    )
    assert read_flow_run(store, other.id).state_type is StateType.PAUSED


# --- cancellation -------------------------------------------------------------------------------------------


def test_a_run_that_does_not_end_is_cancelled_at_last(store):
    run = entered(store, make_flow_run(store), "RUNNING", "CANCELLING")

    assert end_cancelled_runs(store, now() + timedelta(seconds=290), LONG) == 0
    assert end_cancelled_runs(store, now() + timedelta(seconds=301), LONG) == 1
    assert read_flow_run(store, run.id).state_type is StateType.CANCELLED


def test_what_goes_on_within_a_cancelled_run_is_cancelled(store):
    parent = make_flow_run(store)
    stand_in = make_task_run(store, flow_run_id=parent.id)
    child = entered(store, make_flow_run(store, flow="child", parent_task_run_id=stand_in.id), "RUNNING")
    entered(store, parent, "RUNNING", "CANCELLED")

    end_cancelled_runs(store, now(), LONG)

    assert read_flow_run(store, child.id).state_type is StateType.CANCELLED
    assert end_cancelled_runs(store, now(), LONG) == 0


# --- leases -------------------------------------------------------------------------------------------------


def test_slots_whose_lease_expired_are_forgotten(store):
    from prefect.schemas.concurrency import GlobalConcurrencyLimitCreate

    create_global_limit(store, GlobalConcurrencyLimitCreate(name="db", limit=1))
    lease = increment_slots_with_lease(store, 1, ["db"], lease_duration=60).lease_id

    assert drop_expired_slots(store, now()) == 0
    assert drop_expired_slots(store, now() + timedelta(seconds=61)) == 1
    with pytest.raises(LeaseLost):
        renew_lease(store, lease, 60)


# --- retention ----------------------------------------------------------------------------------------------


def test_old_runs_are_forgotten_with_all_that_is_theirs(store):
    old = entered(store, make_flow_run(store, flow="old"), "RUNNING", "COMPLETED")
    stand_in = make_task_run(store, flow_run_id=old.id)
    within = entered(
        store, make_flow_run(store, flow="within", parent_task_run_id=stand_in.id), "RUNNING", "COMPLETED"
    )
    create_logs(store, [log("hello", flow_run_id=old.id)])
    running = entered(store, make_flow_run(store, flow="running"), "RUNNING")

    assert forget_flow_runs(store, now() - timedelta(hours=1)) == 0
    assert forget_flow_runs(store, now() + timedelta(hours=1), batch_size=1) == 2

    for gone in (old, within):
        with pytest.raises(ObjectNotFound):
            read_flow_run(store, gone.id)
    assert read_task_runs(store, TaskRunQuery()) == []
    assert read_logs(store, LogQuery()) == []
    assert read_flow_run(store, running.id).state_type is StateType.RUNNING


def test_old_events_are_forgotten(store):
    from prefect.operations.events import record_events
    from prefect.schemas.events import Event
    from prefect.types import uuid7

    events = [
        Event(
            id=uuid7(),
            occurred=now() - timedelta(days=days),
            event="x",
            resource={"prefect.resource.id": "r"},
            related=[],
            payload={},
        )
        for days in (1, 8, 9, 10)
    ]
    record_events(store, events)

    assert forget_events(store, now() - timedelta(days=7), batch_size=2) == 3
    assert forget_events(store, now() - timedelta(days=7)) == 0


# --- the thread ---------------------------------------------------------------------------------------------


def test_the_settings_switch_services_off():
    everything = {service.name for service in services_of(get_current_settings())}
    assert everything == {
        "scheduler",
        "recent deployments",
        "late runs",
        "pause expirations",
        "cancellation cleanup",
        "foreman",
        "repossessor",
        "automations",
        "messages of automations",
        "retention of events",
    }
    off = {
        f"PREFECT_SERVER_SERVICES_{name}_ENABLED": "false"
        for name in (
            "SCHEDULER",
            "LATE_RUNS",
            "PAUSE_EXPIRATIONS",
            "CANCELLATION_CLEANUP",
            "FOREMAN",
            "REPOSSESSOR",
            "TRIGGERS",
        )
    }
    with temporary_settings({**off, "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "flow_runs"}):
        assert [service.name for service in services_of(get_current_settings())] == ["retention of flow runs"]


def test_every_service_does_nothing_to_an_empty_store(store):
    with temporary_settings({"PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "true"}):
        for service in services_of(get_current_settings()):
            assert service.run_once(store, now()) in (0, None)


def test_a_service_that_fails_is_tried_again_and_keeps_no_other_from_work(store, caplog):
    tries: list[str] = []
    done = threading.Event()

    def fails(_store: Store, _at: datetime) -> None:
        tries.append("fails")
        if len(tries) > 1:
            raise StoreUnavailable("away")
        raise ValueError("broken")

    def works(_store: Store, _at: datetime) -> None:
        if len(tries) >= 2:
            done.set()

    logging.getLogger("prefect").propagate = True
    with ServiceThread(store, [Service("bad", 0.001, fails), Service("good", 0.001, works)]):
        assert done.wait(20)


def test_a_service_that_waits_for_others_holds_none_up(store):
    begun, done = threading.Event(), threading.Event()

    def waits(store: Store, at: datetime) -> None:
        begun.set()
        assert done.wait(20)

    def works(store: Store, at: datetime) -> None:
        assert begun.wait(20)
        done.set()

    services = [Service("waits", 60, waits, waits=True), Service("works", 60, works)]
    with ServiceThread(store, services):
        assert done.wait(20)


def test_a_service_that_waits_for_others_does_not_hold_up_the_end(store):
    begun, free, ended = (threading.Event() for _ in range(3))

    def waits(store: Store, at: datetime) -> None:
        begun.set()
        free.wait()
        ended.set()

    with ServiceThread(store, [Service("waits", 60.0, waits, waits=True)], last=0.05):
        assert begun.wait(20)

    assert not ended.is_set()
    free.set()
    assert ended.wait(20)
