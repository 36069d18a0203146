"""Automations send messages: to whom a block says, once, and again where it may go well later."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from makers import make_flow_run

from http_servers import Scripted, Told
from prefect.exceptions import RequestRefused
from prefect.operations.automation_actions import act_on_triggers
from prefect.operations.automation_messages import MOST_ATTEMPTS, send_messages
from prefect.operations.automation_triggers import follow_events
from prefect.operations.automations import create_automation
from prefect.operations.block_documents import create_block_document
from prefect.operations.block_schemas import create_block_schema
from prefect.operations.block_types import create_block_type
from prefect.operations.event_listings import read_events
from prefect.operations.events import record_events
from prefect.schemas.automations import AutomationCreate
from prefect.schemas.blocks import BlockDocumentCreate, BlockSchemaCreate, BlockTypeCreate
from prefect.schemas.events import Event, EventQuery, ReceivedEvent
from prefect.schemas.filters.events import EventFilter, EventNameFilter
from prefect.schemas.states import State, StateType
from prefect.settings import PREFECT_UI_URL, temporary_settings
from prefect.store.base import Store
from prefect.types import now, uuid7

pytest.importorskip("jinja2")


@pytest.fixture(autouse=True)
def _events_are_kept(store: Store) -> Iterator[None]:
    had, store.keeps_events = store.keeps_events, True
    yield
    store.keeps_events = had


@pytest.fixture
def server() -> Iterator[Scripted]:
    made = Scripted()
    yield made
    made.close()


def block(store: Store, slug: str, **data: Any) -> str:
    kind = create_block_type(store, BlockTypeCreate(name=slug, slug=slug))
    fields = {"title": slug, "type": "object", "properties": {}, "secret_fields": ["url"]}
    schema = create_block_schema(store, BlockSchemaCreate(block_type_id=kind.id, fields=fields))
    wanted = BlockDocumentCreate(
        block_schema_id=schema.id, block_type_id=kind.id, name="mine", data=data, is_anonymous=False
    )
    return str(create_block_document(store, wanted).id)


def notify(block_id: str, body: str = "{{ event.resource.id }}", **values: Any) -> dict[str, Any]:
    return {"type": "send-notification", "block_document_id": block_id, "body": body, **values}


def make(store: Store, *actions: dict[str, Any]) -> None:
    trigger = {"type": "event", "posture": "Reactive", "expect": ["a"]}
    given = {"name": "mine", "trigger": trigger, "actions": list(actions)}
    create_automation(store, AutomationCreate.model_validate(given))


def tell(store: Store, resource: str = "r") -> None:
    about = {"prefect.resource.id": resource}
    record_events(store, [Event(id=uuid7(), occurred=now(), event="a", resource=about)])


def look(store: Store, at: datetime | None = None) -> int:
    at = at or now()
    follow_events(store, at)
    assert act_on_triggers(store, at) == 0
    return send_messages(store, at)


def told(store: Store, name: str) -> list[ReceivedEvent]:
    wanted = EventNameFilter(name=[f"prefect.automation.action.{name}"])
    return read_events(store, EventQuery(filter=EventFilter(event=wanted))).events


def failures(store: Store) -> list[str]:
    return [event.payload["reason"] for event in told(store, "failed")]


def test_people_are_told_what_happened_and_where_to_look(store: Store, server: Scripted) -> None:
    run = make_flow_run(store, name="blue-crab", state=State(type=StateType.FAILED, message="no disk"))
    made = block(store, "slack-webhook", url=f"{server.url}/T0/secret")
    body = "{{ flow_run.name }} {{ flow_run.state.message }} {{ flow_run|ui_url }}"
    body += "|{{ flow.name }}|{{ work_pool|ui_url }}"
    make(store, notify(made, body, subject="{{ automation.name }}: {{ flow_run.state.name }}"))
    tell(store, f"prefect.flow-run.{run.id}")

    with temporary_settings({PREFECT_UI_URL: "http://ui/"}):
        assert look(store) == 1
    assert look(store) == 0

    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/api/T0/secret")
    text = f"*mine: Failed*\nblue-crab no disk http://ui/runs/flow-run/{run.id}||"
    assert json.loads(asked.body) == {"text": text}
    (done,) = told(store, "executed")
    assert done.payload["action_type"] == "send-notification"
    roles = {each["prefect.resource.role"]: each["prefect.resource.id"] for each in done.related}
    assert roles["block"] == f"prefect.block-document.{made}"


def test_webhooks_are_called(store: Store, server: Scripted) -> None:
    values = {"url": server.url, "method": "PUT", "headers": {"x-key": "k"}}
    payload = '{"id": {{ event.resource.id|tojson }}}'
    made = block(store, "webhook", **values)
    make(store, {"type": "call-webhook", "block_document_id": made, "payload": payload})
    tell(store)

    assert look(store) == 1

    (asked,) = server.asked
    assert (asked.method, json.loads(asked.body)) == ("PUT", {"id": "r"})
    assert asked.headers["x-key"] == "k"
    assert failures(store) == []


def test_what_may_go_well_later_is_sent_again_and_what_came_is_not(
    store: Store, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = server.url.removeprefix("http://").removesuffix("/api").split(":")
    channels = ["one", "two", "three"]
    values = {"hostname": host, "port": int(port), "token": "s3cret", "channels": channels}
    make(store, notify(block(store, "mattermost-webhook", **values)))
    tell(store)
    server.tell(Told(), Told(503), Told(429, headers={"retry-after": "100"}), Told())
    at = now()

    caplog.set_level(logging.DEBUG)
    assert look(store, at) == 0
    assert look(store, at) == 0
    assert look(store, at + timedelta(seconds=10)) == 0
    assert look(store, at + timedelta(seconds=90)) == 0
    assert look(store, at + timedelta(seconds=120)) == 1

    said = [json.loads(each.body)["channel"] for each in server.asked]
    assert said == ["one", "two", "two", "two", "three"]
    assert len(told(store, "executed")) == 1
    assert "503 Service Unavailable" in caplog.text
    assert "s3cret" not in caplog.text


def test_what_never_goes_well_is_told_in_the_end_without_its_secrets(
    store: Store, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    made = block(store, "slack-webhook", url=f"{server.url}/s3cret")
    make(store, notify(made), notify(block(store, "webhook", url="http://s3cret.invalid")))
    make(store, notify(block(store, "discord-webhook")), notify(str(UUID(int=1))))
    tell(store)
    server.tell(Told(500))
    at = now()

    caplog.set_level(logging.DEBUG)
    done = sum(look(store, at + timedelta(hours=number)) for number in range(MOST_ATTEMPTS))

    assert done == 4
    assert len(server.asked) == MOST_ATTEMPTS
    assert sorted(reason.partition("; ")[0] for reason in failures(store)) == [
        "send-notification: Block document not found",
        "send-notification: Blocks of type 'webhook' cannot be sent messages by",
        "send-notification: The block has no 'webhook_id'.",
        "slack-webhook/mine: The answer was 500 Internal Server Error. It was tried 6 times.",
    ]
    assert "s3cret" not in caplog.text
    assert "s3cret" not in str(read_events(store, EventQuery()).events)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Told(404), "The answer was 404 Not Found."),
        (Told(302, headers={"location": "http://127.0.0.1:1/"}), "redirects are not followed"),
    ],
    ids=["refused", "redirect"],
)
def test_what_is_refused_is_not_sent_again(store: Store, server: Scripted, answer: Told, reason: str) -> None:
    make(store, notify(block(store, "slack-webhook", url=server.url)))
    tell(store)
    server.tell(answer)

    assert look(store) == 1
    assert len(server.asked) == 1
    assert reason in failures(store)[0]


def test_a_message_does_not_go_where_it_may_not(store: Store, server: Scripted) -> None:
    place = server.url.replace("127.0.0.1", "localhost")
    make(store, notify(block(store, "slack-webhook", url=place, allow_private_urls=False)))
    tell(store)

    assert look(store) == 1
    assert server.asked == []
    assert "a private one" in failures(store)[0]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{{ flow_run", "unexpected end of template"),
        ("{{ flow_run|nope }}", "There is no filter 'nope'"),
    ],
    ids=["syntax", "filter"],
)
def test_what_is_no_template_is_refused_when_it_is_made(store: Store, body: str, reason: str) -> None:
    with pytest.raises(RequestRefused, match=reason):
        make(store, notify(str(UUID(int=1)), body))
