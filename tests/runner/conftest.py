"""Runs of deployments, made by hand, and processes that carry them out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
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
from prefect.operations.flow_runs import read_flow_run, read_flow_run_states
from prefect.operations.flows import create_flow
from prefect.operations.logs import read_logs
from prefect.schemas.actions import FlowCreate
from prefect.schemas.deployments import DeploymentCreate, DeploymentFlowRunCreate
from prefect.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.schemas.objects import FlowRun
from prefect.schemas.queries import LogQuery
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings
from prefect.store import open_store


class Place:
    """Where runs are kept, and a folder with scripts."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.env = env

    @property
    def client(self) -> Caller:
        return get_caller()

    def script(self, text: str, name: str = "script.py") -> str:
        (self.folder / name).write_text(text)
        return name

    def deploy(self, flow: str, entrypoint: str, **fields: Any) -> UUID:
        flow_id = self.client.call(create_flow, FlowCreate(name=flow)).id
        data = DeploymentCreate(
            name=fields.pop("name", "here"),
            flow_id=flow_id,
            entrypoint=entrypoint,
            path=str(self.folder),
            **fields,
        )
        return self.client.call(create_deployment, data).id

    def run_of(self, deployment_id: UUID, **fields: Any) -> FlowRun:
        return self.client.call(
            create_flow_run_from_deployment, deployment_id, DeploymentFlowRunCreate(**fields)
        )

    def execute(self, run: FlowRun, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "prefect.flow_engine"],
            capture_output=True,
            text=True,
            timeout=55,
            cwd=self.folder,
            env={**os.environ, **self.env, "PREFECT__FLOW_RUN_ID": str(run.id), **env},
            check=False,
        )

    def read(self, run: FlowRun) -> FlowRun:
        return self.client.call(read_flow_run, run.id)

    def history(self, run: FlowRun) -> list[str]:
        return [state.name for state in self.client.call(read_flow_run_states, run.id)]

    def logs(self, run: FlowRun) -> list[str]:
        chosen = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id]))
        return [log.message for log in self.client.call(read_logs, LogQuery(logs=chosen))]


@contextmanager
def _place(folder: Path, on_server: bool) -> Iterator[Place]:
    home = folder / "home"
    env = {"PREFECT_HOME": str(home)}
    with temporary_settings({PREFECT_HOME: str(home)}):
        if not on_server:
            yield Place(folder, env)
            return
        with serving(open_store()) as url, temporary_settings({PREFECT_API_URL: url}):
            yield Place(folder, {**env, "PREFECT_API_URL": url})


@pytest.fixture(params=["store", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with _place(tmp_path, request.param == "server") as found:
        yield found


@pytest.fixture
def store_place(tmp_path: Path) -> Iterator[Place]:
    with _place(tmp_path, on_server=False) as found:
        yield found


@pytest.fixture
def server_place(tmp_path: Path) -> Iterator[Place]:
    with _place(tmp_path, on_server=True) as found:
        yield found
