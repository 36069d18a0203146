"""The same scripts, run by the released client and worker, leave the same on our server as on theirs."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from interop.stored import comparable_text, differences, stored

HERE = Path(__file__).parent
SCRIPTS = HERE / "scripts"
PEER_PYTHON = Path(os.environ.get("PEER_PYTHON", ".peer/bin/python")).absolute()

pytestmark = [
    pytest.mark.interop,
    pytest.mark.timeout(400),
    pytest.mark.skipif(
        not PEER_PYTHON.exists(), reason="PEER_PYTHON names no interpreter with Prefect 3.8.8"
    ),
]

MEANT = {
    r"\.deferred: here false, there null": "null and false say the same",
    r"^\.flow_runs\.(asking|pausing)\[0\]\.(run_count|empirical_policy\.resuming)": (
        "a run that is resumed goes on with its attempt, and keeps the retries that it has"
    ),
    r"^\.flow_run(s|_states)\.child-flow.*task_run_id": "what stands for a run is said by the run",
    r"deployment_concurrency_lease_id: here null": "a lease that was given back is named no more",
    r"\[0\]\.state_details\.flow_run_id: here \"<id>\", there null": "every state says whose it is",
    r"AwaitingRetry|\.flow-retry\[0\]\[2\]\.state_details": (
        "a state that is put in another's place keeps its details: the same proposal is known again"
    ),
    r"\.status: here \"(NOT_)?READY\"": "how long ago somebody has asked for runs differs each time",
    r"block_schema\.fields\.definitions: only here": "a schema is kept as the client sent it",
    r"^\.artifacts\.None": "where a result is, is said by the state; no artifact is made of it",
    r"^\.block_documents\.secret/structured\[0\]\.data\.value": "a secret is masked, whatever its type is",
}
"""What differs on purpose: a pattern of where and how, and why."""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def server(python: Path, home: Path) -> Iterator[str]:
    """Give the URL of the API that an environment's server serves."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    started = subprocess.Popen(
        [python.with_name("prefect"), "server", "start", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "PREFECT_HOME": str(home), "HOME": str(home)},
    )
    try:
        for _ in range(600):
            try:
                if httpx.get(f"{url}/health", timeout=30).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        started.send_signal(signal.SIGINT)
        started.communicate(timeout=60)


class Client:
    """The released client, in processes of its own.

    Args:
        url: The server that it is set to.
        home: Where it keeps what it keeps.
    """

    def __init__(self, url: str, home: Path) -> None:
        self.url = url
        path = f"{PEER_PYTHON.parent}:{os.environ['PATH']}"
        self._env = {"PATH": path, "PREFECT_HOME": str(home), "HOME": str(home), "PREFECT_API_URL": url}
        self._env["COLUMNS"] = "250"

    def start(self, *words: object) -> subprocess.Popen[str]:
        """Start a script or, where the first word is none, the command line."""
        first = str(words[0])
        program = (
            [PEER_PYTHON] if first.endswith(".py") else [PEER_PYTHON.with_name("prefect"), "--no-prompt"]
        )
        return subprocess.Popen(
            [*program, *map(str, words)],
            cwd=SCRIPTS,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: object, fails: bool = False) -> str:
        """Run a script or a command to its end, and return what it printed."""
        process = self.start(*words)
        printed, _ = process.communicate(timeout=150)
        assert fails or process.returncode == 0, f"{words}: {process.returncode}\n{printed}"
        return printed

    def until(self, is_so: Callable[[list[dict[str, Any]]], bool], of: str) -> None:
        """Wait until the flow runs of a deployment are as they should be."""
        asked = {"deployments": {"name": {"any_": [of]}}}
        for _ in range(600):
            runs = httpx.post(f"{self.url}/flow_runs/filter", json=asked, timeout=60).json()
            if is_so(runs):
                return
            time.sleep(0.1)
        raise AssertionError([(run["name"], run["state_name"]) for run in runs])


def has_completed(runs: list[dict[str, Any]]) -> bool:
    return any(run["state_type"] == "COMPLETED" for run in runs)


def work_through(client: Client) -> dict[str, str]:
    """Do everything that is compared; return what commands printed."""
    names = "hello parent retried too_slow cached named_state with_parameters crashing"
    client.run(HERE / "scenarios.py", *names.split())
    client.run("objects.py")
    client.run("waits.py")
    serving = client.start("deployed.py", "serve")
    client.until(has_completed, "served")
    serving.send_signal(signal.SIGINT)
    serving.communicate(timeout=60)
    client.run("work-pool", "create", "pool", "--type", "process")
    client.run("deployed.py", "deploy", "pool")
    client.run("deployment", "run", "deployed-flow/worked", "--param", "x=9")
    working = client.start("worker", "start", "--pool", "pool", "--name", "worker")
    client.until(has_completed, "worked")
    working.send_signal(signal.SIGINT)
    working.communicate(timeout=60)
    return {" ".join(command): _shape(client.run(*command)) for command in COMMANDS}


COMMANDS = [
    ("flow", "ls"),
    ("flow-run", "ls", "--flow-name", "hello-flow"),
    ("deployment", "ls"),
    ("deployment", "inspect", "deployed-flow/worked"),
    ("deployment", "schedule", "ls", "deployed-flow/served"),
    ("work-pool", "ls"),
    ("work-pool", "inspect", "pool"),
    ("work-queue", "ls", "--pool", "pool"),
    ("variable", "ls"),
    ("variable", "inspect", "structured"),
    ("block", "ls"),
    ("block", "inspect", "secret/token"),
    ("artifact", "ls"),
    ("artifact", "inspect", "report"),
    ("concurrency-limit", "ls"),
    ("concurrency-limit", "inspect", "limited"),
    ("global-concurrency-limit", "ls"),
    ("global-concurrency-limit", "inspect", "database"),
    ("automation", "ls"),
]


def _shape(printed: str) -> str:
    """Return what is said, without what is of one run: ids, times, random names, and how wide a column is."""
    text = re.sub(r"DateTime\([^)]*\)+|Timezone\([^)]*\)+", "*", comparable_text(printed))
    text = re.sub(r"(a few|an?|\d+) (second|minute|hour)s? ago|now\b|\d\d:\d\d:\d\d[.\d]*", "*", text)
    return re.sub(r"[\s│┃━─┏┓┡┩└┘┴┬┳╇╈┼┷┻├┤]+", " ", re.sub(r"\b[a-z]+-[a-z]+\b", "*", text))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is on our server and on theirs after the same work."""

    def worked_through(name: str, python: Path) -> dict[str, Any]:
        home = tmp_path_factory.mktemp(name)
        with server(python, home / "server") as url:
            printed = work_through(Client(url, home / "client"))
            return {**stored(url), "printed": printed}

    with ThreadPoolExecutor(2) as pool:
        ours = pool.submit(worked_through, "ours", Path(sys.executable))
        theirs = pool.submit(worked_through, "theirs", PEER_PYTHON)
        return ours.result(), theirs.result()


def test_everything_is_stored_alike(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    found = [each for each in differences(*both) if not any(re.search(path, each) for path in MEANT)]

    assert not found, "\n".join(found)
