"""Our `serve` and our worker carry out the runs of a server of Prefect 3.8.8, scheduled ones among them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from setting import PEER_PYTHON, peer_serving

pytestmark = [
    pytest.mark.interop,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not PEER_PYTHON.exists(), reason="PEER_PYTHON names no interpreter"),
]

PATIENCE = 120.0
Json = dict[str, Any]


class Theirs:
    """A server of theirs, and our processes that work for it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        quick = {"PREFECT_RUNNER_POLL_FREQUENCY": "1", "PREFECT_WORKER_QUERY_SECONDS": "1"}
        self.env = {**os.environ, **quick, "PREFECT_API_URL": url, "PREFECT_HOME": str(folder / "home")}
        shutil.copy(Path(__file__).with_name("scripts") / "deployed.py", folder)

    def ask(self, path: str, **body: Any) -> Any:
        answer = httpx.post(f"{self.url}{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def runs(self, deployment: str) -> list[Json]:
        found: list[Json] = self.ask("/flow_runs/filter", deployments={"name": {"any_": [deployment]}})
        return found

    def logs(self, run: Json) -> list[str]:
        return [
            each["message"] for each in self.ask("/logs/filter", logs={"flow_run_id": {"any_": [run["id"]]}})
        ]

    def state_names(self, run: Json) -> list[str]:
        states = httpx.get(f"{self.url}/flow_run_states/", params={"flow_run_id": run["id"]}).json()
        return [state["name"] for state in sorted(states, key=lambda state: str(state["timestamp"]))]

    def run(self, *words: str) -> None:
        done = subprocess.run(
            [sys.executable, *words], env=self.env, cwd=self.folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    @contextmanager
    def working(self, *words: str) -> Iterator[None]:
        with (self.folder / "printed").open("w") as printed:
            process = subprocess.Popen(
                [sys.executable, *words], env=self.env, cwd=self.folder, stdout=printed, stderr=printed
            )
            try:
                yield
            finally:
                process.terminate()
                process.wait(PATIENCE)

    def until(self, holds: Callable[[], Any]) -> Any:
        end = time.monotonic() + PATIENCE
        while not (found := holds()):
            assert time.monotonic() < end, (self.folder / "printed").read_text()
            time.sleep(0.2)
        return found

    @staticmethod
    def has_ended(run: Json) -> bool:
        return run["state_type"] not in ("SCHEDULED", "PENDING", "RUNNING")

    def completed(self, deployment: str, *, is_scheduled: bool) -> Json | None:
        for run in self.runs(deployment):
            if run["auto_scheduled"] is is_scheduled and self.has_ended(run):
                assert run["state_type"] == "COMPLETED", run["state"]
                return run
        return None


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theirs]:
    with peer_serving() as url:
        yield Theirs(url, tmp_path_factory.mktemp("ours"))


def test_we_serve_what_their_server_schedules(theirs: Theirs) -> None:
    with theirs.working("deployed.py", "serve"):
        run = theirs.until(lambda: theirs.completed("served", is_scheduled=True))
        theirs.until(lambda: "parameters {'x': 5, 'name': 'world'}" in theirs.logs(run))

    said = theirs.logs(run)
    assert {"i belong to deployment served", "my version is 1", "my flow is deployed-flow"} <= set(said)
    assert sorted(run["tags"]) == ["auto-scheduled", "t"]
    assert run["start_time"] >= run["expected_start_time"]
    begun = [each for each in theirs.runs("served") if each["start_time"]]
    assert len({each["expected_start_time"] for each in begun}) == len(begun)
    (deployment,) = theirs.ask("/deployments/filter", deployments={"name": {"any_": ["served"]}})
    assert deployment["paused"]


def test_our_worker_carries_out_what_is_asked_of_theirs(theirs: Theirs) -> None:
    prefect = "-m", "prefect.cli"
    theirs.run(*prefect, "work-pool", "create", "pool", "--type", "process")
    theirs.run("deployed.py", "deploy", "pool")
    theirs.run(*prefect, "deployment", "run", "deployed-flow/worked", "--param", "x=9")
    theirs.run(*prefect, "deployment", "schedule", "create", "deployed-flow/worked", "--interval", "5")

    with theirs.working(*prefect, "worker", "start", "--pool", "pool", "--name", "ours"):
        asked = theirs.until(lambda: theirs.completed("worked", is_scheduled=False))
        planned = theirs.until(lambda: theirs.completed("worked", is_scheduled=True))
        theirs.until(lambda: "parameters {'x': 9, 'name': 'world'}" in theirs.logs(asked))

    assert "i belong to deployment worked" in theirs.logs(asked)
    assert (asked["work_pool_name"], asked["infrastructure_pid"] is not None) == ("pool", True)
    assert asked["labels"]["prefect.worker.name"] == planned["labels"]["prefect.worker.name"] == "ours"
    (worker,) = theirs.ask("/work_pools/pool/workers/filter")
    assert worker["name"] == "ours"


def test_a_run_whose_worker_died_before_it_began_is_begun_once_by_another_one(theirs: Theirs) -> None:
    prefect = "-m", "prefect.cli"
    start = *prefect, "worker", "start", "--pool", "lost", "--name"
    theirs.run(*prefect, "work-pool", "create", "lost", "--type", "process")
    theirs.run("deployed.py", "deploy", "lost")
    theirs.run(*prefect, "deployment", "pause", "deployed-flow/worked")
    due = (datetime.now(UTC) + timedelta(seconds=12)).isoformat()

    theirs.env["PREFECT_WORKER_HEARTBEAT_SECONDS"] = "1"
    first = subprocess.Popen(
        [sys.executable, *start, "first"], env={**theirs.env, "DOOMED": "1"}, cwd=theirs.folder
    )
    theirs.run(*prefect, "deployment", "run", "deployed-flow/worked", "--at", due)

    def waiting() -> Json | None:
        found = [run for run in theirs.runs("worked") if not run["auto_scheduled"]]
        found = [run for run in found if run["work_pool_name"] == "lost" and run["infrastructure_pid"]]
        return found[0] if found else None

    run = theirs.until(waiting)
    kill_all("DOOMED=1")
    first.wait()
    assert theirs.state_names(run)[-1] == "Submitting"
    # Both find the run, and have a process started for it.
    with theirs.working(*start, "second"), theirs.working(*start, "third"):
        theirs.until(lambda: "Completed" in theirs.state_names(run))

    names = theirs.state_names(run)
    assert names == ["Scheduled", "Pending", "Submitting", "Starting", "Running", "Completed"]
    assert theirs.logs(run).count("my version is 2") == 1


def kill_all(mark: str) -> None:
    """Kill the processes that have a variable in their environment, as the end of their machine does."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)
