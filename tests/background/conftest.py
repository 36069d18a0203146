"""Workers of tasks, as processes, on the store of a home or on a server of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prefect.settings.context import refresh_settings
from wire import serving

TASKS = Path(__file__).parents[1] / "background_tasks.py"
NAMES = ("add", "add_later", "fail_once", "fail", "describe", "dawdle")

StartWorker = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(params=["store", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Have runs of this process kept in a home of its own, by itself or by a server."""
    home = tmp_path / "home"
    monkeypatch.setenv("PREFECT_HOME", str(home))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    if request.param == "server":
        with serving(tmp_path / "server") as (url, _):
            monkeypatch.setenv("PREFECT_API_URL", url)
            refresh_settings()
            yield request.param
            _forget()
    else:
        refresh_settings()
        yield request.param
        _forget()
    monkeypatch.undo()
    refresh_settings()


def _forget() -> None:
    from http_servers import drop_connections
    from prefect.recorder import get_recorder

    get_recorder().flush()
    get_recorder().close()
    drop_connections()


@pytest.fixture
def start_worker(place: str) -> Iterator[StartWorker]:
    """Start workers; what is left of them is ended."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str, names: tuple[str, ...] = NAMES) -> subprocess.Popen[str]:
        entrypoints = [f"{TASKS}:{name}" for name in names]
        worker = subprocess.Popen(
            [sys.executable, "-m", "prefect.cli", "task", "serve", *entrypoints, *options],
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        started.append(worker)
        assert worker.stderr is not None
        line = worker.stderr.readline()
        assert "Serving" in line, line + worker.stderr.read()
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.communicate()
