"""Code follows what happens, in the store of this machine and on a server."""

from __future__ import annotations

import asyncio
import json

import pytest

from http_servers import serving
from prefect.cli import main
from prefect.client.current import get_caller
from prefect.events import Event, emit_event, get_events_client, get_events_subscriber
from prefect.events.clients import AssertingEventsClient, NullEventsClient
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.exceptions import PrefectException, ServerUnreachable
from prefect.operations.event_listings import read_events, read_next_events
from prefect.schemas.events import EventQuery
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.store import open_store
from prefect.testing.utilities import prefect_test_harness


def orders():
    return EventFilter(event=EventNameFilter(prefix=["order."]))  # until now


@pytest.fixture(params=["store", "server"])
def place(request):
    with prefect_test_harness():
        if request.param == "store":
            yield
            return
        with serving(open_store()) as url, temporary_settings({PREFECT_API_URL: url}):
            yield


def tell(name, resource="order.1"):
    return emit_event(name, {"prefect.resource.id": resource})


def follow(count, meanwhile=lambda: None):
    async def work():
        found = []
        async with get_events_subscriber(filter=orders()) as subscriber:
            await asyncio.to_thread(meanwhile)
            async for event in subscriber:
                found.append(event)
                if len(found) == count:
                    return found

    return asyncio.run(asyncio.wait_for(work(), 30))


@pytest.mark.usefixtures("place")
def test_what_is_stored_comes_first_then_what_comes_each_once():
    before = [tell(f"order.{number}") for number in range(3)]
    tell("other")
    after = []

    found = follow(5, lambda: after.extend([tell("order.x"), tell("other"), tell("order.y")]))

    told = [*before, after[0], after[2]]
    assert [event.id for event in found] == [event.id for event in told]
    assert found[0].resource.id == "order.1" and found[0].received >= found[0].occurred


@pytest.mark.usefixtures("place")
def test_async_code_tells_events_too():
    event = Event(event="order.told", resource={"prefect.resource.id": "order.2"})

    async def work():
        client = get_events_client()
        with pytest.raises(TypeError, match="context manager"):
            await client.emit(event)
        async with client:
            await client.emit(event)

    asyncio.run(work())

    assert [found.id for found in follow(1)] == [event.id]


@pytest.mark.usefixtures("place")
def test_further_pages_of_events_are_read():
    for number in range(5):
        tell(f"order.{number}")
    caller = get_caller()

    page = caller.call(read_events, EventQuery(filter=orders(), limit=2))
    names = [event.event for event in page.events]
    while page.next_page:
        page = caller.call(read_next_events, page.next_page.rpartition("page-token=")[2])
        names += [event.event for event in page.events]

    assert names == [f"order.{number}" for number in reversed(range(5))]


def test_a_subscriber_says_what_is_wrong():
    async def next_of(subscriber):
        return await anext(subscriber)

    with pytest.raises(PrefectException, match="async with"):
        asyncio.run(next_of(get_events_subscriber()))
    away = temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"})
    with prefect_test_harness(), away, pytest.raises(ServerUnreachable):
        follow(1)


def test_tests_see_what_was_told():
    async def work():
        event = Event(event="e", resource={"prefect.resource.id": "r"})
        async with AssertingEventsClient() as client, NullEventsClient() as other:
            await client.emit(event)
            await other.emit(event)
        assert AssertingEventsClient.last is client
        assert client.pop_events() == [event] and client.events == []
        AssertingEventsClient.reset()
        assert AssertingEventsClient.all == []

    asyncio.run(work())


@pytest.mark.usefixtures("place")
def test_the_command_line_tells_and_shows_events(capsys, tmp_path):
    labels = json.dumps({"team": "shop"})
    related = '{"prefect.resource.id": "c", "prefect.resource.role": "customer"}'
    command = ["events", "emit", "order.shipped", "--resource-id", "order.3", "-r", "a=b", "-r", labels]
    assert main([*command, "--related", related, "-p", '{"parcels": 2}']) == 0
    assert "order.shipped" in capsys.readouterr().out

    assert main(["events", "stream", "--run-once"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["resource"] == {"prefect.resource.id": "order.3", "a": "b", "team": "shop"}
    assert (shown["payload"], shown["related"][0]["prefect.resource.id"]) == ({"parcels": 2}, "c")

    file = tmp_path / "events.txt"
    assert main(["events", "stream", "--run-once", "--format", "text", "--output-file", str(file)]) == 0
    assert "order.shipped  order.3" in file.read_text()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["emit", "x"], "--resource-id"),
        (["emit", "x", "-r", "nonsense"], "KEY=VALUE"),
        (["emit", "x", "--resource-id", "r", "-p", "{"], "--payload"),
        (["emit", "x", "--resource-id", "r", "--related", '{"a": "b"}'], "prefect.resource.id"),
    ],
)
def test_a_wrong_command_says_why(words, why, capsys):
    assert main(["events", *words]) == 1
    assert why in capsys.readouterr().err
