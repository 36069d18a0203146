"""Nothing of the server is reached without the credentials that it asks for, whatever it is called."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import contextmanager
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar.exceptions import WebSocketDisconnect
from litestar.testing import TestClient

from prefect.server.access import credentials_of
from prefect.server.app import make_app
from prefect.server.credentials import Credentials
from prefect.settings import get_current_settings
from prefect.settings.context import temporary_settings
from prefect.store import make_store

AUTH = {"PREFECT_SERVER_API_AUTH_STRING": "admin:pass:wörd"}
KEY = {"PREFECT_SERVER_API_KEY": "key-1\n"}
"""As it is read from a file."""
BASIC = {"authorization": "Basic " + base64.b64encode("admin:pass:wörd".encode()).decode()}
BEARER = {"authorization": "Bearer key-1"}
UNAUTHORIZED = (401, b'{"exception_message":"Unauthorized"}')
HOSTILE = ["x", "health", "a%2Fb", "..", "%2e%2e", "..%2fapi%2fhealth", "health%3F", "%00", "ready;health"]
ELSEWHERE = [
    "/",
    "/docs",
    "/openapi.json",
    "/ui-settings",
    "/metrics",
    "/nope",
    "/health",
    "/ready",
    "//api/health",
    "/api//health",
    "/api/health/",
    "/api/health/../flows/filter",
    "/api/./health",
    "/api/%2e%2e/api/flows/filter",
    "/api/HEALTH",
    "/api/health%20",
    "/api/healthy",
    "/api/flows/health",
    "/api/flows/name/ready",
]


@contextmanager
def serving(store, **given):
    with temporary_settings(given), TestClient(make_app(store), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory):
    """A store for those who see nothing of it."""
    store = make_store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'prefect.db'}")
    yield store
    store.close()


def guarded_app(store):
    with temporary_settings({**AUTH, **KEY}):
        return make_app(store)


@pytest.fixture(scope="module")
def guarded(empty_store):
    with TestClient(guarded_app(empty_store), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture(scope="module")
def gate(empty_store):
    """The application without anything that asks for its start."""
    return guarded_app(empty_store)


def ask(gate, method, path):
    """Ask for a path as it is: clients tidy dots and slashes away. Return the status and the body."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 4200),
        "state": {},
    }
    asyncio.run(gate(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def paths_of(template, names=HOSTILE):
    """Make paths of a template, with hostile names for what it takes."""
    if "{" not in template:
        return [template]
    parts = template.split("/")
    return ["/".join(name if part.startswith("{") else part for part in parts) for name in names]


def test_every_route_refuses_who_sends_no_credentials(gate):
    walked = 0
    for template in [place.template for place in gate.app]:
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"):
            for path in paths_of(template):
                if (method, path) not in {("GET", "/api/health"), ("GET", "/api/ready")}:
                    assert ask(gate, method, path) == UNAUTHORIZED, (method, path)
                    walked += 1
    assert walked > 200


@pytest.mark.parametrize("path", ELSEWHERE)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_nothing_else_is_open_either(gate, method, path):
    assert ask(gate, method, path) == UNAUTHORIZED


@pytest.mark.parametrize("path", ["/api/health", "/api/ready"])
def test_whether_it_lives_may_be_asked_by_all(guarded, path):
    assert guarded.get(path).status_code == 200
    assert guarded.post(path).status_code == 401


@pytest.mark.parametrize("headers", [BASIC, BEARER], ids=["basic", "key"])
def test_who_sends_credentials_comes_in(guarded, headers):
    assert guarded.get("/api/version", headers=headers).json() == "0.8.4"
    assert guarded.post("/api/flows/filter", headers=headers).json() == []
    assert guarded.get("/docs", headers=headers).status_code == 200


def test_a_key_of_blanks_lets_nobody_in():
    with temporary_settings({"PREFECT_SERVER_API_KEY": "\n"}):
        credentials = credentials_of(get_current_settings().server.api)
    assert credentials.are_asked
    assert not credentials.admit_header(b"Bearer ")


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !",
        "Bearer",
        "Bearer ",
        "Bearer admin:pass:wörd".encode(),
        "Bearer key-2",
        "Token key-1",
        "key-1",
        basic(""),
        basic(":"),
        basic("admin"),
        basic("admin:"),
        basic("admin:pass"),
        basic("admin:pass:wörd "),
        basic("key-1"),
        basic("admin:pass:wörd")[:-4],
    ],
)
def test_wrong_credentials_do_not_come_in(guarded, header):
    assert guarded.get("/api/version", headers={"authorization": header}).status_code == 401


@given(auth_string=st.text(max_size=20), key=st.text(max_size=20), token=st.text(max_size=20))
@settings(suppress_health_check=list(HealthCheck))
def test_only_the_secrets_themselves_are_admitted(auth_string, key, token):
    credentials = Credentials(auth_string, key)
    wanted = {secret for secret in (auth_string, key) if secret}

    assert credentials.admit_token(token) == (not wanted or token in wanted)
    header = b"Basic " + base64.b64encode(token.encode())
    assert credentials.admit_header(header) == (not wanted or (token == auth_string and bool(token)))


# --- sockets ------------------------------------------------------------------------------------------------


def sockets_of(gate):
    sockets = [place.template for place in gate.app if place.socket is not None]
    return [path for template in sockets for path in paths_of(template, ["x", "health"])]


