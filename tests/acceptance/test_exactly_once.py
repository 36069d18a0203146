"""Schedulers, workers and runs on one database, killed at random: each slot starts user code once.

`make acceptance` has five schedulers and ten workers; by itself the test has fewer, for a machine with two
cores. `make acceptance CHAOS=300` lets the killing go on for as many seconds; PROCONSUL_CHAOS_SEED makes
another choice of what is killed.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from databases import postgres_schema
from prefect.client.local import LocalClient
from prefect.operations.deployments import create_deployment, pause_deployment, read_deployment
from prefect.operations.flow_runs import read_flow_runs
from prefect.operations.flows import create_flow
from prefect.operations.work_pools import create_work_pool
from prefect.rules.schedules import next_dates
from prefect.schemas.actions import FlowCreate
from prefect.schemas.deployments import DeploymentCreate, DeploymentScheduleCreate
from prefect.schemas.objects import FlowRun
from prefect.schemas.queries import FlowRunQuery
from prefect.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.schemas.states import TERMINAL_STATES
from prefect.schemas.work_pools import WorkPoolCreate
from prefect.store import make_store
from prefect.store.base import Store
from prefect.store.tables import flow_runs
from prefect.types import now

from .fleet import Fleet, fleet, wait_for

SECONDS = float(os.environ.get("PROCONSUL_CHAOS", "6"))
SCHEDULERS, WORKERS = (5, 10) if "PROCONSUL_CHAOS" in os.environ else (2, 4)
SEED = int(os.environ.get("PROCONSUL_CHAOS_SEED", "1"))

pytestmark = [pytest.mark.timeout(2 * SECONDS + 600), pytest.mark.processes, pytest.mark.embedded]

SCRIPT = """
import os, time
from prefect import flow
from prefect.runtime import deployment, flow_run

@flow
def tick(path):
    slot = flow_run.scheduled_start_time.isoformat()
    line = f"{deployment.name} {slot} {flow_run.id} {os.getpid()}\\n".encode()
    file = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    os.write(file, line)
    os.close(file)
    time.sleep(0.4)  # long enough to be killed meanwhile
"""

ANCHOR = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
SCHEDULES = {
    "interval": IntervalSchedule(interval=timedelta(seconds=2), anchor_date=ANCHOR),
    "cron": CronSchedule(cron="* * * * * */3", timezone="America/New_York"),
}
QUICK = {
    f"PREFECT_SERVER_SERVICES_{name}": value
    for name, value in {
        "SCHEDULER_LOOP_SECONDS": "1",
        "SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "1",
        "SCHEDULER_MIN_SCHEDULED_TIME": "60",
        "REPOSSESSOR_LOOP_SECONDS": "1",
        "LATE_RUNS_LOOP_SECONDS": "1",
        "LATE_RUNS_AFTER_SECONDS": "2",
    }.items()
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'prefect.db'}"
        return
    with postgres_schema() as made:
        yield made


class Plan:
    """The deployments whose slots are counted.

    What is planned reaches further than it takes a scheduler to start on a busy machine: no test can tell a
    slot that nobody planned since all schedulers were dead from one that was lost.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self.client = LocalClient(store)
        self.folder = folder
        self.file = folder / "started"
        self.file.touch()
        (folder / "slots.py").write_text(SCRIPT)
        self.client.call(create_work_pool, WorkPoolCreate(name="chaos", type="process"))
        self.flow_id = self.client.call(create_flow, FlowCreate(name="tick")).id
        self.ids = {name: self.deploy(name) for name in SCHEDULES}

    def deploy(self, name: str, version: str = "1") -> UUID:
        schedule = DeploymentScheduleCreate(schedule=SCHEDULES[name], slug=name if name == "cron" else None)
        data = DeploymentCreate(
            name=name,
            flow_id=self.flow_id,
            version=version,
            entrypoint="slots.py:tick",
            path=str(self.folder),
            work_pool_name="chaos",
            parameters={"path": str(self.file)},
            schedules=[schedule],
        )
        return self.client.call(create_deployment, data).id

    def schedules(self) -> dict[str, list[UUID]]:
        """The ids of the schedules of each deployment."""
        found = {name: self.client.call(read_deployment, one) for name, one in self.ids.items()}
        return {name: [each.id for each in deployment.schedules] for name, deployment in found.items()}

    def pause(self) -> None:
        for each in self.ids.values():
            self.client.call(pause_deployment, each)

    def runs(self) -> list[FlowRun]:
        found: list[FlowRun] = []
        while page := self.client.call(read_flow_runs, FlowRunQuery(limit=200, offset=len(found))):
            found += page
        return found

    def unfinished(self) -> list[FlowRun]:
        return [run for run in self.runs() if run.state_type not in TERMINAL_STATES]

    def lines(self) -> list[list[str]]:
        """What user code wrote as it was started: the deployment, the slot, the run and the process."""
        return [line.split() for line in self.file.read_text().splitlines()]

    def started(self) -> Counter[tuple[str, str]]:
        """How often user code was started, by deployment and slot."""
        return Counter((line[0], line[1]) for line in self.lines())

    def children(self) -> list[int]:
        """The processes that started user code last."""
        return [int(line[3]) for line in self.lines()[-10:]]

    def wanted(self, name: str, until: datetime) -> list[str]:
        """The slots of a deployment from the first that was planned."""
        mine = [run for run in self.runs() if run.deployment_id == self.ids[name]]
        first = min(run.expected_start_time for run in mine if run.expected_start_time is not None)
        return [each.isoformat() for each in next_dates(SCHEDULES[name], first, 10_000, until)]


