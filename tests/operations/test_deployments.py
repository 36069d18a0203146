from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from makers import make_flow_run, state

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, RequestRefused
from prefect.operations import create_flow, create_flow_run, read_flow_run, set_flow_run_state
from prefect.operations.deployment_runs import (
    create_flow_run_from_deployment,
    create_flow_runs_from_deployment,
    read_scheduled_runs_of_deployments,
)
from prefect.operations.deployments import (
    count_deployments,
    create_deployment,
    delete_deployment,
    delete_deployments,
    paginate_deployments,
    pause_deployment,
    read_deployment,
    read_deployment_by_name,
    read_deployments,
    resume_deployment,
    update_deployment,
)
from prefect.operations.work_queues import create_work_queue, read_work_queue
from prefect.schemas.actions import FlowCreate, FlowRunCreate
from prefect.schemas.deployments import (
    ConcurrencyLimitStrategy,
    ConcurrencyOptions,
    DeploymentCreate,
    DeploymentFlowRunCreate,
    DeploymentResponse,
    DeploymentScheduleCreate,
    DeploymentScheduleUpdate,
    DeploymentStatus,
    DeploymentUpdate,
    VersionInfo,
)
from prefect.schemas.filters import DeploymentFilter
from prefect.schemas.objects import CreatedBy
from prefect.schemas.queries import DeploymentPage, DeploymentQuery, RunFilters
from prefect.schemas.sorting import DeploymentSort
from prefect.schemas.states import State, StateDetails, StateType
from prefect.schemas.work_pools import WorkQueueCreate
from prefect.store.base import Store
from prefect.types import now

HOURLY = {"interval": 3600, "anchor_date": "2026-01-01T00:00:00Z"}
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "names": {"type": "array", "items": {"type": "string"}}},
    "required": ["n"],
}


def deploy(store: Store, name: str = "nightly", flow: str = "etl", **values: Any) -> DeploymentResponse:
    made = create_flow(store, FlowCreate(name=flow, labels={"team": "data"}))
    return create_deployment(store, DeploymentCreate(name=name, flow_id=made.id, **values))


def plan(store: Store, deployment: DeploymentResponse, due: datetime, **values: Any) -> UUID:
    """Make a run as a scheduler does."""
    from prefect.operations.flow_runs import add_flow_run
    from prefect.schemas.objects import FlowRun

    moment = now()
    run = FlowRun(
        flow_id=deployment.flow_id,
        name="planned",
        created=moment,
        updated=moment,
        deployment_id=deployment.id,
        auto_scheduled=True,
        created_by=CreatedBy(
            id=deployment.schedules[0].id if deployment.schedules else None, type="SCHEDULE"
        ),
        **values,
    )
    waiting: State[Any] = State(type=StateType.SCHEDULED, state_details=StateDetails(scheduled_time=due))
    with store.transaction() as connection:
        return add_flow_run(connection, run, waiting).id


def exists(store: Store, run_id: UUID) -> bool:
    try:
        read_flow_run(store, run_id)
    except ObjectNotFound:
        return False
    return True


