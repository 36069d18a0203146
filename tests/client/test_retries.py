"""When a request is sent again, and for how long: over real connections, on a clock that stands still."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from http_servers import Told, drop_connections
from prefect.client.http import HttpClient
from prefect.client.retries import FIRST_CONTACT, LONGEST_WAIT, first_contact_wait, retry_wait
from prefect.exceptions import PrefectHTTPStatusError, ServerUnreachable
from prefect.settings.context import temporary_settings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NO_JITTER = {"PREFECT_CLIENT_RETRY_JITTER_FACTOR": "0"}


@pytest.fixture
def client(scripted, sleep):
    with temporary_settings(NO_JITTER):
        return HttpClient(scripted.url, sleep=sleep)


@pytest.mark.parametrize("status", [408, 429, 502, 503])
def test_a_server_that_cannot_now_is_asked_again(client, scripted, waits, status):
    scripted.tell(Told(status, headers={"Retry-After": "0.5"}), Told(status), Told(200, 1))
    assert client.request("POST", "/x", content=b"{}").json() == 1
    assert waits == [0.5, 4]
    assert [asked.body for asked in scripted.asked] == [b"{}"] * 3


@pytest.mark.parametrize("status", [400, 401, 404, 423, 500, 504])
def test_what_will_not_change_is_not_asked_again(client, scripted, status):
    scripted.tell(Told(status))
    with pytest.raises(Exception):  # noqa: B017 - which one, test_http says
        client.request("GET", "/x")
    assert len(scripted.asked) == 1


def test_it_gives_up_after_six_times(client, scripted, waits):
    scripted.tell(Told(503, {"exception_message": "Service Unavailable"}))
    with pytest.raises(PrefectHTTPStatusError, match=r"^503 Service Unavailable from \S+ \S+: The .* log"):
        client.request("GET", "/x")
    assert len(scripted.asked) == 6
    assert waits == [2, 4, 8, 16, 32]


def test_the_random_part_of_a_wait_takes_nothing_from_the_random_numbers_of_a_program(scripted, sleep, waits):
    client = HttpClient(scripted.url, sleep=sleep)
    scripted.tell(Told(503), Told(200, 1))
    before = random.getstate()
    client.request("GET", "/x")
    assert random.getstate() == before
    assert 2 <= waits[0] < 2.5


def test_settings_say_how_often_and_on_what(scripted, sleep):
    settings = {**NO_JITTER, "PREFECT_CLIENT_MAX_RETRIES": "2", "PREFECT_CLIENT_RETRY_EXTRA_CODES": "418,504"}
    with temporary_settings(settings):
        client = HttpClient(scripted.url, sleep=sleep)
    scripted.tell(Told(418))
    with pytest.raises(PrefectHTTPStatusError, match="418"):
        client.request("GET", "/x")
    assert len(scripted.asked) == 3


def test_waits_vary_so_that_clients_do_not_come_all_at_once(scripted, sleep, waits):
    with temporary_settings({"PREFECT_CLIENT_RETRY_JITTER_FACTOR": "0.2"}):
        client = HttpClient(scripted.url, sleep=sleep)
    scripted.tell(*[Told(503, headers={"Retry-After": "10"})] * 5, Told())
    client.request("GET", "/x")
    assert all(10 <= wait <= 12 for wait in waits)
    assert len(set(waits)) > 1


def test_maintenance_does_not_count(client, scripted, waits):
    down = Told(503, headers={"Prefect-Maintenance": "true", "Retry-After": "1"})
    scripted.tell(*[down] * 20, Told(200, 1))
    assert client.request("GET", "/x").json() == 1
    assert waits == [1.0] * 20


def test_a_connection_that_breaks_is_opened_again(client, scripted, waits):
    client.request("GET", "/x")
    scripted.tell(Told(0), Told(0), Told(200, 1))
    assert client.request("GET", "/x").json() == 1
    assert waits == [0.25, 4]


def test_a_server_that_went_away_is_waited_for_and_then_named(client, scripted, waits):
    client.request("GET", "/x")
    scripted.close()
    drop_connections()
    with pytest.raises(ServerUnreachable, match=r"does not answer any more.*tried 6 times") as raised:
        client.request("GET", "/x")
    assert scripted.url in str(raised.value)
    assert waits == [0.25, 4, 8, 16, 32]


def test_a_server_that_was_never_there_is_told_within_ten_seconds(sleep, waits):
    with temporary_settings(NO_JITTER):
        client = HttpClient("http://127.0.0.1:1/api", sleep=sleep)
    elapsed = 0.0
    with pytest.raises(
        ServerUnreachable, match=r"No server can be reached at http://127.0.0.1:1/api.*running"
    ):
        client.request("GET", "/x")
    assert isinstance(ServerUnreachable(), ConnectionError)
    for attempt in range(1, 10):
        wait = first_contact_wait(attempt, elapsed)
        if wait is None:
            break
        elapsed += wait
    assert 2 < elapsed <= FIRST_CONTACT < 10


def test_a_protected_server_s_token_is_fetched_once(client, scripted):
    token = {"token": "t", "client": "c", "expiration": "2026-01-01T00:00:00Z"}
    scripted.tell(Told(403, {"detail": "Missing CSRF token."}), Told(200, token), Told(200, 1), Told(200, 2))
    assert client.request("POST", "/x").json() == 1
    assert client.request("POST", "/y").json() == 2
    paths = [asked.path for asked in scripted.asked]
    assert [path.partition("?")[0] for path in paths] == ["/api/x", "/api/csrf-token", "/api/x", "/api/y"]
    who = paths[1].partition("client=")[2]
    for asked in scripted.asked[2:]:
        assert (asked.headers["prefect-csrf-token"], asked.headers["prefect-csrf-client"]) == ("t", who)

    # A token that has run out is fetched anew.
    stale = Told(403, {"detail": "Invalid CSRF token or client identifier."})
    scripted.tell(stale, Told(200, {**token, "token": "u"}), Told(200, 3))
    assert client.request("POST", "/x").json() == 3
    assert scripted.asked[-1].headers["prefect-csrf-token"] == "u"


def test_no_token_is_fetched_where_settings_say_so(scripted, sleep):
    with temporary_settings({"PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false"}):
        client = HttpClient(scripted.url, sleep=sleep)
    scripted.tell(Told(403, {"detail": "Missing CSRF token."}))
    with pytest.raises(PrefectHTTPStatusError, match="Missing CSRF token"):
        client.request("POST", "/x")
    assert len(scripted.asked) == 1


def test_an_answer_takes_as_long_as_settings_allow(scripted):
    with temporary_settings({"PREFECT_API_REQUEST_TIMEOUT": "7", "PREFECT_API_ENABLE_HTTP2": "false"}):
        options = HttpClient(scripted.url).transport
    timeout = options.connections.timeout
    assert (timeout.read, timeout.connect) == (7, 7)


@given(attempt=st.integers(1, 10), text=st.none() | st.text() | st.floats().map(str))
def test_a_wait_is_a_sane_number_of_seconds(attempt, text):
    headers = {} if text is None else {"retry-after": text}
    assert 0 <= retry_wait(attempt, headers, NOON) <= LONGEST_WAIT


@given(seconds=st.integers(-1000, 1000))
def test_a_date_to_wait_for_is_understood(seconds):
    headers = {"retry-after": format_datetime(NOON + timedelta(seconds=seconds), usegmt=True)}
    assert retry_wait(1, headers, NOON) == min(max(seconds, 0), LONGEST_WAIT)
