"""A flow whose tasks run on a Dask cluster, and wait there for a word of the test's."""

from __future__ import annotations

import os
import time
from pathlib import Path

from prefect import flow, get_run_logger, runtime, task
from prefect.task_runners import DaskTaskRunner


@task(retries=2)
def weigh(n: int) -> int:
    """Wait on this host until told to go on."""
    home = Path(os.environ["PREFECT_HOME"])
    (home / f"begun-{n}").touch()
    while not (home / "go").exists():
        time.sleep(0.05)
    get_run_logger().info("weighed %s for %s", n, runtime.deployment.name)
    (home / f"ended-{n}").touch()
    return n * n


@task
def total(weights: list[int]) -> int:
    """Add up."""
    get_run_logger().info("added up")
    return sum(weights)


@flow(task_runner=DaskTaskRunner(address=os.environ.get("FLEET_SCHEDULER", "tcp://127.0.0.1:8786")))
def weighing(count: int) -> int:
    """Weigh on the cluster."""
    get_run_logger().info("begun")
    sum_of_all = total.submit(weigh.map(list(range(count)))).result()
    get_run_logger().info("it is %s", sum_of_all)
    return sum_of_all