def described(plan: Plan, made: Fleet) -> str:
    left = [
        f"{run.name} {run.expected_start_time} {run.state_name} {run.infrastructure_pid}"
        for run in plan.unfinished()
    ]
    return "\n".join([*left, made.printed])


def test_each_slot_starts_user_code_exactly_once(url: str, tmp_path: Path) -> None:
    env = {
        **QUICK,
        "PREFECT_HOME": str(tmp_path / "home"),
        "PREFECT_API_DATABASE_CONNECTION_URL": url,
        "PREFECT_WORKER_QUERY_SECONDS": "0.5",
    }
    store = make_store(url)
    plan = Plan(store, tmp_path)
    schedules = plan.schedules()

    with fleet(tmp_path, env, SEED) as made:
        made.start(SCHEDULERS, WORKERS, "--pool", "chaos", "--prefetch-seconds", "2", "--limit", "3")
        wait_for(plan.started, lambda: described(plan, made))
        made.rage(SECONDS / 2, 0.8, plan.children)
        for name in SCHEDULES:
            plan.deploy(name, "2")
        made.rage(SECONDS / 2, 0.8, plan.children)
        paused_at = now()
        plan.pause()
        wait_for(lambda: not plan.unfinished(), lambda: described(plan, made))

    assert plan.schedules() == schedules
    started = plan.started()
    assert [slot for slot, count in started.items() if count > 1] == []
    missing = [
        (name, slot)
        for name in SCHEDULES
        for slot in plan.wanted(name, paused_at)
        if (name, slot) not in started
    ]
    assert missing == []
    killed = {line[2] for line in plan.lines() if int(line[3]) in made.killed_children}
    ends = {str(run.id): run.state_name for run in plan.runs()}
    assert set(ends.values()) <= {"Completed", "Crashed"}
    # One that was killed had perhaps written down its end already.
    assert {run for run, name in ends.items() if name == "Crashed"} <= killed
    place = flow_runs.c.deployment_id, flow_runs.c.idempotency_key
    assert store.select(select(*place).group_by(*place).having(func.count() > 1)) == []
    assert made.kills
    assert made.killed_children
    store.close()
