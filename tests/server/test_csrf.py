"""Tokens against requests that a page has a browser send."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient

from prefect.operations.csrf import csrf_key, read_csrf_token, refuse_csrf_token
from prefect.server.app import make_app
from prefect.settings.context import temporary_settings
from prefect.types import now

WRONG = "Invalid CSRF token or client identifier."


def protected_client(store):
    with temporary_settings({"PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true"}):
        return TestClient(make_app(store), base_url="http://127.0.0.1")


@pytest.fixture
def protected(store):
    with protected_client(store) as client:
        yield client


@pytest.fixture(scope="module")
def refusing(sqlite_store):
    """A server for those who get no further than its gate."""
    with protected_client(sqlite_store) as client:
        yield client


def token_of(client, name="me"):
    answer = client.get("/api/csrf-token", params={"client": name})
    assert answer.status_code == 200
    return answer.json()


def test_changes_need_a_token(protected):
    given = token_of(protected)
    headers = {"Prefect-Csrf-Token": given["token"], "Prefect-Csrf-Client": "me"}

    assert set(given) == {"id", "created", "updated", "token", "client", "expiration"}
    assert given["client"] == "me"
    assert protected.post("/api/flows/", json={"name": "etl"}, headers=headers).status_code == 201
    assert protected.post("/api/flows/filter", headers=headers).status_code == 200
    assert protected.get("/api/version").status_code == 200


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "Missing CSRF token."),
        ({"Prefect-Csrf-Client": "me"}, "Missing CSRF token."),
        ({"Prefect-Csrf-Token": "x"}, "Missing client identifier."),
        ({"Prefect-Csrf-Token": "x", "Prefect-Csrf-Client": "me"}, WRONG),
        ({"Prefect-Csrf-Token": "ffffffffff-", "Prefect-Csrf-Client": "me"}, WRONG),
    ],
)
@pytest.mark.parametrize("path", ["/api/flows/", "/api/nope"])
def test_what_is_wrong_with_a_token_is_said(refusing, method, path, headers, said):
    answer = refusing.request(method, path, headers=headers)

    assert (answer.status_code, answer.json()) == (403, {"detail": said})


def test_a_token_is_good_for_its_client_alone(protected):
    headers = {"Prefect-Csrf-Token": token_of(protected)["token"], "Prefect-Csrf-Client": "you"}

    assert protected.post("/api/flows/filter", headers=headers).json() == {"detail": WRONG}


def test_a_token_expires(store):
    lasting = {
        "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_API_CSRF_TOKEN_EXPIRATION": "60",
    }
    with temporary_settings(lasting):
        token = read_csrf_token(store, "me").token
    key = csrf_key(store)

    assert refuse_csrf_token(key, token, "me", now()) is None
    assert refuse_csrf_token(key, token, "me", now() + timedelta(seconds=58)) is None
    assert refuse_csrf_token(key, token, "me", now() + timedelta(seconds=61)) == WRONG


def test_every_server_over_a_store_takes_the_tokens_of_the_others(store, protected):
    headers = {"Prefect-Csrf-Token": token_of(protected)["token"], "Prefect-Csrf-Client": "me"}

    with TestClient(make_app(store), base_url="http://127.0.0.1") as other:
        assert other.post("/api/flows/filter", headers=headers).status_code == 200


@given(token=st.text(), client=st.text())
def test_nothing_that_was_not_signed_is_taken(token, client):
    assert refuse_csrf_token(b"key", token, client, now()) is not None
