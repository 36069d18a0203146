"""The server goes away for a while, and comes back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest

from http_servers import drop_connections
from prefect.operations.flow_runs import read_flow_run_states
from prefect.schemas.states import State, StateDetails, StateType
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings
from prefect.types import now

from .conftest import Place

pytestmark = [pytest.mark.timeout(170), pytest.mark.processes, pytest.mark.embedded]

SCRIPT = """
import pathlib, time
from prefect import flow

@flow
def waits():
    while not pathlib.Path("go").exists():
        time.sleep(0.05)
    print("went on")

@flow
def hello():
    pass
"""


class Server:
    """A server in a process of its own, on a file."""

    def __init__(self, home: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port = int(taken.getsockname()[1])
        self.env = {**os.environ, "PREFECT_HOME": home}
        self.url = f"http://127.0.0.1:{self.port}/api"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "prefect.cli", "server", "start", "--port", str(self.port)],
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while True:
            assert self._process.poll() is None
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=30):
                return

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    made = Server(str(tmp_path / "server"))
    made.start()
    yield made
    drop_connections()
    made.kill()


def test_a_worker_goes_on_and_tells_later_what_happened(server, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    home = str(tmp_path / "home")
    with temporary_settings({PREFECT_HOME: home, PREFECT_API_URL: server.url}):
        place = Place(tmp_path, {"PREFECT_HOME": home, "PREFECT_API_URL": server.url})
        place.pool()
        waits = place.deploy("waits")
        ends, dies = place.run_of(waits), place.run_of(waits)
        with place.working("worker", "start", "--pool", "here") as worker:
            for run in (ends, dies):
                place.until(run, lambda found: found.state_name == "Running" and found.infrastructure_pid)
            killed = place.read(dies).infrastructure_pid
            soon = StateDetails(scheduled_time=now() + timedelta(seconds=12))
            scheduled: State[None] = State(type=StateType.SCHEDULED, state_details=soon)
            meanwhile = place.run_of(place.deploy("hello"), state=scheduled)

            server.kill()
            place.wait_for(lambda: "No answer" in place.printed)
            os.kill(int(killed or "0"), signal.SIGKILL)
            (tmp_path / "go").touch()
            place.wait_for(lambda: "went on" in place.printed)
            assert worker.poll() is None
            server.start()

            assert place.end_of(ends).state_name == "Completed"
            crashed = place.end_of(dies)
            # Of the worker, or of the server, which looks for processes that are gone when it starts.
            assert (crashed.state_name, "process" in crashed.state.message) == ("Crashed", True)
            assert place.end_of(meanwhile).state_name == "Completed"
            names = [state.name for state in place.client.call(read_flow_run_states, meanwhile.id)]
            assert names.count("Running") == 1, names
        assert place.printed.count("No answer") == 1, place.printed