def closed(client, path, first, **options):
    """Greet a socket in some way, and tell how it is closed."""
    with client.websocket_connect(path, **{"subprotocols": ["prefect"], **options}) as socket:
        socket.send_text(first)
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_json()
    return ended.value.code, ended.value.detail


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ('{"type": "auth", "token": null}', "Auth required but no token provided"),
        ('{"type": "auth"}', "Auth required but no token provided"),
        ('{"type": "auth", "token": "admin:pass"}', "Invalid token"),
        ('{"type": "auth", "token": {"$ne": ""}}', "Invalid token"),
        ('{"type": "auth", "token": true}', "Invalid token"),
        ('{"type": "filter", "filter": {}}', "Expected 'auth' message"),
        ("not json", "Expected 'auth' message"),
    ],
)
def test_every_socket_refuses_who_does_not_greet_with_the_token(guarded, gate, first, reason):
    paths = sockets_of(gate)
    assert len(paths) == 6
    for path in paths:
        code, said = closed(guarded, path, first)
        assert code == 1008, path
        assert said in (reason, "authentication_failed")


@pytest.mark.parametrize("subprotocols", [[], ["other"]])
def test_no_socket_is_open_without_a_greeting(guarded, gate, subprotocols):
    for path in [*sockets_of(gate), "/api/nope", "/api/health"]:
        with pytest.raises(WebSocketDisconnect):
            guarded.websocket_connect(path, subprotocols=subprotocols, headers=BASIC).__enter__()


@pytest.mark.parametrize("token", ["admin:pass:wörd", "key-1"])
def test_who_greets_with_the_token_is_heard(guarded, token, make_event):
    from prefect.types import uuid7

    with guarded.websocket_connect("/api/events/in", subprotocols=["prefect"]) as socket:
        socket.send_text(json.dumps({"type": "auth", "token": token}))
        assert socket.receive_json() == {"type": "auth_success"}
        socket.send_json(make_event(uuid7(), "RUNNING", 1))
        socket.send_text("not json")
        with pytest.raises(WebSocketDisconnect):
            socket.receive_json()


# --- pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allowed", "origin", "status"),
    [
        ("*", "http://127.0.0.1", 200),
        ("*", "http://localhost:3000", 200),
        ("*", "http://[::1]:3000", 200),
        ("*", "https://evil.example", 403),
        ("*", "http://localhost.evil.example", 403),
        ("*", "http://127.0.0.1.evil.example", 403),
        ("*", "null", 403),
        ("*", "http://[", 403),
        ("https://ui.example, https://other.example/", "https://other.example", 200),
        ("https://ui.example", "https://ui.example:8443", 403),
        ("https://ui.example", "http://ui.example", 403),
        ("https://ui.example", "http://localhost:3000", 403),
    ],
)
def test_without_credentials_pages_of_this_machine_are_served_and_those_that_are_named(
    empty_store, allowed, origin, status
):
    with serving(empty_store, PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS=allowed) as client:
        answer = client.post("/api/flows/filter", headers={"origin": origin})
        assert answer.status_code == status
        assert answer.headers.get("access-control-allow-origin") == (origin if status == 200 else None)
        ahead = client.options(
            "/api/flows/", headers={"origin": origin, "access-control-request-method": "POST"}
        )
        assert ahead.status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:4200", 200),
        ("localhost", 200),
        ("[::1]:4200", 200),
        ("192.168.0.7:4200", 200),
        ("evil.example", 403),
        ("evil.example:4200", 403),
        ("localhost.evil.example", 403),
        ("ui.example", 200),
        ("", 403),
        ("[", 403),
    ],
)
def test_without_credentials_the_server_has_no_names_but_its_own(empty_store, host, status):
    """A page's name can be pointed to this machine after the page was loaded."""
    with serving(empty_store, PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS="https://ui.example") as client:
        assert client.post("/api/flows/filter", headers={"host": host}).status_code == status


def test_with_credentials_all_pages_are_served_that_know_them(guarded):
    origin = {"origin": "https://any.example"}
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}

    ahead = guarded.options("/api/flows/", headers=origin | asked)

    assert (ahead.status_code, ahead.text) == (200, "OK")
    assert ahead.headers["access-control-allow-origin"] == "*"
    assert ahead.headers["access-control-allow-headers"] == "authorization"
    assert "POST" in ahead.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in ahead.headers
    refused = guarded.post("/api/flows/filter", headers=origin)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "*")
    assert guarded.post("/api/flows/filter", headers=origin | BASIC).status_code == 200


# --- where it is --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base_path", ["/prefect/api", "prefect/api/"])
def test_the_api_is_where_the_settings_say(empty_store, base_path):
    with serving(empty_store, PREFECT_SERVER_API_BASE_PATH=base_path, **AUTH) as client:
        assert client.get("/prefect/api/health").status_code == 200
        assert client.get("/api/health").status_code == 401
        assert client.get("/api/health", headers=BASIC).status_code == 404
        assert client.get("/prefect/api/version", headers=BASIC).json() == "0.8.4"
        described = client.get("/openapi.json", headers=BASIC).json()["paths"]
        assert all(path.startswith("/prefect/api/") for path in described)


def test_the_api_may_be_all_there_is(empty_store):
    with serving(empty_store, PREFECT_SERVER_API_BASE_PATH="/", **AUTH) as client:
        assert client.get("/health").status_code == 200
        assert client.get("/version").status_code == 401
        assert client.get("/version", headers=BASIC).json() == "0.8.4"
