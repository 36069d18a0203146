"""A flow that writes down, at every place where its code runs, what `prefect.runtime` says there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.context import child_environment
from prefect.runtime import deployment, flow_run

SEEN = Path(__file__).with_name("seen")
OF_DEPLOYMENT = "id", "name", "version", "parameters", "flow_run_id", "tags"
OF_FLOW_RUN = (
    "id",
    "parent_flow_run_id",
    "root_flow_run_id",
    "parent_deployment_id",
    "job_variables",
    "work_pool_name",
    "work_queue_name",
    "scheduled_start_time",
)


def see(where: str) -> None:
    """Write down what is known here."""
    facts: dict[str, Any] = {f"deployment.{name}": getattr(deployment, name) for name in OF_DEPLOYMENT}
    facts |= {f"flow_run.{name}": getattr(flow_run, name) for name in OF_FLOW_RUN}
    line = json.dumps([where, facts], default=lambda value: value.isoformat()) + "\n"
    file = os.open(SEEN, os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    os.write(file, line.encode())
    os.close(file)


if __name__ != "__main__":
    see("child" if "CHILD" in os.environ else "import")


def named(where: str) -> Any:
    """Return a callback that names a run."""

    def name() -> str:
        see(where)
        return f"named in {where}"

    return name


def hook(where: str) -> Any:
    """Return a hook."""
    return lambda *_: see(where)


@task(task_run_name=named("task name"), on_running=[hook("task running")], on_completion=[hook("task hook")])
def work(where: str) -> None:
    """See from a task."""
    see(where)


@flow
def third() -> None:
    """See from the innermost flow."""
    see("third")
    work("task of third")
    thread = threading.Thread(target=see, args=("thread of third",))
    thread.start()
    thread.join()


@flow(flow_run_name=named("name of second"))
def second() -> None:
    """See from a nested flow."""
    see("second")
    third()


@flow(
    flow_run_name=named("name"),
    on_running=[hook("running")],
    on_completion=[hook("completion")],
    on_failure=[hook("failure")],
    on_crashed=[hook("crashed")],
    on_cancellation=[hook("cancellation")],
)
def told(how: str = "completes") -> None:
    """See from everywhere, and end as asked."""
    see("flow")
    if how == "fails":
        raise ValueError(how)
    if how == "crashes":
        raise SystemExit(3)
    if how == "is cancelled":
        time.sleep(600)
    work("task")
    work.submit("submitted task").result()
    second()
    child = [sys.executable, "-c", "import told"]
    for inherits in (True, False):
        env = {**os.environ, "CHILD": "1", **({} if inherits else child_environment())}
        subprocess.run(child, env=env, cwd=SEEN.parent, check=True)


if __name__ == "__main__":
    told.serve("there", version="7", tags=["t"], parameters={"how": "completes"})
