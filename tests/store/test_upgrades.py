"""A database of an earlier release, with what is in it, becomes one of this release."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from databases import postgres_schema
from prefect.operations import (
    create_flow,
    create_flow_run,
    create_logs,
    read_flow_by_name,
    read_flow_run,
    read_flow_run_states,
    read_flow_runs,
    read_logs,
    read_task_run,
    record_task_runs,
    set_flow_run_state,
)
from prefect.operations.deployments import create_deployment
from prefect.schemas.actions import FlowCreate, FlowRunCreate
from prefect.schemas.deployments import DeploymentCreate
from prefect.schemas.objects import Log, TaskRun, TaskRunRecord
from prefect.schemas.queries import FlowRunQuery, LogQuery
from prefect.schemas.sorting import FlowRunSort
from prefect.schemas.states import State, StateType
from prefect.store import make_store
from prefect.store.administration import downgrade, upgrade, version_of
from prefect.store.base import Store
from prefect.store.versions import SCHEMA_VERSION
from prefect.types import now

FIRST = "0001"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'prefect.db'}"
    else:
        with postgres_schema() as address:
            yield address


def fill(store: Store) -> tuple[UUID, UUID]:
    """Write what the first release could keep; return a flow run and a task run."""
    flow = create_flow(store, FlowCreate(name="etl", tags=["nightly"]))
    run = create_flow_run(store, FlowRunCreate(flow_id=flow.id, parameters={"x": [1, "ä"]}, tags=["a"]))
    for kind in (StateType.RUNNING, StateType.COMPLETED):
        set_flow_run_state(store, run.id, State(type=kind, message=f"it is {kind.value.lower()}"))
    create_flow_run(store, FlowRunCreate(flow_id=flow.id, name="waits"))
    states = [State(type=kind) for kind in (StateType.PENDING, StateType.RUNNING, StateType.COMPLETED)]
    task_run = TaskRun(flow_run_id=run.id, name="t-0", task_key="t", dynamic_key="0", state=states[-1])
    record_task_runs(store, [TaskRunRecord(run=task_run, states=states)])
    create_logs(store, [Log(name="l", level=20, message="a line", timestamp=now(), flow_run_id=run.id)])
    return run.id, task_run.id


def told(store: Store, run: UUID, task_run: UUID) -> list[object]:
    """Return all that is kept."""
    query = FlowRunQuery(sort=FlowRunSort.START_TIME_DESC)
    return [
        read_flow_by_name(store, "etl"),
        [(each.id, each.name, each.parameters, each.tags) for each in read_flow_runs(store, query)],
        read_flow_run(store, run).state,
        read_flow_run_states(store, run),
        read_task_run(store, task_run).state,
        read_logs(store, LogQuery()),
    ]


def test_a_database_of_the_first_release_is_brought_up_when_it_is_opened(url: str) -> None:
    store = make_store(url)
    ids = fill(store)
    before = told(store, *ids)
    downgrade(store, FIRST)
    assert version_of(store) == FIRST
    store.close()

    opened = make_store(url)
    after = told(opened, *ids)

    assert version_of(opened) == SCHEMA_VERSION
    assert after == before
    # What later releases added is there too.
    flow = read_flow_by_name(opened, "etl")
    assert create_deployment(opened, DeploymentCreate(name="d", flow_id=flow.id)).name == "d"
    opened.close()


def test_each_version_leads_to_the_next_and_back_with_what_is_kept(url: str) -> None:
    store = make_store(url)
    ids = fill(store)
    before = told(store, *ids)
    versions = [SCHEMA_VERSION]
    while versions[-1] != FIRST:
        downgrade(store)
        versions.append(version_of(store) or "none")
    for version in reversed(versions[:-1]):
        upgrade(store, version)
        assert version_of(store) == version

    assert told(store, *ids) == before
    store.close()
