from __future__ import annotations

from pathlib import Path

from makers import at, make_flow_run, state

from prefect.client.local import LocalClient, get_local_client
from prefect.operations import OPERATIONS, Holder, create_flow, hold_flow_run, read_flow_run
from prefect.schemas.actions import FlowCreate
from prefect.schemas.states import StateType
from prefect.store import make_store
from prefect.store.base import Store
from prefect.types.processes import host_id


def test_an_operation_is_called_over_the_store(store: Store) -> None:
    client = LocalClient(store)
    flow = client.call(create_flow, FlowCreate(name="etl"))
    assert client.call(create_flow, data=FlowCreate(name="etl")) == flow


def test_there_is_one_client_a_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'prefect.db'}"
    assert get_local_client(url) is get_local_client(url)


def test_opening_a_database_ends_the_runs_that_were_left_behind(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'prefect.db'}"
    store = make_store(url)
    run = make_flow_run(store, state=state("RUNNING"))
    hold_flow_run(store, run.id, Holder(host=host_id(), pid=2**22 + 1, process_started="1"), at(0))
    assert get_local_client(url).call(read_flow_run, run.id).state_type is StateType.CRASHED
    store.close()


def test_each_operation_has_a_route_of_its_own() -> None:
    routes = [(known.method, known.path) for known in OPERATIONS.values()]
    assert len(set(routes)) == len(routes)
    assert all(known.path.startswith("/") for known in OPERATIONS.values())
