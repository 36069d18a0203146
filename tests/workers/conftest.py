"""Deployments in a work pool, and workers that carry their runs out."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from http_servers import serving
from prefect.client.base import Caller
from prefect.client.current import get_caller
from prefect.operations.deployment_runs import create_flow_run_from_deployment
from prefect.operations.deployments import create_deployment
from prefect.operations.flow_runs import read_flow_run
from prefect.operations.flows import create_flow
from prefect.operations.work_pools import create_work_pool
from prefect.schemas.actions import FlowCreate
from prefect.schemas.deployments import DeploymentCreate, DeploymentFlowRunCreate
from prefect.schemas.objects import FlowRun
from prefect.schemas.states import TERMINAL_STATES
from prefect.schemas.work_pools import WorkPoolCreate
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, PREFECT_WORKER_QUERY_SECONDS, temporary_settings
from prefect.store import open_store

PATIENCE = 100.0


class Place:
    """Where runs are kept, and a folder with scripts."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.env = {**os.environ, **env, "PREFECT_WORKER_QUERY_SECONDS": "0.2"}

    @property
    def client(self) -> Caller:
        return get_caller()

    def pool(self, name: str = "here", **fields: Any) -> None:
        self.client.call(create_work_pool, WorkPoolCreate(**{"name": name, "type": "process", **fields}))

    def deploy(self, flow: str = "hello", pool: str = "here", **fields: Any) -> UUID:
        flow_id = self.client.call(create_flow, FlowCreate(name=flow)).id
        data = DeploymentCreate(
            name="daily",
            flow_id=flow_id,
            entrypoint=f"script.py:{flow}",
            path=str(self.folder),
            work_pool_name=pool,
            **fields,
        )
        return self.client.call(create_deployment, data).id

    def run_of(self, deployment_id: UUID, **fields: Any) -> FlowRun:
        return self.client.call(
            create_flow_run_from_deployment, deployment_id, DeploymentFlowRunCreate(**fields)
        )

    def read(self, run: FlowRun) -> FlowRun:
        return self.client.call(read_flow_run, run.id)

    def until(self, run: FlowRun, holds: Callable[[FlowRun], object]) -> FlowRun:
        """Return the run as soon as something holds of it."""
        self.wait_for(lambda: holds(self.read(run)))
        return self.read(run)

    def wait_for(self, holds: Callable[[], object]) -> None:
        """Return as soon as something holds."""
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, self.printed
            time.sleep(0.05)

    def end_of(self, run: FlowRun) -> FlowRun:
        return self.until(run, lambda found: found.state_type in TERMINAL_STATES)

    def command(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "prefect.cli", *words],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=self.env,
            check=False,
        )
        assert done.returncode == 0, done
        return done.stdout

    @contextmanager
    def working(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Have a worker work meanwhile: `working("worker", "start", "--pool", "here")`."""
        with (self.folder / "printed").open("w") as printed:
            process = subprocess.Popen(
                [sys.executable, "-m", "prefect.cli", *words],
                stdout=printed,
                stderr=printed,
                text=True,
                env=self.env,
                cwd=self.folder,
            )
            try:
                yield process
            finally:
                process.terminate()
                process.wait(PATIENCE)

    @property
    def printed(self) -> str:
        return (self.folder / "printed").read_text()


@contextmanager
def _place(folder: Path, on_server: bool) -> Iterator[Place]:
    home = folder / "home"
    env = {"PREFECT_HOME": str(home)}
    with temporary_settings({PREFECT_HOME: str(home), PREFECT_WORKER_QUERY_SECONDS: 0.2}):
        if not on_server:
            yield Place(folder, env)
            return
        with serving(open_store()) as url, temporary_settings({PREFECT_API_URL: url}):
            yield Place(folder, {**env, "PREFECT_API_URL": url})


@pytest.fixture(params=["store", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The store of this machine, or a server."""
    with _place(tmp_path, request.param == "server") as found:
        yield found


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    """The store of this machine."""
    with _place(tmp_path, on_server=False) as found:
        yield found
