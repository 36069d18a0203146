"""Tasks that tests delay, and workers in other processes serve."""

from __future__ import annotations

import os
import time
from pathlib import Path

from prefect import flow, task
from prefect.runtime import flow_run, task_run


@task
def add(a, b=2):
    return a + b


@task
async def add_later(a, b):
    return a + b


@task(retries=1)
def fail_once():
    if task_run.run_count == 1:
        raise ValueError("the first time")
    return task_run.run_count


@task(log_prints=True)
def fail():
    print("about to fail")
    raise LookupError("nothing there")


@task
def describe():
    return flow_run.name, flow_run.id, os.getpid()


@task
def dawdle(folder):
    (Path(folder) / str(os.getpid())).touch()
    while not (Path(folder) / "go").exists():
        time.sleep(0.01)
    return os.getpid()


@flow
def delaying():
    return flow_run.name, describe.delay().task_run_id
