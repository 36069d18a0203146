"""How operations become requests, and what is made of the answers."""

from __future__ import annotations

import base64
import json
import os
import pickle
import threading
from datetime import UTC, datetime
from uuid import UUID

import pytest

from http_servers import Scripted, Told, drop_connections
from prefect.client.http import HttpClient, get_http_client
from prefect.client.options import client_options
from prefect.exceptions import (
    ConfigurationError,
    ObjectAlreadyExists,
    ObjectLimitReached,
    ObjectNotFound,
    PrefectException,
    PrefectHTTPStatusError,
    ServerUnreachable,
)
from prefect.operations import (
    count_flow_runs,
    create_flow,
    create_flow_run,
    create_logs,
    delete_flow,
    hold_flow_run,
    read_flow,
    read_flow_by_name,
    read_flow_run_states,
    set_flow_run_state,
    update_flow_run,
)
from prefect.schemas.actions import FlowCreate, FlowRunCreate, FlowRunUpdate
from prefect.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.schemas.objects import Log
from prefect.schemas.queries import FlowRunQuery
from prefect.schemas.states import State, StateType
from prefect.settings.context import temporary_settings

ID = UUID("01920000-0000-7000-8000-000000000001")
FLOW = {"id": str(ID), "name": "etl", "tags": ["a"], "unheard_of": {"x": 1}}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def body_of(scripted: Scripted) -> object:
    return json.loads(scripted.asked[-1].body)


def test_a_body_holds_only_what_says_something(scripted):
    scripted.tell(Told(201, FLOW))
    flow = HttpClient(scripted.url).call(create_flow, FlowCreate(name="etl"))
    assert (flow.id, flow.name, flow.tags) == (ID, "etl", ["a"])
    (asked,) = scripted.asked
    assert (asked.method, asked.path) == ("POST", "/api/flows/")
    assert body_of(scripted) == {"name": "etl"}


def test_a_state_is_sent_without_what_the_server_says(scripted):
    answer = {"state": None, "status": "ACCEPT", "details": {"type": "accept_details", "new": 1}}
    scripted.tell(Told(201, answer))
    HttpClient(scripted.url).call(set_flow_run_state, ID, State(type=StateType.RUNNING), force=True)
    assert scripted.asked[0].path == f"/api/flow_runs/{ID}/set_state"
    assert body_of(scripted) == {"state": {"type": "RUNNING", "name": "Running"}, "force": True}

    scripted.tell(Told(422))
    with pytest.raises(PrefectHTTPStatusError):
        data = FlowRunCreate(flow_id=ID, state=State(type=StateType.PENDING), parameters={"x": None})
        HttpClient(scripted.url).call(create_flow_run, data)
    assert body_of(scripted) == {
        "flow_id": str(ID),
        "state": {"type": "PENDING", "name": "Pending"},
        "parameters": {"x": None},
    }


def test_what_is_unset_is_left_out_and_what_is_none_is_said(scripted):
    scripted.tell(Told(204))
    assert HttpClient(scripted.url).call(update_flow_run, ID, FlowRunUpdate(infrastructure_pid=None)) is None
    assert scripted.asked[0].method == "PATCH"
    assert body_of(scripted) == {"infrastructure_pid": None}


def test_filters_queries_paths_and_lists(scripted):
    client = HttpClient(scripted.url)
    scripted.tell(Told(200, 3))
    query = FlowRunQuery(flow_runs=FlowRunFilter(name=FlowRunFilterName(any_=["a"])))
    assert client.call(count_flow_runs, query) == 3
    assert body_of(scripted) == {"flow_runs": {"name": {"any_": ["a"]}}}
    scripted.tell(Told(200, []))
    assert client.call(read_flow_run_states, flow_run_id=ID) == []
    assert scripted.asked[0].path == f"/api/flow_run_states/?flow_run_id={ID}"
    scripted.tell(Told(200, FLOW))
    client.call(read_flow_by_name, "é /?#%")
    assert scripted.asked[0].path == "/api/flows/name/%C3%A9%20%2F%3F%23%25"
    scripted.tell(Told(201))
    client.call(create_logs, [Log(name="n", level=20, message="m", timestamp=NOON, flow_run_id=ID)])
    sent = {"name": "n", "level": 20, "message": "m", "timestamp": "2026-03-01T12:00:00Z"}
    assert body_of(scripted) == [{**sent, "flow_run_id": str(ID)}]


