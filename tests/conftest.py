"""What every test has in common: a home of its own, child processes, and when PostgreSQL may be skipped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, settings

import setting

# At import, because settings may be read as soon as a test module imports `prefect`; with pytest-xdist each
# worker is a process and so gets a home of its own.
_home = tempfile.TemporaryDirectory(prefix="proconsul-tests-", ignore_cleanup_errors=True)
for _name in [name for name in os.environ if name.startswith("PREFECT_")]:
    del os.environ[_name]
os.environ["PREFECT_HOME"] = _home.name
# Tests start a thousand interpreters: each would compile everything it imports, where that is set.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# How long it takes to draw data, and to run a test of it, says how busy the machine is.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

_setting = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Have runs recorded where PROCONSUL_TEST_SETTING says; pytest-xdist's own process runs none."""
    if hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None):
        _setting.enter_context(setting.begin())


def pytest_unconfigure() -> None:
    """End the server or database of the tests."""
    _setting.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests more time where the server is slow."""
    if setting.PATIENCE == 1:
        return
    for item in items:
        limit = item.get_closest_marker("timeout")
        seconds = limit.args[0] if limit else float(item.config.getini("timeout"))
        item.add_marker(pytest.mark.timeout(seconds * setting.PATIENCE), append=False)


RunPython = Callable[..., "subprocess.CompletedProcess[str]"]


@cache
def _postgres_is_up() -> bool:
    url = urlsplit(os.environ.get("PROCONSUL_TEST_POSTGRES_URL", "postgresql://root@127.0.0.1:5432/test"))
    try:
        socket.create_connection((url.hostname or "127.0.0.1", url.port or 5432), timeout=2).close()
    except OSError:
        return False
    return True


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests marked `postgres` where no server answers, and `embedded` ones where runs go to a server."""
    if setting.has_server and item.get_closest_marker("embedded"):
        pytest.skip("is about the store of this machine, and runs are recorded by a server")
    if item.get_closest_marker("postgres") and not _postgres_is_up():
        if os.environ.get("PROCONSUL_REQUIRE_POSTGRES"):
            pytest.fail("no PostgreSQL server answers at PROCONSUL_TEST_POSTGRES_URL, and one is required")
        pytest.skip("no PostgreSQL server answers at PROCONSUL_TEST_POSTGRES_URL")


@pytest.fixture
def run_python(tmp_path: Path) -> RunPython:
    """Run Python in a child process with a home of its own: `run_python("-c", code)`, `run_python(path)`.

    The child's exit code must be 0, unless `check=False`; `env` adds environment variables. A test that
    lets it take longer than `timeout` is marked so as well.
    """

    def run(
        *arguments: str | Path,
        env: dict[str, str] | None = None,
        check: bool = True,
        cwd: Path | None = None,
        timeout: float = 55,
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=cwd or tmp_path,
            env={**os.environ, "PREFECT_HOME": str(tmp_path / "home"), **(env or {})},
        )
        if check and done.returncode:
            pytest.fail(f"python {arguments[0]} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    return run
