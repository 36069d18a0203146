"""Work pools, their queues and workers, over HTTP and on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from prefect.operations.flow_runs import create_flow_run, set_flow_run_state
from prefect.schemas.actions import FlowRunCreate
from prefect.schemas.objects import FlowRun
from prefect.schemas.states import State, StateDetails, StateType
from prefect.store.tables import work_queues, workers
from prefect.types import format_utc, now

TEMPLATE = {
    "job_configuration": {"command": "{{ command }}", "image": "{{ image.name }}", "user": "{{ $USER }}"},
    "variables": {"type": "object", "properties": {"command": {}, "image": {}}},
}


@pytest.fixture
def pool(client: Any) -> dict[str, Any]:
    """A pool of processes."""
    answer = client.post("/api/work_pools/", json={"name": "pool", "type": "process"})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.fixture
def add_queue(client: Any, pool: dict[str, Any]) -> Any:
    def add(name: str, **values: Any) -> dict[str, Any]:
        answer = client.post("/api/work_pools/pool/queues", json={"name": name, **values})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    return add


@pytest.fixture
def plan(store: Any, flow_id: str, pool: dict[str, Any]) -> Any:
    """Plan a run in a queue, due in some seconds."""

    def planned(seconds: float = 0, queue: str | None = None) -> FlowRun:
        due = StateDetails(scheduled_time=now() + timedelta(seconds=seconds))
        state: State[Any] = State(type=StateType.SCHEDULED, state_details=due)
        data = FlowRunCreate(
            flow_id=UUID(flow_id),
            state=state,
            work_pool_name="pool",
            work_queue_name=queue,
        )
        return create_flow_run(store, data)

    return planned


def priorities(client: Any) -> list[tuple[str, int]]:
    answer = client.post("/api/work_pools/pool/queues/filter", json={})
    return [(queue["name"], queue["priority"]) for queue in answer.json()]


def fetched(client: Any, **body: Any) -> list[str]:
    answer = client.post("/api/work_pools/pool/get_scheduled_flow_runs", json=body)
    assert answer.status_code == 200, answer.text
    return [each["flow_run"]["id"] for each in answer.json()]


# --- pools --------------------------------------------------------------------------------------------------


def test_a_pool_has_a_default_queue_and_waits_for_a_worker(client, pool):
    assert pool["status"] == "NOT_READY"
    assert pool["active_slots"] is None
    assert pool["storage_configuration"] == {
        "bundle_upload_step": None,
        "bundle_execution_step": None,
        "default_result_storage_block_id": None,
    }
    queue = client.get(f"/api/work_queues/{pool['default_queue_id']}").json()
    assert (queue["name"], queue["priority"], queue["work_pool_name"]) == ("default", 1, "pool")
    assert client.get("/api/work_pools/pool").json() == pool


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"name": "pool"}, 409, "A work pool with this name already exists."),
        (
            {"name": "Prefect-managed"},
            403,
            "Work pools starting with 'Prefect' are reserved for internal use.",
        ),
        ({"name": "a/b"}, 422, "regex"),
        ({"name": ""}, 422, "regex"),
        ({"name": "b", "concurrency_limit": -1}, 422, "concurrency_limit"),
        ({"name": "b", "unknown": 1}, 422, "unknown"),
        (
            {"name": "b", "base_job_template": {"variables": {}}},
            422,
            "must contain both a `job_configuration`",
        ),
        (
            {
                "name": "b",
                "base_job_template": {
                    "job_configuration": {"x": ["{{ a }} {{b}}"]},
                    "variables": {"type": "object"},
                },
            },
            422,
            "undeclared variable(s): a, b.",
        ),
    ],
)
def test_pools_that_cannot_be(client, pool, body, status, said):
    answer = client.post("/api/work_pools/", json=body)

    assert answer.status_code == status
    assert said in answer.text


def test_a_job_template_may_name_blocks_and_the_environment(client):
    body = {"name": "b", "type": "process", "base_job_template": TEMPLATE}

    assert client.post("/api/work_pools/", json=body).json()["base_job_template"] == TEMPLATE


def test_pools_are_found_by_name_and_type(client, pool):
    client.post("/api/work_pools/", json={"name": "another"})

    def names(**wanted: Any) -> list[str]:
        answer = client.post("/api/work_pools/filter", json={"work_pools": wanted})
        return [each["name"] for each in answer.json()]

    assert names() == ["another", "pool"]
    assert names(type={"any_": ["process"]}) == ["pool"]
    assert names(name={"any_": ["another"]}) == ["another"]
    assert client.post("/api/work_pools/count", json={}).json() == 2
    assert client.get("/api/work_pools/nobody").json() == {"detail": 'Work pool "nobody" not found.'}


def test_a_pool_is_changed_by_what_is_set(client, pool):
    assert client.patch("/api/work_pools/pool", json={"is_paused": True}).status_code == 204
    assert client.patch("/api/work_pools/pool", json={"concurrency_limit": 3}).status_code == 204

    changed = client.get("/api/work_pools/pool").json()
    assert (changed["status"], changed["concurrency_limit"], changed["active_slots"]) == ("PAUSED", 3, 0)
    assert client.patch("/api/work_pools/nobody", json={}).status_code == 404


def test_a_deleted_pool_takes_its_queues_along_and_leaves_its_runs(client, pool, plan):
    run = plan()

    assert client.delete("/api/work_pools/pool").status_code == 204
    assert client.get(f"/api/work_queues/{pool['default_queue_id']}").status_code == 404
    assert client.get(f"/api/flow_runs/{run.id}").json()["work_pool_name"] is None


# --- queues -------------------------------------------------------------------------------------------------


def test_a_queue_takes_the_first_free_priority(client, add_queue):
    add_queue("x", priority=5)
    for name in ("a", "b", "c", "d"):
        add_queue(name)

    assert priorities(client) == [("default", 1), ("a", 2), ("b", 3), ("c", 4), ("x", 5), ("d", 6)]


def test_queues_make_way_for_a_priority_as_far_as_they_must(client, add_queue):
    add_queue("a")
    add_queue("b", priority=1)
    add_queue("far", priority=50)
    assert priorities(client) == [("b", 1), ("default", 2), ("a", 3), ("far", 50)]

    client.patch("/api/work_pools/pool/queues/a", json={"priority": 1})
    assert priorities(client) == [("a", 1), ("b", 2), ("default", 3), ("far", 50)]

    client.patch("/api/work_pools/pool/queues/b", json={"priority": 3})
    assert priorities(client) == [("a", 1), ("b", 3), ("default", 4), ("far", 50)]


def test_queues_that_cannot_be(client, add_queue):
    add_queue("a")

    assert client.post("/api/work_pools/pool/queues", json={"name": "a"}).status_code == 409
    assert client.post("/api/work_pools/nobody/queues", json={"name": "a"}).status_code == 404
    assert client.patch("/api/work_pools/pool/queues/a", json={"name": "default"}).status_code == 409
    assert client.patch("/api/work_pools/pool/queues/b", json={}).status_code == 404
    assert client.delete("/api/work_pools/pool/queues/default").status_code == 403
    missing = client.get("/api/work_pools/pool/queues/b").json()
    assert missing == {"detail": "Work pool queue 'pool/b' not found."}


def test_a_queue_is_renamed_paused_and_deleted(client, add_queue, plan):
    queue = add_queue("a")
    run = plan(queue="a")

    client.patch("/api/work_pools/pool/queues/a", json={"name": "b", "is_paused": True})
    assert client.get(f"/api/work_queues/{queue['id']}").json()["status"] == "PAUSED"
    assert client.get(f"/api/flow_runs/{run.id}").json()["work_queue_name"] == "b"

    assert client.delete("/api/work_pools/pool/queues/b").status_code == 204
    assert client.get(f"/api/flow_runs/{run.id}").json()["work_queue_id"] is None


def test_queues_that_are_named_without_a_pool(client):
    made = client.post("/api/work_queues/", json={"name": "q"})
    assert made.status_code == 201
    assert made.json()["work_pool_name"] == "default-agent-pool"
    assert client.post("/api/work_queues/", json={"name": "q"}).status_code == 409
    assert client.get("/api/work_queues/name/q").json() == made.json()
    path = f"/api/work_queues/{made.json()['id']}"
    assert client.get(f"{path}/status").json()["healthy"] is False
    assert client.post(f"{path}/get_runs", json={}).json() == []
    assert client.get(f"{path}/status").json()["healthy"] is True
    assert client.get(path).json()["status"] == "READY"
    found = client.post("/api/work_queues/filter", json={"work_queues": {"name": {"startswith_": ["q"]}}})
    assert [each["name"] for each in found.json()] == ["q"]
    assert client.delete(path).status_code == 204
    assert client.get(path).json() == {"detail": "work queue not found"}


# --- workers ------------------------------------------------------------------------------------------------


def test_a_pool_is_ready_while_a_worker_is_heard_of(client, pool, store):
    beat = {"name": "w", "heartbeat_interval_seconds": 10}
    assert client.post("/api/work_pools/pool/workers/heartbeat", json=beat).status_code == 204
    (worker,) = client.post("/api/work_pools/pool/workers/filter", json={}).json()
    assert (worker["name"], worker["status"]) == ("w", "ONLINE")
    assert client.get("/api/work_pools/pool").json()["status"] == "READY"

    silent = format_utc(now() - timedelta(seconds=31))
    with store.transaction() as connection:
        connection.execute(update(workers).values(last_heartbeat_time=silent))

    offline = client.post(
        "/api/work_pools/pool/workers/filter", json={"workers": {"status": {"any_": ["OFFLINE"]}}}
    )
    assert [each["name"] for each in offline.json()] == ["w"]
    assert client.get("/api/work_pools/pool").json()["status"] == "NOT_READY"


def test_a_worker_keeps_its_id_from_beat_to_beat_until_it_is_forgotten(client, pool):
    path = "/api/work_pools/pool/workers"
    ids = set()
    for _ in range(2):
        client.post(f"{path}/heartbeat", json={"name": "w"})
        ids |= {each["id"] for each in client.post(f"{path}/filter", json={}).json()}

    assert len(ids) == 1
    assert client.delete(f"{path}/w").status_code == 204
    assert client.delete(f"{path}/w").json() == {"detail": "Worker not found."}
    assert client.post("/api/work_pools/nobody/workers/heartbeat", json={"name": "w"}).status_code == 404


# --- runs for workers ---------------------------------------------------------------------------------------


def test_runs_come_by_priority_of_their_queue_then_by_time(client, add_queue, plan):
    add_queue("first", priority=1)
    late, early = plan(-10), plan(-20)
    urgent, future = plan(-5, queue="first"), plan(600)

    due = {"scheduled_before": (now() + timedelta(seconds=10)).isoformat(" ")}
    assert fetched(client, **due) == [str(urgent.id), str(early.id), str(late.id)]
    assert fetched(client, **due, limit=2) == [str(urgent.id), str(early.id)]
    assert fetched(client, **due, work_queue_names=["default"]) == [str(early.id), str(late.id)]
    assert str(future.id) in fetched(client)
    unknown = client.post("/api/work_pools/pool/get_scheduled_flow_runs", json={"work_queue_names": ["none"]})
    assert unknown.json() == {"detail": "Work pool queue 'pool/none' not found."}


def test_who_asks_makes_a_queue_ready(client, add_queue):
    add_queue("a")
    fetched(client, work_queue_names=["a"])

    states = {
        queue["name"]: queue["status"]
        for queue in client.post("/api/work_pools/pool/queues/filter", json={}).json()
    }
    assert states == {"default": "NOT_READY", "a": "READY"}


def test_what_is_paused_gives_no_runs(client, add_queue, plan):
    add_queue("a")
    mine, other = plan(queue="a"), plan()

    client.patch("/api/work_pools/pool/queues/a", json={"is_paused": True})
    assert fetched(client) == [str(other.id)]
    client.patch("/api/work_pools/pool/queues/a", json={"is_paused": False})
    client.patch("/api/work_pools/pool", json={"is_paused": True})
    assert fetched(client) == []
    client.patch("/api/work_pools/pool", json={"is_paused": False})
    assert set(fetched(client)) == {str(mine.id), str(other.id)}


def test_limits_count_what_is_under_way(client, add_queue, plan, store):
    add_queue("a", concurrency_limit=2)
    runs = [plan(queue="a") for _ in range(3)] + [plan() for _ in range(3)]
    client.patch("/api/work_pools/pool", json={"concurrency_limit": 4})
    assert len(fetched(client)) == 4
    assert len(fetched(client, work_queue_names=["a"])) == 2

    set_flow_run_state(store, runs[0].id, State(type=StateType.PENDING))
    assert len(fetched(client)) == 3
    assert len(fetched(client, work_queue_names=["a"])) == 1
    pool = client.get("/api/work_pools/pool").json()
    assert pool["active_slots"] == 1
    status = client.post("/api/work_pools/pool/concurrency_status", json={}).json()
    assert status["active_slots"] == 1
    by_name = {each["queue_name"]: each for each in status["queues"]}
    assert [run["id"] for run in by_name["a"]["flow_runs"]] == [str(runs[0].id)]
    of_queue = client.post(f"/api/work_queues/{by_name['a']['queue_id']}/concurrency_status", json={}).json()
    assert (of_queue["count"], of_queue["concurrency_limit"]) == (1, 2)


def test_a_retry_that_a_process_waits_for_is_nobody_elses(client, plan, store):
    from prefect.operations.flow_runs import update_flow_run
    from prefect.schemas.actions import FlowRunUpdate
    from prefect.schemas.objects import FlowRunPolicy

    run = plan()
    update_flow_run(store, run.id, FlowRunUpdate(empirical_policy=FlowRunPolicy(retries=2, retry_delay=0)))
    for kind in (StateType.PENDING, StateType.RUNNING, StateType.FAILED):
        set_flow_run_state(store, run.id, State(type=kind))
    assert client.get(f"/api/flow_runs/{run.id}").json()["state_name"] == "AwaitingRetry"

    assert fetched(client) == []


# SQLite has one writer at a time.
@pytest.mark.parametrize("store", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_a_queue_that_is_being_changed_keeps_nobody_waiting(client, pool, plan, store):
    from prefect.operations.work_pools import get_scheduled_flow_runs
    from prefect.store import make_store
    from prefect.store.work_pools import queues

    run = plan()
    other = make_store(store.url)
    try:
        with other.transaction() as connection:
            assert queues.to_change(connection, work_queues.c.name == "default") is not None
            assert [each.flow_run.id for each in get_scheduled_flow_runs(store, "pool")] == [run.id]
    finally:
        other.close()


# --- kinds --------------------------------------------------------------------------------------------------


def test_pools_can_be_made_from_the_kinds_that_are_offered(client):
    kinds = client.get("/api/collections/views/aggregate-worker-metadata").json()
    assert {"process", "docker"} <= {kind for package in kinds.values() for kind in package}
    for package in kinds.values():
        for kind, about in package.items():
            body = {
                "name": kind,
                "type": about["type"],
                "base_job_template": about["default_base_job_configuration"],
            }
            assert client.post("/api/work_pools/", json=body).status_code == 201
    assert client.get("/api/collections/views/nothing").status_code == 404


@pytest.mark.parametrize("name", ["filter", "count"])
def test_a_pool_may_be_called_like_a_part_of_other_paths(client, name):
    client.post("/api/work_pools/", json={"name": name, "type": "process"})
    path = f"/api/work_pools/{name}"
    assert client.get(path).json()["name"] == name
    assert client.get(f"{path}/queues/default").json()["work_pool_name"] == name
    with client.websocket_connect(f"{path}/workers/connect", subprotocols=["prefect"]) as socket:
        socket.send_json({"type": "auth", "token": None})
        assert socket.receive_json() == {"type": "auth_success"}
    assert client.patch(path, json={"is_paused": True}).status_code == 204
    assert client.delete(path).status_code == 204
    assert client.put(path).headers["allow"] == "DELETE, GET, OPTIONS, PATCH, POST"
