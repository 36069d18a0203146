"""Requests go to the address that was checked, and nowhere else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from http_servers import Scripted, Told
from prefect.exceptions import InvalidTemplate
from prefect.operations.outgoing import AddressRefused, CallFailed, call, deliver, refusal_of
from prefect.operations.template_child import rendered_in_child
from prefect.rules.messages import Outgoing


@pytest.fixture
def server() -> Iterator[Scripted]:
    made = Scripted()
    yield made
    made.close()


PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"]
PRIVATE = ["127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0", "::1", "fd00::1"]
PRIVATE += ["::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"]
NEVER = ["169.254.169.254", "fe80::1%1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fd00:ec2::254"]
NEVER += ["224.0.0.1"]


@pytest.mark.parametrize("address", PUBLIC + PRIVATE + NEVER)
def test_where_requests_may_go(address: str) -> None:
    assert (refusal_of(address, False) is None) is (address in PUBLIC)
    assert (refusal_of(address, True) is None) is (address not in NEVER)


def test_a_name_is_resolved_once(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = socket.getaddrinfo, []

    def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
        if host != "rebinds.example":
            return real(host, *arguments, **options)
        asked.append(host)
        # Whoever asked again would be led elsewhere.
        return real("127.0.0.1" if len(asked) == 1 else "127.0.0.2", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    url = server.url.replace("127.0.0.1", "rebinds.example")

    assert asyncio.run(call(Outgoing(url=url))).status_code == 200
    assert asked == ["rebinds.example"]
    assert server.asked[0].headers["host"].startswith("rebinds.example:")
    asked.clear()
    with pytest.raises(AddressRefused, match="private"):
        asyncio.run(call(Outgoing(url=url, allow_private=False)))
    assert len(server.asked) == 1


def test_an_answer_is_read_up_to_a_size(server: Scripted) -> None:
    server.tell(Told(418, "x" * 3_000_000))
    answer = asyncio.run(call(Outgoing(url=server.url)))
    assert (answer.status_code, len(answer.content)) == (418, 1 << 20)


def test_what_is_slow_is_given_up(server: Scripted) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asked = Outgoing(url=f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.05)
        with pytest.raises(httpx.TimeoutException):
            asyncio.run(call(asked))
        with pytest.raises(CallFailed, match="No answer came in time"):
            deliver(asked, tries=1)


@pytest.mark.parametrize(
    "url", ["ftp://s3cret", "s3cret", "http://", "http://s3cret:port", "http://\x00s3cret"]
)
def test_what_is_no_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(CallFailed) as failed:
        deliver(Outgoing(url=url), tries=1)
    assert not failed.value.later
    assert "s3cret" not in str(failed.value)


def test_a_template_that_works_for_ever_or_needs_all_memory_is_ended() -> None:
    pytest.importorskip("jinja2")
    assert rendered_in_child("{% for a in b %}{{ a }};{% endfor %}", {"b": [1, 2]}) == "1;2;"
    with pytest.raises(InvalidTemplate, match="too much memory"):
        rendered_in_child("{{ 'x' * 99999999999 }}", {})
    loops = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    with pytest.raises(InvalidTemplate, match="takes too long"):
        rendered_in_child(loops, {})
