"""A flow that is deployed. `python deployed.py serve` serves it, `… deploy POOL` sends it to a work pool."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from prefect import flow, get_run_logger, runtime, task
from prefect.client.schemas.schedules import IntervalSchedule


@task
def tell() -> dict:
    get_run_logger().info("parameters %s", runtime.flow_run.parameters)
    return runtime.flow_run.parameters


@flow(name="deployed-flow")
def deployed(x: int = 1, name: str = "world") -> None:
    logger = get_run_logger()
    logger.info("i belong to deployment %s", runtime.deployment.name)
    logger.info("my version is %s", runtime.deployment.version)
    logger.info("my flow is %s", runtime.flow_run.flow_name)
    assert runtime.deployment.id and runtime.deployment.flow_run_id == runtime.flow_run.id
    tell()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        every = IntervalSchedule(interval=timedelta(seconds=5))
        deployed.serve(
            "served", schedules=[every], parameters={"x": 5}, tags=["t"], version="1", description="a flow"
        )
    else:
        source = flow.from_source(source=str(Path(__file__).parent), entrypoint="deployed.py:deployed")
        source.deploy(
            "worked",
            work_pool_name=sys.argv[2],
            parameters={"x": 7},
            tags=["w"],
            version="2",
            job_variables={"env": {"EXTRA": "1"}},
            concurrency_limit=3,
        )
