"""Measure our server beside Prefect 3.8.8's: `make bench-server`, or `python benchmarks/server.py --help`.

Each server is a fresh process on a fresh database. Four connections ask it as fast as they are answered, and
then at a fixed pace; the client is a process of its own, as cheap as may be (`load.py`). The database is then
filled with copies of its runs, so that filters have something to go through.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from load import Load, paced, request, saturated
from run import Result, Row, child_environment, machine, table, write_into

START_SECONDS = 120
CONNECTIONS = 4
STORED = 100_000
LOGS_AT_ONCE = 200
PACE = 200
WARM_UP = 1000
LASTING = 1000
"""With so many requests of a kind, as many flow runs are made as are stored, to see whether memory grows."""
ROWS = [
    Row("start", "server start, to the first answer", "", "start", "s", 1, 1.5),
    Row("memory", "resident memory after all of this", "", "memory", "MB", 1e-6, 120),
    Row("create", "flow run created, 4 connections", "", "create", "ms", 1e3, 2),
    Row("create99", "… 99 of 100 answered within", "", "create99", "ms", 1e3, 20),
    Row("state", "state of a flow run set, 4 connections", "", "state", "ms", 1e3, 2),
    Row("state99", "… 99 of 100 answered within", "", "state99", "ms", 1e3, 20),
    Row("paced99", f"… at {PACE} a second, 99 of 100 within", "", "paced99", "ms", 1e3, 20),
    Row("filter", "newest 50 of 100,000 flow runs, by filter", "", "filter", "ms", 1e3, 10),
    Row("filter99", "… 99 of 100 answered within", "", "filter99", "ms", 1e3, 50),
    Row("logs", "log record taken, in batches of 200", "", "logs", "µs", 1e6, 50),
    Row("events", "event of a task run, by socket, until it is recorded", "", "events", "µs", 1e6, 200),
    Row("failed", "of 100 requests, not carried out", "", "failed", "", 100, 0),
    Row("growth", "memory for 100,000 further flow runs", "", "growth", "MB", 1e-6, 10),
]


class Server(NamedTuple):
    """A server that is measured."""

    port: int
    pid: int
    start: float
    """Seconds until it answered."""
    database: str

    def post(self, path: str, body: Any) -> Any:
        """Ask once, over a connection of its own, again where the server has too much to do."""
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                headers = {"Content-Type": "application/json"}
                connection.request("POST", f"/api{path}", json.dumps(body), headers)
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
            if answer.status in (200, 201):
                return json.loads(content)
            if answer.status != 503:
                raise RuntimeError(f"POST {path} answered {answer.status}: {content[:500]!r}")

    @property
    def resident(self) -> float:
        """The resident memory in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(float(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def database(kind: str, home: str, is_ours: bool) -> Iterator[str]:
    """Give the URL of an empty database, as its server takes it."""
    if kind == "sqlite":
        driver = "" if is_ours else "+aiosqlite"
        yield f"sqlite{driver}:///{home}/bench.db"
        return
    import psycopg

    address = os.environ.get("PROCONSUL_TEST_POSTGRES_URL", "postgresql://root@127.0.0.1:5432/test")
    name = f"bench_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        url = f"{address.rpartition('/')[0]}/{name}"
        yield url if is_ours else url.replace("postgresql:", "postgresql+asyncpg:")
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def serving(python: Path, kind: str = "sqlite") -> Iterator[Server]:
    """Give a new server on an empty database."""
    port, is_ours = free_port(), python == Path(sys.executable)
    with (
        tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as home,
        database(kind, home, is_ours) as url,
    ):
        began = time.perf_counter()
        server = subprocess.Popen(
            [str(python.parent / "prefect"), "server", "start", "--port", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=home,
            env={**child_environment(home), "PREFECT_API_DATABASE_CONNECTION_URL": url},
        )
        try:
            while not answers(port):
                if server.poll() is not None or time.perf_counter() - began > START_SECONDS:
                    raise RuntimeError(f"the server of {python} did not start")
                time.sleep(0.01)
            yield Server(port, server.pid, time.perf_counter() - began, url)
        finally:
            server.terminate()
            server.wait(60)


def fill(url: str, count: int) -> None:
    """Copy flow runs within a database until there are so many."""
    plain = url.replace("+aiosqlite", "").replace("+asyncpg", "")
    if plain.startswith("sqlite"):
        connection: Any = sqlite3.connect(plain.removeprefix("sqlite:///"), timeout=60)
        query = "SELECT name FROM pragma_table_info('{0}')"
    else:
        import psycopg

        connection = psycopg.connect(plain)
        query = (
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_name = '{0}' AND is_generated = 'NEVER'"
        )
    table = _table(connection)
    columns = [row[0] for row in connection.execute(query.format(table))]
    present, example = connection.execute(f"SELECT count(*), min(CAST(id AS text)) FROM {table}").fetchone()
    new_id = _new_id(plain, example)
    chosen = ", ".join(new_id if column == "id" else f'a."{column}"' for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    times = max(1, round(count / present) - 1)
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {times})"
    connection.execute(f"INSERT INTO {table} ({names}) {numbers} SELECT {chosen} FROM {table} a, n")
    connection.commit()
    connection.close()


def _table(connection: Any) -> str:
    """Name the table of flow runs, which is singular or plural."""
    for name in ("flow_runs", "flow_run"):
        try:
            connection.execute(f"SELECT 1 FROM {name} LIMIT 1")
        except Exception:  # noqa: BLE001 - whichever error says that there is no such table
            connection.rollback()
        else:
            return name
    raise RuntimeError("there is no table of flow runs")


def _new_id(url: str, example: str) -> str:
    if not url.startswith("sqlite"):
        return "gen_random_uuid()"
    if len(example) == 32:
        return "lower(hex(randomblob(16)))"
    parts = ("hex(randomblob(4))", "hex(randomblob(2))", "'4abc'", "'8abc'", "hex(randomblob(6))")
    return "lower(" + " || '-' || ".join(parts) + ")"


def event(task_run: str, flow_run: str, kind: str) -> str:
    """Return the event of a task run that enters a state, as clients send it."""
    name, at = kind.capitalize(), datetime.now(UTC).isoformat()
    return json.dumps(
        {
            "id": str(uuid.uuid4()),
            "occurred": at,
            "event": f"prefect.task-run.{name}",
            "resource": {
                "prefect.resource.id": f"prefect.task-run.{task_run}",
                "prefect.resource.name": "load-0",
                "prefect.orchestration": "client",
            },
            "related": [
                {
                    "prefect.resource.id": f"prefect.flow-run.{flow_run}",
                    "prefect.resource.role": "flow-run",
                }
            ],
            "payload": {
                "intended": {"from": None, "to": kind},
                "initial_state": None,
                "validated_state": {"type": kind, "name": name, "message": "", "state_details": {}},
                "task_run": {
                    "name": "load-0",
                    "task_key": "load",
                    "dynamic_key": task_run,
                    "empirical_policy": {"retries": 0, "retry_delay": 0},
                    "tags": [],
                    "labels": {},
                    "task_inputs": {},
                    "run_count": 1,
                    "start_time": at,
                    "total_run_time": 0.0,
                },
            },
        }
    )


def record_events(server: Server, flow_run: str, count: int) -> float:
    """Send the events of task runs by one socket; return the seconds an event until all are recorded."""
    from websockets.sync.client import connect

    runs = [str(uuid.uuid4()) for _ in range(count // 3)]
    events = [event(run, flow_run, kind) for run in runs for kind in ("PENDING", "RUNNING", "COMPLETED")]
    finished = {"task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
    with connect(f"ws://127.0.0.1:{server.port}/api/events/in", subprotocols=["prefect"]) as socket:  # type: ignore[list-item]
        socket.send('{"type": "auth", "token": null}')
        socket.recv()
        began = time.perf_counter()
        for each in events:
            socket.send(each)
        while server.post("/task_runs/count", finished) < len(runs):
            if time.perf_counter() - began > 300:
                raise RuntimeError("events were lost")
            time.sleep(0.01)
        return (time.perf_counter() - began) / len(events)


def growth(server: Server, create: bytes, count: int, rounds: int) -> float:
    """Make rounds of flow runs; return the bytes of memory that 100,000 of them take and leave taken."""
    before = server.resident
    for _ in range(rounds):
        saturated(server.port, CONNECTIONS, [create] * count)
    return max(0.0, (server.resident - before) / (rounds * count) * STORED)


def measure(python: Path, kind: str, count: int, rounds: int = 1) -> dict[str, float]:
    """Start a server, make it work, and return its figures.

    Args:
        python: The interpreter of its environment.
        kind: The database.
        count: How many requests of a kind.
        rounds: How often as many flow runs are made to see whether memory grows.
    """
    figures: dict[str, float] = {}
    loads: list[Load] = []

    def keep(name: str, load: Load) -> Load:
        loads.append(load)
        figures[name], figures[f"{name}99"] = 1 / load.rate if load.rate else float("inf"), load.within(99)
        return load

    with serving(python, kind) as server:
        ask: Callable[..., bytes] = lambda path, body: request(server.port, "POST", path, body)  # noqa: E731
        flow = server.post("/flows/", {"name": "bench"})["id"]
        run = {"flow_id": flow, "state": {"type": "PENDING"}, "parameters": {"x": 1}, "tags": ["a"]}
        # Enough for threads, connections and caches to be there.
        saturated(server.port, CONNECTIONS, [ask("/flow_runs/", run)] * WARM_UP)
        made = keep("create", saturated(server.port, CONNECTIONS, [ask("/flow_runs/", run)] * count))
        ids = [json.loads(body)["id"] for body in made.bodies if b'"flow_id"' in body]
        states = [ask(f"/flow_runs/{each}/set_state", {"state": {"type": "RUNNING"}}) for each in ids]
        keep("state", saturated(server.port, CONNECTIONS, states))
        ends = [ask(f"/flow_runs/{each}/set_state", {"state": {"type": "COMPLETED"}}) for each in ids]
        keep("paced", paced(server.port, CONNECTIONS, ends, PACE))
        record = {"name": "bench", "level": 20, "message": "a line of text", "flow_run_id": ids[0]}
        record["timestamp"] = datetime.now(UTC).isoformat()
        logs = [ask("/logs/", [record] * LOGS_AT_ONCE)] * max(8, count // 20)
        figures["logs"] = 1 / keep("batch", saturated(server.port, CONNECTIONS, logs)).rate / LOGS_AT_ONCE
        figures["events"] = record_events(server, ids[0], count * 3)
        fill(server.database, STORED)
        newest = ask("/flow_runs/filter", {"sort": "EXPECTED_START_TIME_DESC", "limit": 50})
        saturated(server.port, 1, [newest] * 3)
        keep("filter", saturated(server.port, CONNECTIONS, [newest] * max(count // 10, 20)))
        asked = sum(len(load.latencies) for load in loads)
        done = sum(number for load in loads for status, number in load.statuses.items() if status < 300)
        figures["growth"] = growth(server, ask("/flow_runs/", run), count, rounds)
        return {**figures, "start": server.start, "memory": server.resident, "failed": 1 - done / asked}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", type=Path, help="Python of an environment with prefect==3.8.8")
    parser.add_argument("--no-peer", action="store_true", help="measure only ours")
    parser.add_argument("--count", type=int, default=4000, help="requests of a kind (default: 4000)")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--write", type=Path, help="put the table into this page", metavar="docs/server.md")
    asked = parser.parse_args()
    rounds = max(1, round(STORED / asked.count)) if asked.count >= LASTING else 1
    ours = measure(Path(sys.executable), asked.database, asked.count, rounds)
    theirs: dict[str, float] = {}
    if asked.peer and not asked.no_peer:
        # It takes so long for each that fewer must do.
        theirs = measure(asked.peer.absolute(), asked.database, max(100, asked.count // 10))
    results = [
        Result(row, ours[row.figure] * row.per_unit, theirs[row.figure] * row.per_unit if theirs else None)
        for row in ROWS
    ]
    note = f"Measured {machine()}; {asked.database}, {asked.count:,} requests of a kind."
    print(table(results, note))
    if asked.write:
        write_into(asked.write, table(results, note))


if __name__ == "__main__":
    main()
