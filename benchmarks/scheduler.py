"""Measure a pass of the scheduler over 10,000 deployments: `python benchmarks/scheduler.py --help`.

The pass is what a server does once a minute: it looks at every schedule and makes the runs that are missing
of the next hour, three at least. The first pass over new deployments has all of them to make, with their
states and events; the ones after it find that enough is planned.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from run import Result, Row, machine, table, write_into

from server import database

DEPLOYMENTS = 10_000
MADE_BY_HAND = 100
"""Deployments that are made one by one; the others are copies of them."""
CRON = ("0 * * * *", "*/20 * * * *", "15 6 * * *", "0 9 * * 1-5", "30 2 1 * *")
ROWS = [
    Row("first", "scheduler pass over 10,000 deployments", "", "first", "s", 1, 2),
    Row("run", "… a run that it planned", "", "run", "µs", 1e6, 70),
    Row("next", "scheduler pass over 10,000 deployments, nothing to plan", "", "next", "s", 1, 0.5),
]


@contextmanager
def deployed(kind: str, count: int) -> Iterator[Any]:
    """Give a store with so many deployments, each with a schedule."""
    from prefect.operations import create_flow
    from prefect.operations.deployments import create_deployment
    from prefect.schemas.actions import FlowCreate
    from prefect.schemas.deployments import DeploymentCreate, DeploymentScheduleCreate
    from prefect.schemas.schedules import CronSchedule, IntervalSchedule
    from prefect.store import make_store

    with (
        tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as home,
        database(kind, home, True) as url,
    ):
        store = make_store(url)
        # As on a server, where others subscribe to what happens.
        store.keeps_events = True
        flow = create_flow(store, FlowCreate(name="bench")).id
        for number in range(min(count, MADE_BY_HAND)):
            schedule: Any = IntervalSchedule(interval=timedelta(minutes=15 + number))
            if number % 2:
                schedule = CronSchedule(cron=CRON[number % len(CRON)], timezone="Europe/Berlin")
            create_deployment(
                store,
                DeploymentCreate(
                    name=f"bench-{number}",
                    flow_id=flow,
                    parameters={"number": number, "name": "bench"},
                    tags=["bench"],
                    schedules=[DeploymentScheduleCreate(schedule=schedule)],
                ),
            )
        _copy(store, count)
        yield store
        store.close()


def _copy(store: Any, count: int) -> None:
    """Copy deployments with their schedules until there are so many."""
    from sqlalchemy import insert, select

    from prefect.store.tables import deployment_schedules, deployments

    found = store.select(select(deployments)), store.select(select(deployment_schedules))
    made, schedules = (
        [dict(zip(table.c.keys(), row, strict=True)) for row in rows]
        for table, rows in zip((deployments, deployment_schedules), found, strict=True)
    )
    with store.transaction() as connection:
        for number in range(len(made), count):
            one, schedule = made[number % len(made)], schedules[number % len(made)]
            copied = {**one, "id": uuid.uuid4().hex, "name": f"bench-{number}"}
            connection.execute(insert(deployments).values(copied))
            schedule = {**schedule, "id": uuid.uuid4().hex, "deployment_id": copied["id"]}
            connection.execute(insert(deployment_schedules).values(schedule))


def measure(kind: str, count: int) -> dict[str, float]:
    """Plan twice, and return how long it took."""
    from prefect.operations.schedules import plan_runs
    from prefect.rules.planning import Horizon
    from prefect.types import now

    horizon = Horizon(3, 100, timedelta(hours=1), timedelta(days=100))
    with deployed(kind, count) as store:
        at = now()
        began = time.perf_counter()
        planned = plan_runs(store, at, horizon)
        first = time.perf_counter() - began
        began = time.perf_counter()
        if plan_runs(store, at, horizon):
            raise RuntimeError("the second pass found something to plan")
        return {"first": first, "run": first / planned, "next": time.perf_counter() - began}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=DEPLOYMENTS, help="deployments (default: 10,000)")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument(
        "--write", type=Path, help="put the table into this page", metavar="docs/scheduling.md"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        os.environ["PREFECT_HOME"] = home
        figures = measure(asked.database, asked.count)
    results = [Result(row, figures[row.figure] * row.per_unit, None) for row in ROWS]
    note = f"Measured {machine()}; {asked.database}, {asked.count:,} deployments."
    print(table(results, note))
    if asked.write:
        write_into(asked.write, table(results, note))


if __name__ == "__main__":
    main()
