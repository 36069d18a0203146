"""The client for users: the same calls on a server and on the store in this process."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from http_servers import Scripted, Told
from prefect import flow, get_client, task
from prefect.client.orchestration import PrefectClient, ServerType, SyncPrefectClient
from prefect.exceptions import (
    ConcurrencyLimitReached,
    ConfigurationError,
    ObjectAlreadyExists,
    ObjectNotFound,
    PrefectHTTPStatusError,
    ServerUnreachable,
)
from prefect.schemas.actions import LogCreate
from prefect.schemas.artifacts import ArtifactCreate, ArtifactUpdate
from prefect.schemas.automations import AutomationCreate
from prefect.schemas.blocks import (
    BlockDocumentCreate,
    BlockDocumentUpdate,
    BlockSchemaCreate,
    BlockTypeCreate,
)
from prefect.schemas.concurrency import GlobalConcurrencyLimitCreate
from prefect.schemas.deployments import DeploymentScheduleCreate, DeploymentUpdate
from prefect.schemas.filters import FlowFilter, FlowFilterName, FlowRunFilter, FlowRunFilterTags
from prefect.schemas.results import ResultRecord, ResultRecordMetadata
from prefect.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.schemas.variables import VariableCreate, VariableUpdate
from prefect.schemas.work_pools import WorkPoolCreate, WorkPoolUpdate
from prefect.settings.context import temporary_settings
from prefect.states import Completed, Running, Scheduled
from prefect.types import now


@flow(version="3", retries=2, retry_delay_seconds=5)
def etl(x: int = 1) -> None: ...


@task(tags=["t"], retries=1, retry_delay_seconds=[1, 2], version="4")
def load() -> None: ...


@pytest.fixture
def client(place: str):
    with get_client(sync_client=True) as made:
        yield made


def test_it_is_known_where_things_are(client, place):
    there = {"here": ServerType.EPHEMERAL, "server": ServerType.SERVER}
    assert client.server_type is there[place]
    assert str(client.api_url).endswith("/api/")
    assert client.api_healthcheck() is None
    assert client.api_version() == client.client_version() == "0.8.4"
    client.raise_for_api_version_mismatch()
    assert client.hello().is_success


def test_flows(client):
    flow_id = client.create_flow(etl)
    assert client.create_flow_from_name("etl") == flow_id
    assert client.read_flow(flow_id).name == client.read_flow_by_name("etl").name == "etl"
    client.create_flow_from_name("other")
    assert [found.name for found in client.read_flows()] == ["etl", "other"]
    only = FlowFilter(name=FlowFilterName(any_=["other"]))
    assert [found.name for found in client.read_flows(flow_filter=only, limit=5)] == ["other"]
    client.delete_flow(flow_id)
    with pytest.raises(ObjectNotFound, match="not found"):
        client.read_flow(flow_id)


def test_flow_runs(client):
    run = client.create_flow_run(etl, name="one", parameters={"x": 2}, tags=["a"], state=Scheduled())
    assert (run.name, run.parameters, run.tags, run.flow_version) == ("one", {"x": 2}, ["a"], "3")
    assert (run.empirical_policy.retries, run.empirical_policy.retry_delay) == (2, 5)
    assert client.create_flow_run(etl).id != run.id
    assert client.read_flow_run(run.id).state_name == "Scheduled"
    tagged = FlowRunFilter(tags=FlowRunFilterTags(all_=["a"]))
    assert [found.id for found in client.read_flow_runs(flow_run_filter=tagged)] == [run.id]
    assert client.count_flow_runs() == 2

    client.update_flow_run(run.id, name="two", infrastructure_pid="77")
    assert client.set_flow_run_name(str(run.id), "three").status_code == 204
    read = client.read_flow_run(run.id)
    assert (read.name, read.infrastructure_pid, read.tags) == ("three", "77", ["a"])

    client.delete_flow_run(run.id)
    with pytest.raises(ObjectNotFound):
        client.delete_flow_run(run.id)


def test_states_are_proposed_and_keep_where_a_result_is(client):
    run = client.create_flow_run(etl)
    assert client.set_flow_run_state(run.id, Running()).status.value == "ACCEPT"
    metadata = ResultRecordMetadata(storage_key="/k", expiration=None, serializer={"type": "json"})
    kept = Completed(data=ResultRecord(result=object(), metadata=metadata))
    assert client.set_flow_run_state(run.id, kept, force=True).status.value == "ACCEPT"
    names = [state.name for state in client.read_flow_run_states(run.id)]
    assert names == ["Pending", "Running", "Completed"]
    state = client.read_flow_run(run.id).state
    assert state is not None
    assert ResultRecordMetadata.model_validate(state.data).storage_key == "/k"
    assert client.resume_flow_run(run.id).status.value == "ABORT"


def test_task_runs(client):
    inside = client.create_flow_run(etl)
    run = client.create_task_run(load, inside.id, "0", extra_tags=["u"])
    assert (run.name, run.task_key, run.tags, run.task_version) == ("load-0", load.task_key, ["t", "u"], "4")
    assert run.empirical_policy.retry_delay == [1, 2]
    assert client.create_task_run(load, inside.id, "0").id == run.id
    client.set_flow_run_state(inside.id, Running())
    assert client.set_task_run_state(run.id, Running()).status.value == "ACCEPT"
    client.set_task_run_name(run.id, "renamed")
    assert [found.name for found in client.read_task_runs()] == ["renamed"]
    assert client.read_task_run(run.id).state_name == "Running"
    assert [state.name for state in client.read_task_run_states(run.id)] == ["Pending", "Running"]
    client.delete_task_run(run.id)
    assert client.read_task_runs() == []


def test_logs(client):
    run = client.create_flow_run(etl)
    given = {"name": "n", "level": 20, "timestamp": "2026-03-01T12:00:00Z", "flow_run_id": str(run.id)}
    later = LogCreate(name="n", level=20, message="two", timestamp=now(), flow_run_id=run.id)
    client.create_logs([{**given, "message": "one"}, later])
    assert [log.message for log in client.read_logs()] == ["one", "two"]
    assert [log.message for log in client.read_logs(offset=1, limit=1)] == ["two"]


def test_variables(client):
    client.create_variable(VariableCreate(name="x", value={"a": [1]}, tags=["t"]))
    with pytest.raises(ObjectAlreadyExists):
        client.create_variable(VariableCreate(name="x", value=1))
    client.update_variable(VariableUpdate(name="x", value=2))
    found = client.read_variable_by_name("x")
    assert found is not None
    assert (found.value, found.tags) == (2, ["t"])
    assert [variable.name for variable in client.read_variables()] == ["x"]
    client.delete_variable_by_name("x")
    assert client.read_variable_by_name("x") is None


def test_artifacts(client):
    made = client.create_artifact(ArtifactCreate(key="report", type="markdown", data="one"))
    client.create_artifact(ArtifactCreate(key="report", type="markdown", data="two"))
    client.update_artifact(made.id, ArtifactUpdate(data="three"))
    assert [found.data for found in client.read_artifacts(sort="CREATED_DESC")] == ["two", "three"]
    assert [found.data for found in client.read_latest_artifacts()] == ["two"]
    client.delete_artifact(made.id)
    assert len(client.read_artifacts(limit=10)) == 1
    with pytest.raises(TypeError, match="what"):
        client.read_artifacts(what=1)


def test_blocks(client):
    from pydantic import SecretStr

    kind = client.create_block_type(BlockTypeCreate(name="Own", slug="own"))
    fields = {
        "type": "object",
        "title": "Own",
        "properties": {"p": {"type": "string", "format": "password"}, "x": {"type": "integer"}},
        "secret_fields": ["p"],
        "block_type_slug": "own",
        "block_schema_references": {},
    }
    schema = client.create_block_schema(BlockSchemaCreate(block_type_id=kind.id, fields=fields))
    assert client.read_block_schema_by_checksum(schema.checksum).id == schema.id
    newest = client.get_most_recent_block_schema_for_block_type(kind.id)
    assert newest is not None
    assert newest.id == schema.id
    document = client.create_block_document(
        BlockDocumentCreate(
            name="mine", block_type_id=kind.id, block_schema_id=schema.id, data={"p": SecretStr("s"), "x": 1}
        )
    )
    assert client.read_block_document_by_name("mine", "own").data == {"p": "s", "x": 1}
    assert client.read_block_document(document.id, include_secrets=False).data["p"] == "*" * 8
    client.update_block_document(document.id, BlockDocumentUpdate(data={"x": 2}))
    assert [found.data["x"] for found in client.read_block_documents(block_schema_type="own")] == [2]
    assert [found.id for found in client.read_block_documents_by_type("own", limit=5)] == [document.id]
    assert client.read_block_type_by_slug("own").id == kind.id
    client.delete_block_document(document.id)
    client.delete_block_type(kind.id)
    assert "own" not in [found.slug for found in client.read_block_types()]


def test_limits(client):
    client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name="db", limit=1))
    client.upsert_global_concurrency_limit_by_name("api", 5, slot_decay_per_second=1.5)
    client.upsert_global_concurrency_limit_by_name("api", 6)
    assert client.read_global_concurrency_limit_by_name("api").limit == 6
    assert {limit.name for limit in client.read_global_concurrency_limits()} == {"api", "db"}
    taken = client.increment_concurrency_slots_with_lease(["db"], 1, "concurrency", 60).json()
    with pytest.raises(ConcurrencyLimitReached):
        client.increment_concurrency_slots(["db"], 1, "concurrency")
    client.renew_concurrency_lease(taken["lease_id"], 60)
    client.release_concurrency_slots_with_lease(taken["lease_id"])
    assert client.increment_concurrency_slots(["db"], 1, "concurrency").json()[0]["name"] == "db"
    client.release_concurrency_slots(["db"], 1, 0.5)
    client.delete_global_concurrency_limit_by_name("db")
    with pytest.raises(ObjectNotFound):
        client.read_global_concurrency_limit_by_name("db")


def test_limits_on_tags(client):
    client.create_concurrency_limit("t", 3)
    assert client.read_concurrency_limit_by_tag("t").concurrency_limit == 3
    run = uuid4()
    client.increment_v1_concurrency_slots(["t"], run)
    assert client.read_concurrency_limits(10, 0)[0].active_slots == [run]
    client.decrement_v1_concurrency_slots(["t"], run, 1.0)
    client.reset_concurrency_limit_by_tag("t", [str(run)])
    assert client.read_concurrency_limit_by_tag("t").active_slots == [run]
    client.delete_concurrency_limit_by_tag("t")
    assert client.read_concurrency_limits(10, 0) == []


def test_async_code_awaits_the_same(place):
    async def main() -> None:
        async with get_client() as client:
            run = await client.create_flow_run(etl, tags=["a"])
            found = await asyncio.gather(*[client.read_flow_run(run.id) for _ in range(10)])
            assert {each.id for each in found} == {run.id}
            assert client.server_type.value in ("ephemeral", "server")
            with pytest.raises(ObjectNotFound):
                await client.read_flow(uuid4())
            assert client.loop is asyncio.get_running_loop()

    asyncio.run(main())


def test_plain_requests_are_sent_as_they_are(scripted: Scripted):
    scripted.tell(Told(200, {"x": 1}))
    with temporary_settings({"PREFECT_API_URL": scripted.url}):
        client = get_client(sync_client=True)
        assert client._client.post("/flows/filter", json={"limit": 1}).json() == {"x": 1}
        assert scripted.asked[-1].body.replace(b" ", b"") == b'{"limit":1}'
        assert client.request("GET", "/flows/{id}", path_params={"id": 7}).json() == {"x": 1}
        assert scripted.asked[-1].path == "/api/flows/7"

        async def main() -> object:
            return (await get_client()._client.get("/x", params={"a": "b"})).json()

        assert asyncio.run(main()) == {"x": 1}
        assert scripted.asked[-1].path == "/api/x?a=b"
        scripted.tell(Told(404, {"detail": "no"}))
        with pytest.raises(PrefectHTTPStatusError, match="404"):
            client.request("GET", "/x")


def test_plain_requests_need_a_server():
    with pytest.raises(ConfigurationError, match="PREFECT_API_URL"):
        get_client(sync_client=True).request("GET", "/flows/")


def test_the_versions_are_compared(scripted: Scripted, caplog):
    client = SyncPrefectClient(scripted.url)
    scripted.tell(Told(200, "3.8.8"))
    client.raise_for_api_version_mismatch()
    scripted.tell(Told(200, "3.1.0"))
    client.raise_for_api_version_mismatch_once()
    client.raise_for_api_version_mismatch_once()
    assert len(scripted.asked) == 1
    assert "3.1.0" in caplog.text
    scripted.tell(Told(200, "4.0.0"))
    with pytest.raises(RuntimeError, match=r"4\.0\.0"):
        client.raise_for_api_version_mismatch()


def test_a_client_can_be_told_all_itself(scripted: Scripted):
    settings = {"headers": {"X-Team": "data"}, "timeout": 3, "verify": False}
    client = SyncPrefectClient(scripted.url, auth_string="me:pw", httpx_settings=settings)
    client.request("GET", "/x")
    assert scripted.asked[0].headers["x-team"] == "data"
    assert scripted.asked[0].headers["authorization"].startswith("Basic ")
    assert repr(client) == f"SyncPrefectClient({scripted.url})"
    assert repr(PrefectClient(scripted.url)) == f"PrefectClient({scripted.url})"
    with pytest.raises(TypeError, match="proxies"):
        SyncPrefectClient(scripted.url, httpx_settings={"proxies": {}})
    with pytest.raises(TypeError, match="URL"):
        SyncPrefectClient(object())  # type: ignore[arg-type]


def test_a_health_check_gives_what_is_wrong(monkeypatch):
    monkeypatch.setattr("prefect.client.retries.FIRST_CONTACT", 0)
    problem = SyncPrefectClient("http://127.0.0.1:1/api").api_healthcheck()
    assert isinstance(problem, ServerUnreachable)


def test_deployments(client):
    flow_id = client.create_flow(etl)
    made = client.create_deployment(
        flow_id,
        "nightly",
        schedules=[
            DeploymentScheduleCreate(schedule=IntervalSchedule(interval=timedelta(hours=1)), slug="h")
        ],
        parameters={"x": 2},
        tags=["a"],
        entrypoint="flows.py:etl",
    )
    assert client.create_deployment(flow_id, "nightly", version="2") == made
    read = client.read_deployment_by_name("etl/nightly")
    assert (read.id, read.version, read.entrypoint) == (made, "2", "flows.py:etl")
    assert [found.id for found in client.read_deployments()] == [made]
    client.pause_deployment(str(made))
    assert client.read_deployment(made).paused
    client.resume_deployment(made)
    client.update_deployment(made, DeploymentUpdate(description="new"))
    assert client.read_deployment(str(made)).description == "new"
    with pytest.raises(ValueError, match="no id"):
        client.read_deployment("what")
    with pytest.raises(ValueError, match="flow/deployment"):
        client.read_deployment_by_name("nightly")

    run = client.create_flow_run_from_deployment(made, parameters={"x": 3}, tags=["b"], idempotency_key="k")
    assert client.create_flow_run_from_deployment(made, idempotency_key="k").id == run.id
    assert (run.parameters, set(run.tags), run.deployment_id) == ({"x": 3}, {"a", "b"}, made)
    due = client.get_scheduled_flow_runs_for_deployments([made], scheduled_before=now() + timedelta(1))
    assert run.id in [found.id for found in due]

    client.delete_deployment(made)
    with pytest.raises(ObjectNotFound):
        client.read_deployment(made)


def test_schedules(client):
    made = client.create_deployment(client.create_flow(etl), "nightly")
    (schedule,) = client.create_deployment_schedules(made, [(CronSchedule(cron="0 1 * * *"), True)], slug="s")
    client.update_deployment_schedule(made, schedule.id, active=False, max_scheduled_runs=5)
    (read,) = client.read_deployment_schedules(made)
    assert (read.active, read.max_scheduled_runs, read.slug) == (False, 5, "s")
    assert isinstance(read.schedule, CronSchedule)
    client.delete_deployment_schedule(made, schedule.id)
    assert client.read_deployment_schedules(made) == []


def test_inputs(client):
    run = client.create_flow_run(etl)
    client.create_flow_run_input(run.id, "in-1", '{"x": 1}', sender=None)
    client.create_flow_run_input(run.id, "in-2", "2")
    assert client.read_flow_run_input(run.id, "in-1").replace(" ", "") == '{"x":1}'
    found = client.filter_flow_run_input(run.id, "in-", 5, {"in-1"})
    assert [(given.key, given.value) for given in found] == [("in-2", "2")]
    client.delete_flow_run_input(run.id, "in-1")
    with pytest.raises(ObjectNotFound):
        client.read_flow_run_input(run.id, "in-1")


def test_automations(client):
    automation = AutomationCreate.model_validate(
        {
            "name": "Cleaner",
            "trigger": {
                "type": "event",
                "expect": ["a.b"],
                "posture": "Reactive",
                "threshold": 1,
                "within": 0,
            },
            "actions": [{"type": "do-nothing"}],
            "owner_resource": "prefect.deployment.x",
        }
    )
    made = client.create_automation(automation)
    found = client.read_automation(str(made))
    assert found is not None
    assert found.name == "Cleaner"
    assert [each.id for each in client.read_automations_by_name("Cleaner")] == [made]
    same = client.find_automation("cleaner")
    assert same is not None
    assert same.id == made
    client.pause_automation(made)
    paused = client.find_automation(made)
    assert paused is not None
    assert not paused.enabled
    client.resume_automation(made)
    client.update_automation(made, found.model_copy(update={"name": "New"}))
    assert [each.name for each in client.read_automations()] == ["New"]
    client.delete_automation(made)
    client.delete_automation(made)
    assert client.read_automation(made) is None
    client.create_automation(automation)
    client.delete_resource_owned_automations("prefect.deployment.x")
    assert client.read_automations() == []


def test_events(client):
    page = client.read_events(limit=1)
    assert len(page.events) <= 1
    assert page.total >= len(page.events)


def test_the_kinds_of_work_pools(client):
    template = client.read_worker_metadata()["prefect"]["process"]["default_base_job_configuration"]
    assert {"job_configuration", "variables"} <= template.keys()


def test_work_pools(client):
    made = client.create_work_pool(WorkPoolCreate(name="pool", type="process"))
    with pytest.raises(ObjectAlreadyExists):
        client.create_work_pool(WorkPoolCreate(name="pool", type="process"))
    changed = client.create_work_pool(
        WorkPoolCreate(name="pool", type="process", is_paused=True), overwrite=True
    )
    assert (changed.id, changed.is_paused) == (made.id, True)
    client.update_work_pool("pool", WorkPoolUpdate(is_paused=False, concurrency_limit=3))
    assert client.read_work_pool("pool").concurrency_limit == 3
    assert [pool.name for pool in client.read_work_pools()] == ["pool"]
    client.send_worker_heartbeat("pool", "w", 30.0)
    assert [worker.name for worker in client.read_workers_for_work_pool("pool")] == ["w"]

    deployment = client.create_deployment(client.create_flow(etl), "nightly", work_pool_name="pool")
    run = client.create_flow_run_from_deployment(deployment)
    (due,) = client.get_scheduled_flow_runs_for_work_pool("pool")
    assert (due.flow_run.id, due.work_pool_id) == (run.id, made.id)
    assert client.read_work_pool_concurrency_status("pool").active_slots == 0
    client.delete_work_pool("pool")
    with pytest.raises(ObjectNotFound):
        client.read_work_pool("pool")


def test_work_queues(client):
    client.create_work_pool(WorkPoolCreate(name="pool", type="process"))
    made = client.create_work_queue("urgent", priority=1, work_pool_name="pool")
    client.update_work_queue(made.id, concurrency_limit=2)
    assert client.read_work_queue(made.id).concurrency_limit == 2
    assert client.read_work_queue_by_name("urgent", "pool").id == made.id
    assert {queue.name for queue in client.read_work_queues("pool")} == {"default", "urgent"}
    assert [queue.id for queue in client.match_work_queues(["urg"])] == [made.id]
    assert client.get_runs_in_work_queue(made.id) == []
    assert client.read_work_queue_status(made.id).late_runs_count == 0
    assert client.read_work_queue_concurrency_status(made.id).active_slots == 0
    client.delete_work_queue_by_id(made.id)
    assert client.match_work_queues(["urg"], "pool") == []
    with pytest.raises(ValueError, match="nothing to change"):
        client.update_work_queue(made.id)


def test_labels_and_single_states(client):
    run = client.create_flow_run(etl)
    client.update_flow_run_labels(run.id, {"team": "data", "n": 1})
    labels = client.read_flow_run(run.id).labels
    assert (labels["team"], labels["n"]) == ("data", 1)
    assert run.state_id is not None
    assert client.read_flow_run_state(run.state_id).name == "Pending"


def test_where_results_go_by_default(client):
    assert client.read_server_default_result_storage().default_result_storage_block_id is None
    with pytest.raises(ObjectNotFound):
        client.update_server_default_result_storage(uuid4())
    client.clear_server_default_result_storage()
