"""The server in this process, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from litestar.testing import TestClient

from prefect.server.app import make_app
from prefect.store.base import Store
from prefect.types import uuid7
from stores import postgres_store, sqlite_store, store

__all__ = ["postgres_store", "sqlite_store", "store"]

Client = TestClient[Any]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _client_of(store: Store) -> Client:
    return TestClient(make_app(store), base_url="http://127.0.0.1")


@pytest.fixture(scope="session")
def sqlite_client(sqlite_store: Store) -> Iterator[Client]:
    """A client of a server over this test process's SQLite store."""
    with _client_of(sqlite_store) as made:
        yield made


@pytest.fixture(scope="session")
def postgres_client(postgres_store: Store) -> Iterator[Client]:
    """A client of a server over this test process's PostgreSQL store."""
    with _client_of(postgres_store) as made:
        yield made


@pytest.fixture
def client(request: pytest.FixtureRequest, store: Store) -> Client:
    """A client of a server that serves an empty store.

    To make a server takes ten times as long as most tests of one do, so there is one for all that neither
    have settings of their own nor subscribe to anything.
    """
    kind = "postgres_client" if store.dialect == "postgresql" else "sqlite_client"
    made: Client = request.getfixturevalue(kind)
    made.cookies.clear()
    store.keeps_events = True  # as where a server is; it was made before the store was emptied
    return made


@pytest.fixture
def own_client(store: Store) -> Iterator[Client]:
    """A client of a server of the test's own that serves an empty store."""
    with _client_of(store) as made:
        yield made


@pytest.fixture
def flow_id(client: Client) -> str:
    """The id of a flow."""
    return str(client.post("/api/flows/", json={"name": "etl"}).json()["id"])


@pytest.fixture
def make_run(client: Client, flow_id: str) -> Any:
    """Make a flow run; what is given goes into the request."""

    def make(**values: Any) -> dict[str, Any]:
        answer = client.post("/api/flow_runs/", json={"flow_id": flow_id, **values})
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())

    return make


@pytest.fixture
def make_event() -> Any:
    """Make the event of a task run that enters a state some seconds after noon."""

    def make(task_run: UUID, kind: str, seconds: float, flow_run: str | None = None) -> dict[str, Any]:
        at = (NOON + timedelta(seconds=seconds)).isoformat()
        name = kind.capitalize()
        related = []
        if flow_run is not None:
            label = f"prefect.flow-run.{flow_run}"
            related = [{"prefect.resource.id": label, "prefect.resource.role": "flow-run"}]
        return {
            "id": str(uuid7()),
            "occurred": at,
            "event": f"prefect.task-run.{name}",
            "resource": {
                "prefect.resource.id": f"prefect.task-run.{task_run}",
                "prefect.resource.name": "load-0",
                "prefect.orchestration": "client",
            },
            "related": related,
            "payload": {
                "intended": {"from": None, "to": kind},
                "initial_state": None,
                "validated_state": {"type": kind, "name": name, "message": "", "state_details": {}},
                "task_run": {
                    "name": "load-0",
                    "task_key": "load",
                    "dynamic_key": str(task_run),
                    "empirical_policy": {"retries": 1, "retry_delay": 0},
                    "tags": ["t"],
                    "labels": {},
                    "task_inputs": {"x": [{"input_type": "flow_run", "id": str(task_run)}]},
                    "run_count": int(seconds),
                    "start_time": at,
                    "total_run_time": seconds,
                },
            },
            "follows": None,
        }

    return make