def test_a_call_that_does_not_fit_is_told_before_anything_is_sent(scripted):
    client = HttpClient(scripted.url)
    for arguments, named in [((), {}), ((ID, ID), {}), ((ID,), {"flow_id": ID}), ((), {"what": 1})]:
        with pytest.raises(TypeError, match="flow_id"):
            client.call(read_flow, *arguments, **named)
    with pytest.raises(TypeError, match="no operation that a server offers"):
        client.call(hold_flow_run, ID, None, NOON)
    assert scripted.asked == []


@pytest.mark.parametrize(
    ("told", "error", "text"),
    [
        (Told(404, {"detail": "Flow not found"}), ObjectNotFound, "^Flow not found$"),
        (Told(404, {"detail": "Not Found"}), ObjectNotFound, "404 Not Found from GET http"),
        (Told(404, b"<html>"), ObjectNotFound, "<html>"),
        (Told(409, {"detail": "is there"}), ObjectAlreadyExists, "is there"),
        (Told(403, {"detail": "Reached the maximum number of flows"}), ObjectLimitReached, "maximum"),
        (Told(403, {"detail": "no"}), PrefectHTTPStatusError, "403 Forbidden from GET http.*: no"),
        (Told(401, {"exception_message": "Unauthorized"}), PrefectHTTPStatusError, "401.*Unauthorized"),
        (Told(500, {"exception_message": "oh"}), PrefectHTTPStatusError, "500.*oh"),
        (
            Told(307, headers={"Location": "https://x/api"}),
            PrefectHTTPStatusError,
            "https://x/api.*PREFECT_API_URL",
        ),
        (
            Told(
                422,
                {
                    "exception_message": "Invalid request received.",
                    "exception_detail": [{"loc": ["body", "name"], "msg": "too long"}],
                },
            ),
            PrefectHTTPStatusError,
            "Invalid request received: body.name: too long",
        ),
        (Told(422, {"detail": [{"loc": ["query"], "msg": "bad"}]}), PrefectHTTPStatusError, "query: bad"),
        (Told(200, b"<html>log in</html>"), PrefectException, "PREFECT_API_URL is the address of an API"),
    ],
)
def test_an_error_says_what_the_server_said(scripted, told, error, text):
    scripted.tell(told)
    with pytest.raises(error, match=text) as raised:
        HttpClient(scripted.url).call(read_flow, ID)
    assert len(scripted.asked) == 1
    again = pickle.loads(pickle.dumps(raised.value))
    assert (type(again), str(again)) == (type(raised.value), str(raised.value))


@pytest.mark.parametrize(
    ("secrets", "text"),
    [
        ({}, ": Set PREFECT_API_AUTH_STRING to the server's user:password, or PREFECT_API_KEY"),
        ({"login": "me:wrong-pw"}, ": Set PREFECT_API_AUTH_STRING, or PREFECT_API_KEY, to"),
    ],
)
def test_who_is_not_let_in_is_told_which_setting_says_who_asks(scripted, secrets, text):
    scripted.tell(Told(401, {"exception_message": "Unauthorized"}))
    with pytest.raises(PrefectHTTPStatusError, match=text) as raised:
        HttpClient(client_options(scripted.url, **secrets)).call(read_flow, ID)
    assert "wrong-pw" not in str(raised.value)


def test_an_address_without_the_path_of_the_api_is_guessed(scripted):
    root = scripted.url.removesuffix("/api")
    for url, is_guessed in ((root, True), (scripted.url, False), (f"{root}/prefect/api", False)):
        scripted.tell(Told(404, {"detail": "Not Found"}))
        with pytest.raises(ObjectNotFound) as raised:
            HttpClient(url).call(create_flow, FlowCreate(name="etl"))
        assert ("PREFECT_API_URL may lack the path of the API" in str(raised.value)) is is_guessed


def test_a_status_error_is_the_library_s_too(scripted):
    import httpx

    scripted.tell(Told(418, {"detail": "tea"}))
    with pytest.raises(httpx.HTTPStatusError) as raised:
        HttpClient(scripted.url).call(delete_flow, ID)
    assert raised.value.response.json() == {"detail": "tea"}
    assert isinstance(raised.value, PrefectException)
    again = PrefectHTTPStatusError.from_httpx_error(raised.value)
    assert "tea" in str(again)


