"""A worker that dies after it took a run and before it started it: another one starts the run, once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from prefect.operations.flow_runs import read_flow_run_states
from prefect.operations.leases import crash_orphans
from prefect.store import open_store
from prefect.types import now

pytestmark = [pytest.mark.timeout(120), pytest.mark.processes, pytest.mark.embedded]

SCRIPT = """
import pathlib
from prefect import flow

@flow
def hello():
    with pathlib.Path("began").open("a") as file:
        file.write("x")
"""
DIES = """
import asyncio, os, signal
from prefect.workers.process import ProcessWorker

class Dies(ProcessWorker):
    async def run(self, *args, **options):
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(Dies("here").start())
"""


def test_the_run_is_started_once_by_another_worker(place, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    place.pool()
    run = place.run_of(place.deploy())

    subprocess.run([sys.executable, "-c", DIES], env=place.env, cwd=tmp_path, timeout=60, check=False)
    assert place.read(run).state_name == "Submitting"
    # As a server does it all the time, and who works without one.
    assert crash_orphans(open_store(), now()) == []
    assert place.read(run).state_name == "Scheduled"
    with place.working("worker", "start", "--pool", "here"):
        ended = place.end_of(run)

    assert ended.state_name == "Completed"
    assert (tmp_path / "began").read_text() == "x"
    names = [state.name for state in place.client.call(read_flow_run_states, run.id)]
    names = [name for name in names if name != "Late"]  # it may be, on a machine that is busy
    assert names == ["Scheduled", "Pending", "Submitting"] * 2 + ["Running", "Completed"]


def test_the_process_of_a_run_that_was_given_away_leaves_it_alone(place, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    place.pool()
    run = place.run_of(place.deploy())
    claim = "00000000-0000-0000-0000-000000000001"
    env = {**place.env, "PREFECT__FLOW_RUN_ID": str(run.id), "PREFECT__FLOW_RUN_CLAIM": claim}

    done = subprocess.run([sys.executable, "-m", "prefect.flow_engine"], env=env, cwd=tmp_path, check=False)

    assert done.returncode == 0
    assert not os.path.exists(tmp_path / "began")
    assert place.read(run).state_name == "Scheduled"