def test_a_deployment_is_read_back_as_it_was_made(store: Store) -> None:
    made = deploy(
        store,
        version="3",
        description="Each night.",
        schedules=[DeploymentScheduleCreate(schedule=HOURLY, slug="hourly", parameters={"n": 2})],
        concurrency_options=ConcurrencyOptions(collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
        parameter_openapi_schema=SCHEMA,
        parameters={"n": 1},
        tags=["a", "b"],
        labels={"prio": 1},
        pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": "/x"}}],
        path="/x",
        entrypoint="flows.py:etl",
        job_variables={"env": {"A": "1"}},
        version_info=VersionInfo(type="prefect:simple", version="3"),
    )
    assert made == read_deployment(store, made.id) == read_deployment_by_name(store, "etl", "nightly")
    assert made.labels == {"team": "data", "prefect.flow.id": str(made.flow_id), "prio": 1}
    assert made.schedules[0].slug == "hourly"
    assert made.status is DeploymentStatus.NOT_READY
    assert made.pull_steps is not None and len(made.pull_steps) == 1


def test_a_deployment_without_a_flow_is_refused(store: Store) -> None:
    with pytest.raises(ObjectNotFound, match=r"Flow with id .* not found"):
        create_deployment(store, DeploymentCreate(name="x", flow_id=uuid4()))


def test_what_is_not_there_is_said(store: Store) -> None:
    for ask in (
        lambda: read_deployment(store, uuid4()),
        lambda: read_deployment_by_name(store, "etl", "x"),
        lambda: update_deployment(store, uuid4(), DeploymentUpdate(paused=True)),
        lambda: delete_deployment(store, uuid4()),
        lambda: pause_deployment(store, uuid4()),
        lambda: create_flow_run_from_deployment(store, uuid4(), DeploymentFlowRunCreate()),
    ):
        with pytest.raises(ObjectNotFound, match="Deployment not found"):
            ask()


def test_a_second_deployment_of_the_name_changes_the_first(store: Store) -> None:
    first = deploy(store, version="1", tags=["a"], parameters={"n": 1}, job_variables={"x": 1}, paused=True)
    second = deploy(store, version="2")

    assert (second.id, second.created) == (first.id, first.created)
    assert second.version == "2"
    assert (second.tags, second.job_variables, second.paused) == (["a"], {"x": 1}, True), (
        "what is left out stays"
    )
    assert second.parameters == {}
    assert deploy(store, flow="other").id != first.id


def test_deploying_again_keeps_what_is_planned(store: Store) -> None:
    schedule = DeploymentScheduleCreate(schedule=HOURLY)
    first = deploy(store, schedules=[schedule], parameters={"n": 1})
    later = plan(store, first, now() + timedelta(hours=1))

    second = deploy(store, schedules=[schedule], parameters={"n": 1}, description="New words.")
    assert second.schedules == first.schedules
    assert exists(store, later)


@pytest.mark.parametrize(
    "change",
    [
        {"schedules": [DeploymentScheduleCreate(schedule={"cron": "0 0 * * *"})]},
        {"schedules": []},
        {"parameters": {"n": 2}},
        {"tags": ["new"]},
        {"paused": True},
    ],
    ids=str,
)
def test_deploying_something_else_drops_what_is_planned_and_keeps_what_is_late(
    store: Store, change: dict[str, Any]
) -> None:
    values = {"schedules": [DeploymentScheduleCreate(schedule=HOURLY)], "parameters": {"n": 1}}
    made = deploy(store, **values)
    later = plan(store, made, now() + timedelta(hours=1))
    due = plan(store, made, now() - timedelta(seconds=1))
    late = plan(store, made, now() - timedelta(hours=1))
    set_flow_run_state(store, late, State(type=StateType.SCHEDULED, name="Late"), force=True)
    taken = plan(store, made, now() + timedelta(seconds=5))
    set_flow_run_state(store, taken, State(type=StateType.PENDING))
    asked = create_flow_run_from_deployment(
        store, made.id, DeploymentFlowRunCreate(state=state("SCHEDULED", state_details=_tomorrow()))
    ).id

    deploy(store, **{**values, **change})

    assert [exists(store, each) for each in (later, due, late, taken, asked)] == [
        False,
        True,
        True,
        True,
        True,
    ]


def _tomorrow() -> StateDetails:
    return StateDetails(scheduled_time=now() + timedelta(days=1))


def test_a_schedule_is_found_again_by_its_slug(store: Store) -> None:
    first = deploy(store, schedules=[DeploymentScheduleCreate(schedule=HOURLY, slug="s")])
    planned = plan(store, first, now() + timedelta(hours=1))
    second = deploy(store, schedules=[DeploymentScheduleCreate(schedule={"cron": "0 0 * * *"}, slug="s")])
    assert second.schedules[0].id == first.schedules[0].id
    assert not exists(store, planned)
    third = deploy(
        store, schedules=[DeploymentScheduleCreate(schedule=HOURLY, slug="t", replaces="s", active=False)]
    )
    assert (third.schedules[0].id, third.schedules[0].slug) == (first.schedules[0].id, "t")
    assert not third.schedules[0].active


def test_only_what_is_set_is_changed(store: Store) -> None:
    made = deploy(store, description="Words.", tags=["a"], version="1")
    changed = update_deployment(store, made.id, DeploymentUpdate(description=None, tags=["b"]))
    assert (changed.description, changed.tags, changed.version) == (None, ["b"], "1")
    assert changed.updated is not None and made.updated is not None and changed.updated > made.updated
    update = DeploymentUpdate(schedules=[DeploymentScheduleUpdate(schedule=HOURLY)])
    assert len(update_deployment(store, made.id, update).schedules) == 1


def test_parameters_that_do_not_fit_are_refused(store: Store) -> None:
    made = deploy(store, parameter_openapi_schema=SCHEMA)
    with pytest.raises(ObjectAlreadyExists, match=r"Validation failed for field 'n'.*'one' is not of type"):
        update_deployment(store, made.id, DeploymentUpdate(parameters={"n": "one"}))
    update_deployment(store, made.id, DeploymentUpdate(parameters={"names": ["x"]}))
    wrong = {"parameter_openapi_schema": SCHEMA, "parameters": {"n": "one"}, "name": "wrong"}
    with pytest.raises(RequestRefused, match=r"Validation failed for field 'n'"):
        deploy(store, **wrong, enforce_parameter_schema=True)
    deploy(store, **wrong, enforce_parameter_schema=False)
    unsaid = deploy(store, **wrong | {"name": "unsaid"})  # nobody says that they are to fit
    for change in ({"parameter_openapi_schema": SCHEMA}, {"enforce_parameter_schema": True}):
        with pytest.raises(ObjectAlreadyExists, match="'one' is not of type"):
            update_deployment(store, unsaid.id, DeploymentUpdate(**change))
    update_deployment(store, unsaid.id, DeploymentUpdate(description="Words."))
    update_deployment(store, made.id, DeploymentUpdate(parameters={"names": None}))
    run = create_flow_run_from_deployment(store, made.id, DeploymentFlowRunCreate(parameters={"n": 1}))
    assert run.parameters == {"n": 1, "names": None}


def test_a_limit_of_its_own_comes_and_goes_with_what_is_said(store: Store) -> None:
    made = deploy(store, concurrency_limit=2)
    limit = made.global_concurrency_limit
    assert limit is not None
    assert (limit.name, limit.limit, limit.active_slots) == (f"deployment:{made.id}", 2, 0)
    assert made.concurrency_limit is None

    kept = deploy(store).global_concurrency_limit
    assert kept is not None and kept.id == limit.id
    changed = update_deployment(store, made.id, DeploymentUpdate(concurrency_limit=5))
    assert changed.global_concurrency_limit is not None and changed.global_concurrency_limit.limit == 5
    other = deploy(store, name="other", global_concurrency_limit_id=limit.id)
    assert other.global_concurrency_limit is not None and other.global_concurrency_limit.id == limit.id
    none = update_deployment(store, made.id, DeploymentUpdate(concurrency_limit=None))
    assert none.global_concurrency_limit is None
    with pytest.raises(ObjectNotFound, match="Concurrency limit"):
        deploy(store, global_concurrency_limit_id=uuid4())


def test_work_goes_to_a_queue_that_is_made_when_it_is_named(store: Store) -> None:
    plain = deploy(store, name="plain")
    assert (plain.work_queue_name, plain.work_pool_name) == (None, None)
    queued = deploy(store, name="queued", work_queue_name="fast")
    assert (queued.work_queue_name, queued.work_pool_name) == ("fast", "default-agent-pool")
    default = update_deployment(store, queued.id, DeploymentUpdate(work_pool_name="default-agent-pool"))
    assert default.work_queue_name == "default"
    moved = update_deployment(store, queued.id, DeploymentUpdate(work_queue_name="slow"))
    assert (moved.work_queue_name, moved.work_pool_name) == ("slow", "default-agent-pool")
    freed = deploy(store, name="queued", work_queue_name=None)
    assert (freed.work_queue_id, freed.work_pool_name) == (None, None)
    with pytest.raises(ObjectNotFound, match=r'Work pool "nowhere" not found\.'):
        deploy(store, work_pool_name="nowhere")


def test_a_queue_that_is_made_takes_the_first_free_priority(store: Store) -> None:
    deploy(store, name="queued", work_queue_name="second")
    far = create_work_queue(store, WorkQueueCreate(name="far", priority=9))
    made = deploy(store, name="other", work_queue_name="third")
    assert made.work_queue_id is not None
    assert (far.priority, read_work_queue(store, made.work_queue_id).priority) == (9, 3)


def test_deployments_are_listed_counted_and_paged(store: Store) -> None:
    ids = {name: deploy(store, name=name, tags=[name]).id for name in ("c", "a", "b")}
    assert [each.name for each in read_deployments(store, DeploymentQuery())] == ["a", "b", "c"]
    newest = DeploymentQuery(sort=DeploymentSort.CREATED_DESC, limit=2)
    assert [each.name for each in read_deployments(store, newest)] == ["b", "a"]
    wanted = DeploymentFilter(tags={"any_": ["a", "c"]})
    assert count_deployments(store, RunFilters(deployments=wanted)) == 2
    page = paginate_deployments(store, DeploymentPage(limit=2, page=2))
    assert ([each.id for each in page.results], page.count, page.pages, page.page) == ([ids["c"]], 3, 2, 2)
    assert paginate_deployments(store, DeploymentPage(limit=0)).pages == 0


def test_a_paused_deployment_plans_nothing(store: Store) -> None:
    made = deploy(store, schedules=[DeploymentScheduleCreate(schedule=HOURLY)])
    later, late = plan(store, made, now() + timedelta(hours=1)), plan(store, made, now() - timedelta(hours=1))
    pause_deployment(store, made.id)
    assert read_deployment(store, made.id).paused
    assert (exists(store, later), exists(store, late)) == (False, True)
    resume_deployment(store, made.id)
    assert not read_deployment(store, made.id).paused


def test_runs_that_wait_end_with_their_deployment(store: Store) -> None:
    made = deploy(store, concurrency_limit=1)
    later = plan(store, made, now() + timedelta(hours=1))
    waiting = create_flow_run_from_deployment(store, made.id, DeploymentFlowRunCreate()).id
    begun = []
    for kind, name in (("RUNNING", "Running"), ("SCHEDULED", "AwaitingRetry"), ("PENDING", "Pending")):
        begun.append((create_flow_run_from_deployment(store, made.id, DeploymentFlowRunCreate()).id, name))
        set_flow_run_state(store, begun[-1][0], State(type=StateType(kind), name=name), force=True)
    delete_deployment(store, made.id)

    assert not exists(store, later)
    ended = read_flow_run(store, waiting).state
    assert ended is not None and ended.type is StateType.CANCELLED
    assert ended.message == "The deployment 'nightly' was deleted before the run was started."
    # These have a process, which goes on, or is told why it cannot begin.
    assert [(each, read_flow_run(store, each).state_name) for each, _ in begun] == begun
    again = deploy(store)
    assert again.global_concurrency_limit is None


def test_several_are_deleted_at_once(store: Store) -> None:
    kept = deploy(store, name="kept").id
    gone = {deploy(store, name=name).id for name in ("a", "b")}
    wanted = DeploymentFilter(name={"any_": ["a", "b"]})
    assert set(delete_deployments(store, wanted).deleted) == gone
    assert [each.id for each in read_deployments(store, DeploymentQuery())] == [kept]


def test_a_run_takes_over_from_its_deployment(store: Store) -> None:
    made = deploy(
        store,
        version="7",
        parameters={"n": 1, "names": ["x"]},
        tags=["a"],
        labels={"prio": 1},
        work_queue_name="fast",
    )
    run = create_flow_run_from_deployment(
        store,
        made.id,
        DeploymentFlowRunCreate(
            parameters={"n": 2}, tags=["b", "a"], labels={"by": "me"}, job_variables={"j": 1}
        ),
    )
    assert run.parameters == {"n": 2, "names": ["x"]}
    assert (run.tags, run.deployment_version, run.job_variables) == (["a", "b"], "7", {"j": 1})
    assert run.labels == {**made.labels, "prefect.deployment.id": str(made.id), "by": "me"}
    assert (run.work_queue_id, run.work_queue_name) == (made.work_queue_id, "fast")
    assert run.work_pool_name == "default-agent-pool" and run.work_pool_id is not None
    assert run.state_name == "Scheduled" and run.next_scheduled_start_time is not None
    other = create_flow_run_from_deployment(
        store, made.id, DeploymentFlowRunCreate(work_queue_name="slow", state=State(type=StateType.PENDING))
    )
    assert (other.work_queue_name, other.state_type) == ("slow", StateType.PENDING)
    assert read_flow_run(store, run.id).work_queue_name == "fast"


def test_a_run_with_parameters_that_do_not_fit_is_refused(store: Store) -> None:
    made = deploy(store, parameter_openapi_schema=SCHEMA)
    with pytest.raises(ObjectAlreadyExists, match=r"^Error creating flow run: .*'n' is a required property"):
        create_flow_run_from_deployment(store, made.id, DeploymentFlowRunCreate())
    free = DeploymentFlowRunCreate(enforce_parameter_schema=False)
    assert create_flow_run_from_deployment(store, made.id, free).parameters == {}
    wanted = [DeploymentFlowRunCreate(parameters={"n": n}) for n in (1, "two", 3)]
    results = create_flow_runs_from_deployment(store, made.id, wanted).results
    assert [each.status for each in results] == ["CREATED", "FAILED", "CREATED"]
    assert results[1].error is not None and "'two' is not of type 'integer'" in results[1].error


def test_a_run_of_a_key_is_made_once(store: Store) -> None:
    made = deploy(store)
    first, second = (
        create_flow_run_from_deployment(store, made.id, DeploymentFlowRunCreate(idempotency_key="k"))
        for _ in range(2)
    )
    assert first.id == second.id


def test_waiting_runs_are_handed_out_in_order_and_make_their_deployments_ready(store: Store) -> None:
    made, other = deploy(store), deploy(store, name="other")
    details = [StateDetails(scheduled_time=now() + timedelta(minutes=minutes)) for minutes in (5, -5, 90)]
    runs = [
        create_flow_run_from_deployment(
            store, made.id, DeploymentFlowRunCreate(state=State(type=StateType.SCHEDULED, state_details=each))
        ).id
        for each in details
    ]
    create_flow_run_from_deployment(store, other.id, DeploymentFlowRunCreate())
    found = read_scheduled_runs_of_deployments(store, [made.id], now() + timedelta(hours=1))
    assert [run.id for run in found] == [runs[1], runs[0]]
    assert len(read_scheduled_runs_of_deployments(store, [made.id, other.id], limit=3)) == 3
    ready = read_deployment(store, made.id)
    assert ready.status is DeploymentStatus.READY and ready.last_polled is not None
    set_flow_run_state(store, runs[1], State(type=StateType.PENDING))
    assert [run.id for run in read_scheduled_runs_of_deployments(store, [made.id], limit=1)] == [runs[0]]


def test_a_run_made_with_a_pool_goes_to_its_queue(store: Store) -> None:
    flow = create_flow(store, FlowCreate(name="etl"))
    run = create_flow_run(store, FlowRunCreate(flow_id=flow.id, work_pool_name="default-agent-pool"))
    assert run.work_queue_name == "default" and run.work_queue_id is not None
    with pytest.raises(ObjectNotFound, match="Work pool"):
        make_flow_run(store, work_pool_name="nowhere")