def test_headers_say_who_asks(scripted):
    HttpClient(scripted.url).request("GET", "/x")
    headers = scripted.asked[0].headers
    assert headers["x-prefect-api-version"] == "0.8.4"
    assert headers["user-agent"].startswith("proconsul/")
    assert "authorization" not in headers
    basic = "Basic " + base64.b64encode(b"me:pw").decode()
    settings = {
        "PREFECT_API_KEY": "k",
        "PREFECT_CLIENT_CUSTOM_HEADERS": {"X-Team": "data", "User-Agent": "no"},
    }
    with temporary_settings(settings):
        HttpClient(scripted.url).request("GET", "/x")
        assert scripted.asked[-1].headers["authorization"] == "Bearer k"
        assert scripted.asked[-1].headers["x-team"] == "data"
        assert scripted.asked[-1].headers["user-agent"] != "no"
        with temporary_settings({"PREFECT_API_AUTH_STRING": "me:pw"}):
            HttpClient(scripted.url).request("GET", "/x")
        assert scripted.asked[-1].headers["authorization"] == basic
    HttpClient(scripted.url.replace("//", "//me:pw@")).request("GET", "/x")
    assert scripted.asked[-1].headers["authorization"] == basic


def test_no_message_shows_a_secret(scripted, sleep):
    with temporary_settings({"PREFECT_API_KEY": "hidden"}):
        client = HttpClient(scripted.url.replace("//", "//me:hidden@"), sleep=sleep)
    scripted.tell(Told(500, {"detail": "oh"}))
    with pytest.raises(PrefectHTTPStatusError) as raised:
        client.call(read_flow, ID)
    assert "hidden" not in f"{raised.value} {client.name} {client.url} {client.transport.options!r}"
    scripted.close()
    drop_connections()
    with pytest.raises(ServerUnreachable) as gone:
        client.call(read_flow, ID)
    assert "hidden" not in str(gone.value)


@pytest.mark.parametrize(
    "url",
    [
        *("127.0.0.1:4200", "ftp://me:hidden@x/api", "http://", "http://[::1", "http://x:y/api"),
        *("http://a..b/api", "http://" + "a" * 64 + ".b/api", "http://a b/api"),
    ],
)
def test_a_url_that_is_none_is_told(url):
    with pytest.raises(ConfigurationError, match="PREFECT_API_URL") as raised:
        HttpClient(url).request("GET", "/x")
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "setting"),
    [
        ({"PREFECT_API_KEY": "hidden\nkey"}, "PREFECT_API_KEY"),
        ({"PREFECT_API_KEY": "hidden-ö"}, "PREFECT_API_KEY"),
        ({"PREFECT_CLIENT_CUSTOM_HEADERS": {"X-Team": "hidden\n"}}, "PREFECT_CLIENT_CUSTOM_HEADERS.*x-team"),
        ({"PREFECT_CLIENT_CUSTOM_HEADERS": {"X Team": "hidden"}}, "PREFECT_CLIENT_CUSTOM_HEADERS.*x team"),
    ],
)
def test_what_no_header_can_carry_is_told_at_once_and_not_shown(given, setting):
    with temporary_settings(given), pytest.raises(ConfigurationError, match=setting) as raised:
        HttpClient("http://127.0.0.1:1/api")
    assert "hidden" not in str(raised.value)


def test_a_key_may_come_from_a_file_with_an_end_of_line(scripted):
    with temporary_settings({"PREFECT_API_KEY": "k\n"}):
        HttpClient(scripted.url).request("GET", "/x")
    assert scripted.asked[-1].headers["authorization"] == "Bearer k"


def test_one_client_for_the_same_settings_and_one_connection_for_all_its_calls(scripted):
    with temporary_settings({"PREFECT_API_URL": scripted.url}):
        assert get_http_client() is get_http_client(scripted.url + "/")
        with temporary_settings({"PREFECT_API_KEY": "k"}):
            assert get_http_client() is not get_http_client(scripted.url.replace("/api", "/other"))
        for _ in range(3):
            get_http_client().request("GET", "/x")
        HttpClient().request("GET", "/x")
    assert len({asked.connection for asked in scripted.asked}) == 1


def test_threads_share_a_client(scripted):
    scripted.tell(Told(200, FLOW))
    client = HttpClient(scripted.url)
    found: list[UUID] = []
    threads = [
        threading.Thread(target=lambda: found.extend(client.call(read_flow, ID).id for _ in range(5)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [ID] * 40


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_that_was_forked_has_connections_of_its_own(scripted):
    scripted.tell(Told(200, FLOW))
    client = HttpClient(scripted.url)
    client.call(read_flow, ID)
    child = os.fork()
    if child == 0:
        os._exit(0 if client.call(read_flow, ID).id == ID else 1)
    assert os.waitpid(child, 0)[1] == 0
    client.call(read_flow, ID)
    first, forked, last = (asked.connection for asked in scripted.asked)
    assert first == last != forked
