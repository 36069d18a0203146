"""Bodies that are too large are answered, also to clients that send before they listen."""

from __future__ import annotations

import http.client
import json
import socket
from urllib.parse import urlsplit

import pytest

from wire import serving

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with serving(home, PREFECT_SERVER_API_AUTH_STRING="user:secret") as (url, _):
        yield urlsplit(url).port


AUTH = "Basic dXNlcjpzZWNyZXQ="


def _answer(port, size, authorization=AUTH, path="/api/flows/", *, chunked=False):
    """Send a request with all of its body, and only then read."""
    head = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Authorization: {authorization}",
        "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}",
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=50) as connection:
        connection.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        block, sent = b" " * 1_000_000, 0
        while sent < size:
            part = block[: size - sent]
            connection.sendall(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
            sent += len(part)
        if chunked:
            connection.sendall(b"0\r\n\r\n")
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, json.loads(response.read())


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_answered(port, chunked):
    status, body = _answer(port, 30_000_000, chunked=chunked)
    assert (status, list(body)) == (413, ["detail"])


def test_a_refused_request_is_answered_whatever_it_brings(port):
    assert _answer(port, 5_000_000, "Basic none") == (401, {"exception_message": "Unauthorized"})
    status, _ = _answer(port, 5_000_000, path="/api/nowhere")
    assert status == 404


def test_who_asks_before_sending_is_answered_without(port):
    head = (
        "POST /api/flows/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: {AUTH}\r\nContent-Length: 30000000\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=50) as connection:
        connection.sendall(head.encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 413
