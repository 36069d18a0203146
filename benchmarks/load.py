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
    """One connection, with a request at a time; where the server closes it, it is opened again."""

    def __init__(self, port: int, on_answer: Callable[[_Connection, int, bytes], None]) -> None:
        self.began = 0.0
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._waiting: Request | None = None
        self._received = b""
        self._on_answer = on_answer
        self._opening: asyncio.Task[None] | None = None
        self._is_over = False

    async def open(self) -> None:
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self._port)

    def ask(self, request: Request, began: float) -> None:
        self.began, self._waiting = began, request
        if self._transport is not None:
            self._transport.write(request)

    def close(self) -> None:
        self._is_over = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._received = transport, b""
        if self._waiting is not None:
            transport.write(self._waiting)

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
        self._received, self._waiting = b"", None
        self._on_answer(self, int(head[9:12]), body)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if not self._is_over:
            self._opening = asyncio.get_running_loop().create_task(self.open())


async def _connect(port: int, connections: int, on_answer: Any) -> list[_Connection]:
    made = [_Connection(port, on_answer) for _ in range(connections)]
    for connection in made:
        await connection.open()
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
            connection.ask(following, time.perf_counter())

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

    def answered(connection: _Connection, status: int, _: bytes) -> None:
        latencies.append(time.perf_counter() - connection.began)
        statuses[status] += 1
        if len(latencies) >= len(requests):
            done.set()
        if late:
            due, following = late.pop(0)
            connection.ask(following, due)
        else:
            idle.append(connection)

    opened = await _connect(port, connections, answered)
    idle.extend(opened)
    began = time.perf_counter()
    for number, following in enumerate(requests):
        due = began + number / per_second
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if idle:
            idle.pop().ask(following, due)
        else:
            late.append((due, following))
    await done.wait()
    load = Load(time.perf_counter() - began, latencies, statuses, ())
    _close(opened)
    return load


def _close(connections: Sequence[_Connection]) -> None:
    for connection in connections:
        connection.close()
