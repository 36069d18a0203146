"""Measure our server beside Prefect 3.8.8's: `make bench-server`, or `python benchmarks/server.py --help`.

Each server is a fresh process on a fresh SQLite file; one client asks over one connection, one request after
the other, so that latencies are the server's own.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from run import Result, Row, child_environment, machine, table

START_SECONDS = 120
ROWS = [
    Row("start", "server start, to the first answer", "", "start", "s", 1, 1.5),
    Row("memory", "resident memory after that work", "", "memory", "MB", 1e-6, 120),
    Row("create", "flow run created", "", "create", "ms", 1e3, 1.1),
    Row("create99", "… 99 of 100 within", "", "create99", "ms", 1e3, 20),
    Row("state", "flow run state set", "", "state", "ms", 1e3, 2),
    Row("state99", "… 99 of 100 within", "", "state99", "ms", 1e3, 20),
    Row("filter", "newest 20 flow runs of a flow, by filter", "", "filter", "ms", 1e3, 10),
    Row("filter99", "… 99 of 100 within", "", "filter99", "ms", 1e3, 50),
]


class Client:
    """One connection to a server."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def post(self, path: str, body: Any) -> Any:
        headers = {"Content-Type": "application/json"}
        while True:
            try:
                self.connection.request("POST", f"/api{path}", json.dumps(body), headers)
                answer = self.connection.getresponse()
                content = answer.read()
            except (http.client.HTTPException, ConnectionError):
                self.connection.close()  # the server closed it; the next request opens another
                continue
            if answer.status != 503:
                break
            # "Database is locked", say: asked again at once, all as one request's time.
        if answer.status not in (200, 201):
            raise RuntimeError(f"POST {path} answered {answer.status}: {content[:500]!r}")
        return json.loads(content)


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
def serving(python: Path) -> Iterator[tuple[int, int, float]]:
    """Give the port of a new server, its process id, and the seconds until it answered."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as home:
        began = time.perf_counter()
        server = subprocess.Popen(
            [str(python.parent / "prefect"), "server", "start", "--port", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=home,
            env=child_environment(home),
        )
        try:
            while not answers(port):
                if server.poll() is not None or time.perf_counter() - began > START_SECONDS:
                    raise RuntimeError(f"the server of {python} did not start")
                time.sleep(0.01)
            yield port, server.pid, time.perf_counter() - began
        finally:
            server.terminate()
            server.wait(60)


def resident(pid: int) -> float:
    """Return a process's resident memory in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(float(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def timed(count: int, call: Callable[[int], Any]) -> tuple[float, float]:
    """Call something many times; return the mean and the 99th percentile of the seconds it took."""
    taken = []
    for number in range(count):
        began = time.perf_counter()
        call(number)
        taken.append(time.perf_counter() - began)
    return statistics.fmean(taken), statistics.quantiles(taken, n=100)[98]


def measure(python: Path, count: int) -> dict[str, float]:
    """Start a server, make it work, and return its figures."""
    with serving(python) as (port, pid, start):
        client = Client(port)
        flow = client.post("/flows/", {"name": "bench"})["id"]
        run = {"flow_id": flow, "state": {"type": "PENDING"}, "parameters": {"x": 1}, "tags": ["a"]}
        ids: list[str] = []
        timed(20, lambda _: client.post("/flow_runs/", run))
        create = timed(count, lambda _: ids.append(client.post("/flow_runs/", run)["id"]))
        body = {"state": {"type": "RUNNING"}}
        state = timed(count, lambda number: client.post(f"/flow_runs/{ids[number]}/set_state", body))
        asked = {"flows": {"id": {"any_": [flow]}}, "sort": "EXPECTED_START_TIME_DESC", "limit": 20}
        client.post("/flow_runs/filter", asked)
        found = timed(max(count // 10, 10), lambda _: client.post("/flow_runs/filter", asked))
        return {
            "start": start,
            "create": create[0],
            "create99": create[1],
            "state": state[0],
            "state99": state[1],
            "filter": found[0],
            "filter99": found[1],
            "memory": resident(pid),
        }


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", type=Path, help="Python of an environment with prefect==3.8.8")
    parser.add_argument("--count", type=int, default=2000, help="requests of a kind (default: 2000)")
    asked = parser.parse_args()
    ours = measure(Path(sys.executable), asked.count)
    theirs = measure(asked.peer.absolute(), asked.count) if asked.peer else {}
    results = [
        Result(row, ours[row.figure] * row.per_unit, theirs[row.figure] * row.per_unit if theirs else None)
        for row in ROWS
    ]
    print(table(results, f"Measured {machine()}; SQLite, one connection, {asked.count} requests of a kind."))


if __name__ == "__main__":
    main()
