"""The benchmark of workers runs, and gives a table."""

from __future__ import annotations

from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "workers.py"


@pytest.mark.processes
@pytest.mark.timeout(170)
def test_a_setup_can_be_measured_without_the_peer(run_python):
    done = run_python(SCRIPT, "--quick", "--no-peer", "--only", "serve-here")

    assert "| `serve`, without a server |" in done.stdout


def test_an_unknown_setup_is_named(run_python):
    done = run_python(SCRIPT, "--only", "speed", check=False)

    assert done.returncode
    assert "no such setups: speed; there are serve, serve-cold" in done.stderr
