"""Weigh a number of things, on the Dask cluster that DASK_SCHEDULER names, or in threads."""

from __future__ import annotations

import os

from prefect import flow, get_run_logger, runtime, task
from prefect.task_runners import DaskTaskRunner, TaskRunner, ThreadPoolTaskRunner

SCHEDULER = os.environ.get("DASK_SCHEDULER")  # noqa: TID251 - where it runs says so, not a setting
RUNNER: TaskRunner = DaskTaskRunner(address=SCHEDULER) if SCHEDULER else ThreadPoolTaskRunner()


@task(retries=2)
def weigh(thing: int) -> int:
    """Weigh one; if its worker is lost, another one does it again."""
    get_run_logger().info("weighing %s for %s", thing, runtime.flow_run.name)
    return thing * thing


@task
def total(weights: list[int]) -> int:
    """Add up, on the cluster."""
    return sum(weights)


@flow(task_runner=RUNNER, log_prints=True)
def weighing(count: int = 20) -> int:
    """Weigh all of them."""
    weight: int = total.submit(weigh.map(list(range(count)))).result()
    print(f"all together: {weight}")
    return weight


if __name__ == "__main__":
    weighing()
