"""Loads a server: many connections, written for speed, so that it is the server that is measured.

`python benchmarks/load.py` is run by `benchmarks/server.py` in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

__all__ = ["Load", "Request", "paced", "request", "saturated"]

Request = bytes


class Load(NamedTuple):
    """What a server made of a load."""

    seconds: float
    latencies: Sequence[float]
    statuses: Counter[int]
    bodies: Sequence[bytes]

    @property
    def rate(self) -> float:
        """Requests that were carried out, a second."""
        done = sum(count for status, count in self.statuses.items() if status < 300)
        return done / self.seconds

    def within(self, percent: int) -> float:
        """Return the seconds within which so many of 100 requests were answered."""
        return statistics.quantiles(self.latencies, n=100)[percent - 1]


def request(port: int, method: str, path: str, body: Any = None) -> Request:
    """Return the bytes of a request.

    Args:
        port: The server's port.
        method: The method.
        path: The path below `/api`.
        body: What to send as JSON.
    """
    content = b"" if body is None else json.dumps(body).encode()
    kind = "Content-Type: application/json\r\n" if content else ""
    head = f"{method} /api{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{kind}"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def saturated(port: int, connections: int, requests: Sequence[Request]) -> Load:
    """Ask over some connections, each as soon as it has its answer.

    Args:
        port: The server's port.
        connections: How many.
        requests: The requests, which the connections take one after the other.
    """
    return asyncio.run(_saturated(port, connections, requests))


def paced(port: int, connections: int, requests: Sequence[Request], per_second: float) -> Load:
    """Ask at a fixed pace, whether or not earlier requests were answered; latencies count from the due time.

    Args:
        port: The server's port.
        connections: How many connections carry the requests.
        requests: The requests.
        per_second: The pace.
    """
    return asyncio.run(_paced(port, connections, requests, per_second))


class _Connection(asyncio.Protocol):
    """One connection; a request at a time."""

    def __init__(self, on_answer: Callable[[_Connection, int, bytes], None]) -> None:
        self.transport: asyncio.Transport
        self.began = 0.0
        self._received = b""
        self._on_answer = on_answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._received[:end].lower()
        place = head.find(b"content-length:")
        length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
        if len(self._received) < end + 4 + length:
            return
        body = self._received[end + 4 : end + 4 + length]
        self._received = b""
        self._on_answer(self, int(head[9:12]), body)

    def connection_lost(self, error: Exception | None) -> None:
        self._on_answer(self, 0, b"")


async def _connect(port: int, connections: int, on_answer: Any) -> list[_Connection]:
    loop = asyncio.get_running_loop()
    made = []
    for _ in range(connections):
        _, protocol = await loop.create_connection(lambda: _Connection(on_answer), "127.0.0.1", port)
        made.append(protocol)
    return made


async def _saturated(port: int, connections: int, requests: Sequence[Request]) -> Load:
    done = asyncio.Event()
    waiting = iter(requests)
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    bodies: list[bytes] = []

    def ask(connection: _Connection) -> None:
        following = next(waiting, None)
        if following is not None:
            connection.began = time.perf_counter()
            connection.transport.write(following)

    def answered(connection: _Connection, status: int, body: bytes) -> None:
        latencies.append(time.perf_counter() - connection.began)
        statuses[status] += 1
        bodies.append(body)
        if len(latencies) >= len(requests):
            done.set()
        ask(connection)

    opened = await _connect(port, connections, answered)
    began = time.perf_counter()
    for connection in opened:
        ask(connection)
    await done.wait()
    load = Load(time.perf_counter() - began, latencies, statuses, bodies)
    _close(opened)
    return load


async def _paced(port: int, connections: int, requests: Sequence[Request], per_second: float) -> Load:
    done = asyncio.Event()
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    late: list[tuple[float, Request]] = []
    idle: list[_Connection] = []

    def ask(connection: _Connection, due: float, following: Request) -> None:
        connection.began = due
        connection.transport.write(following)

    def answered(connection: _Connection, status: int, _: bytes) -> None:
        latencies.append(time.perf_counter() - connection.began)
        statuses[status] += 1
        if len(latencies) >= len(requests):
            done.set()
        if late:
            ask(connection, *late.pop(0))
        else:
            idle.append(connection)

    opened = await _connect(port, connections, answered)
    idle.extend(opened)
    began = time.perf_counter()
    for number, following in enumerate(requests):
        due = began + number / per_second
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if idle:
            ask(idle.pop(), due, following)
        else:
            late.append((due, following))
    await done.wait()
    load = Load(time.perf_counter() - began, latencies, statuses, ())
    _close(opened)
    return load


def _close(connections: Sequence[_Connection]) -> None:
    for connection in connections:
        connection._on_answer = lambda *_: None
        connection.transport.abort()
