"""What Ray does to the signals of the process of a flow is undone, also where Ray does not start."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import signal
from prefect.exceptions import ConfigurationError
from prefect.task_runners import RayTaskRunner

def end(*_):
    pass

signal.signal(signal.SIGTERM, end)
try:
    RayTaskRunner(init_kwargs={"number_of_cpus": 1})._start()
except ConfigurationError as error:
    print(error)
print(signal.getsignal(signal.SIGTERM) is end)
"""


@pytest.mark.processes
@pytest.mark.timeout(120)
def test_a_ray_that_does_not_start_leaves_signals_as_they_were():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=100)
    told = done.stdout.splitlines()
    assert "Unknown keyword argument(s): number_of_cpus" in told[0], done.stderr
    assert told[1] == "True"
