"""Requests of all shapes, made by Schemathesis from the server's description: none is answered by a 500."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from databases import postgres_schema

THOROUGH = "PROCONSUL_FUZZ" in os.environ
"""Whether requests are made at random, and many of them: `make fuzz`."""

pytestmark = [pytest.mark.processes, pytest.mark.timeout(3600 if THOROUGH else 900)]

ALWAYS_THE_SAME = (
    *("--config-file", str(Path(__file__).with_name("fuzzing.toml"))),
    *("run", "--phases", "fuzzing", "--generation-deterministic"),
)
AT_RANDOM = ("run", "--phases", "coverage,fuzzing", "--max-examples", "50")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "postgresql":
        with postgres_schema() as url:
            yield url
    else:
        yield f"sqlite:///{tmp_path / 'prefect.db'}"


@pytest.fixture
def server(database: str, tmp_path: Path) -> Iterator[str]:
    """The address of a server of its own process."""
    started = subprocess.Popen(
        [sys.executable, "-m", "prefect.cli", "server", "start", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PREFECT_HOME": str(tmp_path), "PREFECT_API_DATABASE_CONNECTION_URL": database},
    )
    try:
        assert started.stdout is not None
        yield started.stdout.readline().removeprefix("Serving at ").strip().removesuffix("/api")
    finally:
        started.terminate()
        started.communicate(timeout=60)


def test_no_request_makes_the_server_fail(server: str, tmp_path: Path) -> None:
    fuzzed = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            *(AT_RANDOM if THOROUGH else ALWAYS_THE_SAME),
            f"{server}/openapi.json",
            *("--checks", "not_a_server_error", "--no-color", "--suppress-health-check", "all"),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )

    assert fuzzed.returncode == 0, fuzzed.stdout[-8000:] + fuzzed.stderr[-1000:]
