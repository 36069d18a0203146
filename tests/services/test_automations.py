"""Automations are carried out: what happened is followed, and what is to be done is done once."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from makers import make_flow_run

from counting import listened_to
from prefect.exceptions import ObjectNotFound, RequestRefused
from prefect.operations import create_flow, read_flow_run, read_flow_runs, set_flow_run_state
from prefect.operations.automation_actions import CLAIMED_FOR, act_on_triggers
from prefect.operations.automation_triggers import ON_THEIR_WAY, follow_events
from prefect.operations.automations import (
    create_automation,
    delete_automation,
    read_automation,
    update_automation,
)
from prefect.operations.deployments import create_deployment, read_deployment
from prefect.operations.event_listings import read_events
from prefect.operations.events import record_events
from prefect.operations.variables import create_variable
from prefect.operations.work_pools import create_work_pool, read_work_pool
from prefect.operations.work_queues import read_work_queue
from prefect.schemas.actions import FlowCreate
from prefect.schemas.automations import Automation, AutomationCreate, AutomationPartialUpdate
from prefect.schemas.deployments import DeploymentCreate
from prefect.schemas.events import Event, EventQuery, ReceivedEvent
from prefect.schemas.filters.events import EventFilter, EventNameFilter, EventOrder
from prefect.schemas.queries import FlowRunQuery
from prefect.schemas.states import State, StateType
from prefect.schemas.variables import VariableCreate
from prefect.schemas.work_pools import WorkPoolCreate
from prefect.services.table import services_of
from prefect.settings import get_current_settings
from prefect.store import make_store
from prefect.store.base import Store
from prefect.types import now, uuid7


@pytest.fixture(autouse=True)
def _events_are_kept(store: Store) -> Iterator[None]:
    """Have the store keep events, as that of a server does."""
    had, store.keeps_events = store.keeps_events, True
    yield
    store.keeps_events = had


def on(name: str, **values: Any) -> dict[str, Any]:
    return {"type": "event", "posture": "Reactive", "expect": [name], **values}


def make(store: Store, trigger: dict[str, Any], *actions: dict[str, Any], **values: Any) -> Automation:
    given = {
        "name": "mine",
        "trigger": trigger,
        "actions": list(actions) or [{"type": "do-nothing"}],
        **values,
    }
    return create_automation(store, AutomationCreate.model_validate(given))


def tell(store: Store, *names: str, resource: str = "r", at: datetime | None = None, **values: Any) -> None:
    told = [
        Event(
            id=uuid7(),
            occurred=at or now(),
            event=name,
            resource={"prefect.resource.id": resource, **values},
        )
        for name in names
    ]
    record_events(store, told)


def look(store: Store, at: datetime | None = None) -> int:
    """Do what the service does once; return how many actions were done."""
    at = at or now()
    follow_events(store, at)
    return act_on_triggers(store, at)


def told(store: Store, *names: str) -> list[ReceivedEvent]:
    wanted = EventNameFilter(name=[f"prefect.automation.{name}" for name in names])
    query = EventQuery(filter=EventFilter(event=wanted, order=EventOrder.ASC))
    return read_events(store, query).events


def failures(store: Store) -> list[str]:
    return [event.payload["reason"] for event in told(store, "action.failed")]


def deployment_of(store: Store, **values: Any) -> UUID:
    flow = create_flow(store, FlowCreate(name="etl"))
    return create_deployment(store, DeploymentCreate(name="d", flow_id=flow.id, **values)).id


# --- following ----------------------------------------------------------------------------------------------


def test_what_happens_triggers_and_both_are_told(store: Store) -> None:
    tell(store, "a")
    made = make(store, on("a", for_each=["who"]), actions_on_trigger=[{"type": "do-nothing"}])
    tell(store, "a", "b", who="me")

    assert look(store) == 2
    assert look(store) == 0

    (triggered,) = told(store, "triggered")
    assert triggered.resource == {
        "prefect.resource.id": f"prefect.automation.{made.id}",
        "prefect.resource.name": "mine",
        "prefect.posture": "Reactive",
    }
    cause = triggered.payload["triggering_event"]
    assert (triggered.payload["triggering_labels"], cause["event"]) == ({"who": "me"}, "a")
    roles = {each["prefect.resource.role"]: each["prefect.resource.id"] for each in triggered.related}
    assert roles == {"triggering-event": f"prefect.event.{cause['id']}"}

    events = told(store, "action.triggered", "action.executed")
    assert sorted((each.event.rpartition(".")[2], each.payload["action_index"]) for each in events) == [
        ("executed", 0),
        ("executed", 1),
        ("triggered", 0),
        ("triggered", 1),
    ]
    done = next(
        each for each in events if each.event.endswith("executed") and not each.payload["action_index"]
    )
    assert done.payload["action_type"] == "do-nothing"
    assert done.resource["prefect.trigger-type"] == "event"
    roles = {each["prefect.resource.role"]: each["prefect.resource.id"] for each in done.related}
    assert roles == {
        "triggering-event": f"prefect.event.{cause['id']}",
        "automation-triggered-event": f"prefect.event.{triggered.id}",
    }


def test_a_service_that_rests_without_automations_goes_on_with_the_first(store: Store) -> None:
    service = next(each for each in services_of(get_current_settings()) if each.name == "automations")
    assert [service.run_once(store, now()) for _ in range(3)] == [0, 0, 0]

    automation = make(store, on("a"))
    service.run_once(store, now())
    tell(store, "a")
    # Fired, and done.
    assert service.run_once(store, now()) == 2
    delete_automation(store, automation.id)

    service.run_once(store, now())
    tell(store, "a")
    assert service.run_once(store, now()) == 0


def test_what_was_counted_outlives_the_process(store: Store) -> None:
    make(store, on("a", threshold=3, within=3600))
    for _ in range(2):
        tell(store, "a")
        assert look(store) == 0
    again = make_store(store.url)
    again.keeps_events = True
    tell(again, "a")

    assert look(again) == 1
    again.close()


def test_silence_triggers_when_it_has_lasted(store: Store) -> None:
    trigger = on("done", after=["start"], within=60, posture="Proactive", for_each=["prefect.resource.id"])
    make(store, trigger)
    begin = now() - timedelta(hours=2)
    for name in "xy":
        tell(store, "start", resource=name, at=begin)
    tell(store, "done", resource="y", at=begin + timedelta(seconds=59))

    assert look(store, begin) == 0
    over = begin + timedelta(seconds=60) + ON_THEIR_WAY
    assert look(store, over - timedelta(milliseconds=1)) == 0
    assert look(store, over) == 1
    assert look(store, over + timedelta(hours=1)) == 0
    (triggered,) = told(store, "triggered")
    assert triggered.payload["triggering_labels"] == {"prefect.resource.id": "x"}


def test_what_comes_after_all_is_told_and_acted_upon(store: Store) -> None:
    trigger = on("done", after=["start"], within=60, posture="Proactive", for_each=["prefect.resource.id"])
    made = make(store, trigger, actions_on_resolve=[{"type": "cancel-flow-run"}])
    begin = now() - timedelta(hours=2)
    tell(store, "start", resource="x", at=begin)
    assert look(store) == 1
    tell(store, "done", resource="x")
    assert look(store) == 1
    tell(store, "done", resource="x")
    assert look(store) == 0

    (resolved,) = told(store, "resolved")
    assert resolved.resource["prefect.resource.id"] == f"prefect.automation.{made.id}"
    assert resolved.payload["triggering_labels"] == {"prefect.resource.id": "x"}
    assert resolved.payload["triggering_event"]["event"] == "done"
    assert failures(store) == ["No flow run could be inferred"]


def test_an_automation_that_is_disabled_or_deleted_sees_nothing(store: Store) -> None:
    made = make(store, on("a", threshold=2, within=3600))
    tell(store, "a")
    look(store)
    update_automation(store, made.id, AutomationPartialUpdate(enabled=False))
    tell(store, "a")
    assert look(store) == 0

    update_automation(store, made.id, AutomationPartialUpdate(enabled=True))
    tell(store, "a")
    assert look(store) == 0
    tell(store, "a")
    assert look(store) == 1
    delete_automation(store, made.id)
    tell(store, "a", "a")
    assert look(store) == 0


def test_many_events_are_all_seen(store: Store) -> None:
    make(store, on("a", threshold=1500))
    for _ in range(3):
        tell(store, *["a"] * 1000)

    assert look(store) == 2


@pytest.mark.parametrize("store", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_what_is_counted_apart_is_read_and_written_together(store: Store) -> None:
    make(store, on("a", for_each=["prefect.resource.id"], threshold=2, within=3600))
    with listened_to(store.url) as (url, talk):
        other = make_store(url)
        other.keeps_events = True
        for looked in range(2):
            each = [{"prefect.resource.id": f"r.{number}"} for number in range(300)]
            events = [Event(id=uuid7(), occurred=now(), event="a", resource=one) for one in each]
            record_events(store, events)
            talk.forget()
            assert follow_events(other, now()) == 300 * looked
            assert talk.statements < 40
        other.close()


def test_what_triggers_itself_or_each_other_comes_to_an_end(store: Store) -> None:
    make(store, {"type": "event", "posture": "Reactive"}, name="all")
    make(store, {"type": "event", "posture": "Reactive"}, name="all too")
    tell(store, "a")

    looks = 0
    while look(store):
        looks += 1
        assert looks < 100
    assert max(each.payload.get("depth", 0) for each in told(store, "triggered")) <= 3


@pytest.mark.parametrize("store", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_several_servers_do_everything_once(store: Store) -> None:
    deployment_id = deployment_of(store)
    make(
        store,
        on("a", for_each=["prefect.resource.id"]),
        {"type": "run-deployment", "deployment_id": str(deployment_id)},
    )
    others = [make_store(store.url) for _ in range(3)]

    def serve(one: Store) -> int:
        done = 0
        for number in range(10):
            tell(one, "a", resource=f"{id(one)}.{number}")
            done += look(one)
        return done

    with ThreadPoolExecutor(len(others)) as pool:
        done = sum(pool.map(serve, others))
    done += look(store)
    for other in others:
        other.close()

    assert done == 30
    assert len(read_flow_runs(store, FlowRunQuery())) == 30
    assert len(told(store, "action.executed")) == 30


def test_what_a_lost_process_claimed_is_done_by_another_and_a_run_is_made_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.operations import automation_actions

    deployment_id = deployment_of(store)
    make(store, on("a"), {"type": "run-deployment", "deployment_id": str(deployment_id)})
    tell(store, "a")
    at = now()
    with monkeypatch.context() as patched:
        patched.setattr(automation_actions, "conclude", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            look(store, at)

    assert look(store, at) == 0
    assert look(store, at + CLAIMED_FOR) == 1
    assert len(read_flow_runs(store, FlowRunQuery())) == 1


# --- acting -------------------------------------------------------------------------------------------------


def test_a_deployment_is_run_with_what_the_event_says(store: Store) -> None:
    pytest.importorskip("jinja2")
    deployment_id = deployment_of(store)
    run = make_flow_run(store, flow="first", name="the first")
    create_variable(store, VariableCreate(name="v", value={"deep": 1}))
    parameters = {
        "text": "{{ event.resource.id }} of {{ flow.name }}: {{ flow_run.name }}",
        "list": [1, {"__prefect_kind": "jinja", "template": "{{ automation.name }}"}],
        "number": {"__prefect_kind": "json", "value": "[1, {{ event.resource.n }}]"},
        "variable": {"__prefect_kind": "workspace_variable", "variable_name": "v"},
    }
    action = {"type": "run-deployment", "deployment_id": str(deployment_id), "parameters": parameters}
    action |= {"job_variables": {"image": "x:{{ labels.n }}"}, "schedule_after": 3600}
    made = make(store, on("a", for_each=["n"]), action)
    about = {"prefect.resource.id": f"prefect.flow.{run.flow_id}", "prefect.resource.role": "flow"}
    event = Event(
        id=uuid7(),
        occurred=now(),
        event="a",
        resource={"prefect.resource.id": f"prefect.flow-run.{run.id}", "n": "5"},
        related=[about],
    )
    record_events(store, [event])

    assert look(store) == 1
    assert failures(store) == []
    (found,) = [each for each in read_flow_runs(store, FlowRunQuery()) if each.id != run.id]
    assert found.parameters == {
        "text": f"prefect.flow-run.{run.id} of first: the first",
        "list": [1, "mine"],
        "number": [1, 5],
        "variable": {"deep": 1},
    }
    assert found.job_variables == {"image": "x:5"}
    assert found.created_by is not None
    assert (found.created_by.id, found.created_by.type) == (made.id, "AUTOMATION")
    due = found.next_scheduled_start_time
    assert due is not None
    assert due > now() + timedelta(minutes=50)
    (done,) = told(store, "action.executed")
    roles = {each["prefect.resource.role"]: each["prefect.resource.id"] for each in done.related}
    assert roles["flow-run"] == f"prefect.flow-run.{found.id}"
    assert roles["target"] == f"prefect.deployment.{deployment_id}"


def test_runs_that_set_off_runs_come_to_an_end(store: Store) -> None:
    deployment_id = deployment_of(store)
    make(
        store,
        on("prefect.flow-run.Scheduled"),
        {"type": "run-deployment", "deployment_id": str(deployment_id)},
    )
    make_flow_run(store, flow="etl", state=State(type=StateType.SCHEDULED))

    looks = 0
    while look(store):
        looks += 1
        assert looks < 100

    assert len(read_flow_runs(store, FlowRunQuery())) == 6
    (reason,) = failures(store)
    assert "set it off again, 5 times over" in reason


def test_without_jinja_templates_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment_id = deployment_of(store)
    for number in (1, "{{ event.id }}"):
        action = {"type": "run-deployment", "deployment_id": str(deployment_id), "parameters": {"n": number}}
        make(store, on("a"), action)
    tell(store, "a")
    real = builtins.__import__

    def none(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("jinja2"):
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", none)
    look(store)

    assert len(read_flow_runs(store, FlowRunQuery())) == 1
    (reason,) = failures(store)
    assert "pip install 'proconsul[templates]'" in reason
    with pytest.raises(RequestRefused, match="need jinja2, which is not installed"):
        make(
            store, on("a"), {"type": "run-deployment", "source": "inferred", "parameters": {"n": ["{{ x }}"]}}
        )


def test_the_flow_run_that_the_event_is_about_is_acted_upon(store: Store) -> None:
    deployment_id = deployment_of(store)

    def running(*actions: dict[str, Any]) -> tuple[UUID, Automation]:
        # What has no deployment cannot be suspended.
        run = make_flow_run(store, deployment_id=deployment_id)
        set_flow_run_state(store, run.id, State(type=StateType.RUNNING), force=True)
        about = f"prefect.flow-run.{run.id}"
        return run.id, make(store, on("a", match={"prefect.resource.id": about}), *actions)

    cancelled, by = running({"type": "cancel-flow-run"}, {"type": "resume-flow-run"})
    suspended, _ = running({"type": "suspend-flow-run"})
    changed, _ = running({"type": "change-flow-run-state", "state": "FAILED", "name": "Odd", "message": "m"})
    deleted, _ = running({"type": "delete-flow-run"})
    for run_id in (cancelled, suspended, changed, deleted):
        tell(store, "a", resource=f"prefect.flow-run.{run_id}")

    assert look(store) == 5

    def state(run_id: UUID) -> tuple[Any, ...]:
        found = read_flow_run(store, run_id).state
        assert found is not None
        return found.type.value, found.name, found.message

    assert state(cancelled) == ("CANCELLING", "Cancelling", f"Cancelled by Automation {by.id}")
    assert state(suspended)[:2] == ("PAUSED", "Suspended")
    assert state(changed) == ("FAILED", "Odd", "m")
    with pytest.raises(ObjectNotFound):
        read_flow_run(store, deleted)
    assert failures(store) == ["Failed to resume flow run: Cannot resume a flow run that is not paused."]


def test_a_suspended_run_is_resumed(store: Store) -> None:
    run = make_flow_run(store)
    set_flow_run_state(store, run.id, State(type=StateType.PAUSED, name="Suspended"), force=True)
    make(store, on("a"), {"type": "resume-flow-run"})
    tell(store, "a", resource=f"prefect.flow-run.{run.id}")

    look(store)

    assert failures(store) == []
    assert read_flow_run(store, run.id).state_type is not StateType.PAUSED


@pytest.mark.parametrize("source", ["selected", "inferred"])
def test_places_are_paused_and_resumed(store: Store, source: str) -> None:
    pool = create_work_pool(store, WorkPoolCreate(name="p", type="process"))
    queue_id = pool.default_queue_id
    assert queue_id is not None
    deployment_id = deployment_of(store)
    other = make(store, on("never"), name="other")
    places: list[tuple[str, UUID, Callable[[], bool]]] = [
        ("work-pool", pool.id, lambda: read_work_pool(store, "p").is_paused),
        ("work-queue", queue_id, lambda: read_work_queue(store, queue_id).is_paused),
        ("deployment", deployment_id, lambda: bool(read_deployment(store, deployment_id).paused)),
        ("automation", other.id, lambda: not read_automation(store, other.id).enabled),
    ]
    for kind, one, _ in places:
        for verb in ("pause", "resume"):
            given = {f"{kind.replace('-', '_')}_id": str(one)} if source == "selected" else {}
            make(store, on(f"{verb}.{kind}"), {"type": f"{verb}-{kind}", "source": source, **given})

    for kind, one, is_paused in places:
        for verb in ("pause", "resume"):
            tell(store, f"{verb}.{kind}", resource=f"prefect.{kind}.{one}")
            look(store)
            assert is_paused() is (verb == "pause"), (kind, failures(store))
    assert failures(store) == []


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (
            {"type": "run-deployment", "deployment_id": "0190c4ea-0000-7000-8000-000000000001"},
            "Deployment not found",
        ),
        (
            {"type": "pause-work-pool", "work_pool_id": "0190c4ea-0000-7000-8000-000000000001"},
            "Work pool not found",
        ),
        ({"type": "cancel-flow-run"}, "No flow run could be inferred"),
        ({"type": "pause-work-pool", "source": "inferred"}, "No work pool could be inferred"),
    ],
    ids=["deployment", "pool", "flow-run", "inferred"],
)
def test_what_cannot_be_done_is_told(store: Store, action: dict[str, Any], reason: str) -> None:
    make(store, on("a"), action)
    tell(store, "a")

    assert look(store) == 1
    (said,) = failures(store)
    assert reason in said
    assert look(store) == 0
