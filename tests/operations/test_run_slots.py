"""Runs whose states need slots: deployments with a limit, tasks with limited tags; results that are known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers import make_flow_run
from sqlalchemy import insert, update

from prefect.operations import (
    create_task_run,
    set_flow_run_state,
    set_task_run_state,
)
from prefect.operations.claims import claim_flow_run
from prefect.operations.concurrency import create_global_limit, read_global_limit, update_global_limit
from prefect.operations.flow_runs import read_flow_run
from prefect.operations.leases import current_holder
from prefect.operations.overdue import drop_expired_slots
from prefect.operations.tag_limits import create_tag_limit, read_tag_limit_by_tag
from prefect.schemas.actions import TaskRunCreate
from prefect.schemas.concurrency import (
    ConcurrencyLimitCreate,
    GlobalConcurrencyLimitCreate,
    GlobalConcurrencyLimitUpdate,
)
from prefect.schemas.responses import OrchestrationResult
from prefect.schemas.states import State, StateDetails, StateType
from prefect.store import make_store
from prefect.store.base import Store
from prefect.store.tables import concurrency_leases, deployments
from prefect.types import format_utc, now, uuid7


def state(kind: str, **details: Any) -> State[Any]:
    return State(type=StateType(kind), state_details=StateDetails(**details))


def told(answer: OrchestrationResult) -> tuple[str, str | None, str | None]:
    name = answer.state.name if answer.state is not None else None
    return answer.status.value, name, getattr(answer.details, "reason", None)


def make_deployment(store: Store, *, limit: int = 1, options: str | None = None) -> UUID:
    flow_id = make_flow_run(store).flow_id
    made, at = uuid7(), format_utc(now())
    name = f"deployment:{made}"
    limit_id = create_global_limit(store, GlobalConcurrencyLimitCreate(name=name, limit=limit)).id
    with store.transaction() as connection:
        connection.execute(
            insert(deployments).values(
                id=made.hex,
                created=at,
                updated=at,
                flow_id=flow_id.hex,
                name=str(made),
                paused=False,
                job_variables="{}",
                parameters="{}",
                enforce_parameter_schema=False,
                tags="[]",
                labels="{}",
                global_concurrency_limit_id=limit_id.hex,
                concurrency_options=options,
            )
        )
    return made


def taken(store: Store, deployment_id: UUID) -> int:
    return read_global_limit(store, f"deployment:{deployment_id}").active_slots


class TestDeployments:
    @pytest.fixture
    def deployment_id(self, store: Store) -> UUID:
        return make_deployment(store)

    def run(self, store: Store, deployment_id: UUID) -> UUID:
        return make_flow_run(store, deployment_id=deployment_id, state=state("SCHEDULED")).id

    def test_a_run_waits_for_the_slot_of_another(self, store: Store, deployment_id: UUID) -> None:
        first, second = (self.run(store, deployment_id) for _ in range(2))
        answer = set_flow_run_state(store, first, state("PENDING"))
        assert answer.state is not None
        lease_id = answer.state.state_details.deployment_concurrency_lease_id
        assert told(answer) == ("ACCEPT", "Pending", None)
        assert lease_id is not None
        refused = set_flow_run_state(store, second, state("PENDING"))
        assert told(refused) == (
            "REJECT",
            "AwaitingConcurrencySlot",
            "Deployment concurrency limit reached.",
        )
        assert refused.state is not None
        due = refused.state.state_details.scheduled_time
        assert due is not None
        assert timedelta(seconds=25) < due - now() <= timedelta(seconds=30)
        running = set_flow_run_state(store, first, state("RUNNING"))
        assert running.state is not None
        assert running.state.state_details.deployment_concurrency_lease_id == lease_id
        assert taken(store, deployment_id) == 1
        set_flow_run_state(store, first, state("COMPLETED"))
        assert taken(store, deployment_id) == 0
        assert (
            told(set_flow_run_state(store, self.run(store, deployment_id), state("PENDING")))[0] == "ACCEPT"
        )

    def test_the_run_that_waits_for_longest_gets_a_slot_at_once(
        self, store: Store, deployment_id: UUID
    ) -> None:
        first, second, third = (self.run(store, deployment_id) for _ in range(3))
        for run_id in (first, third, second):
            set_flow_run_state(store, run_id, state("PENDING"))
        set_flow_run_state(store, first, state("RUNNING"))
        set_flow_run_state(store, first, state("COMPLETED"))

        called, waiting = (read_flow_run(store, run_id) for run_id in (second, third))
        assert called.state is not None
        assert (called.state_name, called.state.message) == ("Scheduled", "A slot of its deployment is free.")
        # Before those that came later, of this deployment or others.
        assert called.next_scheduled_start_time == called.expected_start_time
        assert waiting.state_name == "AwaitingConcurrencySlot"
        assert told(set_flow_run_state(store, second, state("PENDING")))[0] == "ACCEPT"

    def test_more_slots_are_for_runs_that_wait(self, store: Store, deployment_id: UUID) -> None:
        runs = [self.run(store, deployment_id) for _ in range(4)]
        for run_id in runs:
            set_flow_run_state(store, run_id, state("PENDING"))
        update_global_limit(store, f"deployment:{deployment_id}", GlobalConcurrencyLimitUpdate(limit=3))
        names = [read_flow_run(store, run_id).state_name for run_id in runs]
        assert names == ["Pending", "Scheduled", "Scheduled", "AwaitingConcurrencySlot"]

    def test_a_run_that_waits_and_is_asked_for_again_stays_as_it_is(
        self, store: Store, deployment_id: UUID
    ) -> None:
        first, second = (self.run(store, deployment_id) for _ in range(2))
        set_flow_run_state(store, first, state("PENDING"))
        answers = [set_flow_run_state(store, second, state("PENDING")) for _ in range(3)]
        assert len({told(answer) for answer in answers}) == 1
        assert len({answer.state.id for answer in answers if answer.state is not None}) == 1

    def test_an_outage_frees_no_slot_of_a_run_whose_process_is_there(
        self, store: Store, deployment_id: UUID
    ) -> None:
        first, second, third = (self.run(store, deployment_id) for _ in range(3))
        assert told(claim_flow_run(store, first, current_holder(), uuid7()))[0] == "ACCEPT"
        with store.transaction() as connection:
            long_ago = format_utc(now() - timedelta(hours=1))
            connection.execute(update(concurrency_leases).values(expires=long_ago))
        assert told(set_flow_run_state(store, second, state("PENDING")))[0] == "REJECT"
        with store.transaction() as connection:
            connection.execute(update(concurrency_leases).values(expires=long_ago))
        assert drop_expired_slots(store, now()) == 0
        assert taken(store, deployment_id) == 1
        set_flow_run_state(store, first, state("CRASHED"))
        assert told(set_flow_run_state(store, third, state("PENDING")))[0] == "ACCEPT"

    def test_or_is_cancelled(self, store: Store) -> None:
        deployment_id = make_deployment(store, options='{"collision_strategy": "CANCEL_NEW"}')
        first, second = (self.run(store, deployment_id) for _ in range(2))
        set_flow_run_state(store, first, state("PENDING"))
        answer = set_flow_run_state(store, second, state("PENDING"))
        assert told(answer) == ("REJECT", "Cancelled", "Deployment concurrency limit reached.")

    def test_the_steps_of_a_workers_preparation_take_one_slot(
        self, store: Store, deployment_id: UUID
    ) -> None:
        run_id = self.run(store, deployment_id)
        set_flow_run_state(store, run_id, state("PENDING"))
        submitting: State[Any] = State(type=StateType.PENDING, name="Submitting")
        assert told(set_flow_run_state(store, run_id, submitting))[:2] == ("ACCEPT", "Submitting")
        assert taken(store, deployment_id) == 1

    @pytest.mark.parametrize(
        "entered",
        [
            state("CRASHED"),
            state("CANCELLED"),
            state("SCHEDULED"),
            State(type=StateType.PAUSED, name="Suspended", state_details=StateDetails(pause_reschedule=True)),
        ],
    )
    def test_a_run_without_a_process_holds_no_slot(
        self, store: Store, deployment_id: UUID, entered: State[Any]
    ) -> None:
        run_id = self.run(store, deployment_id)
        set_flow_run_state(store, run_id, state("PENDING"))
        set_flow_run_state(store, run_id, state("RUNNING"))
        assert told(set_flow_run_state(store, run_id, entered))[0] == "ACCEPT"
        assert taken(store, deployment_id) == 0

    def test_a_run_that_is_paused_or_retried_keeps_its_slot(self, store: Store, deployment_id: UUID) -> None:
        run_id = self.run(store, deployment_id)
        set_flow_run_state(store, run_id, state("PENDING"))
        set_flow_run_state(store, run_id, state("RUNNING"))
        set_flow_run_state(store, run_id, state("PAUSED"))
        assert taken(store, deployment_id) == 1
        set_flow_run_state(store, run_id, state("RUNNING"))
        retry: State[Any] = State(type=StateType.SCHEDULED, name="AwaitingRetry")
        set_flow_run_state(store, run_id, retry)
        assert taken(store, deployment_id) == 1

    def test_without_a_limit_nothing_is_held(self, store: Store, deployment_id: UUID) -> None:
        off = GlobalConcurrencyLimitUpdate(active=False)
        update_global_limit(store, f"deployment:{deployment_id}", off)
        for run_id in [self.run(store, deployment_id) for _ in range(3)]:
            assert told(set_flow_run_state(store, run_id, state("PENDING")))[0] == "ACCEPT"


class TestTags:
    @pytest.fixture
    def flow_run_id(self, store: Store) -> UUID:
        run = make_flow_run(store)
        set_flow_run_state(store, run.id, state("RUNNING"))
        return run.id

    def task(self, store: Store, flow_run_id: UUID, *tags: str) -> UUID:
        made = TaskRunCreate(flow_run_id=flow_run_id, task_key="t", dynamic_key=str(uuid7()), tags=list(tags))
        return create_task_run(store, made).id

    def test_a_task_waits_for_the_slot_of_another(self, store: Store, flow_run_id: UUID) -> None:
        create_tag_limit(store, ConcurrencyLimitCreate(tag="db", concurrency_limit=1))
        first, second = (self.task(store, flow_run_id, "db", "free") for _ in range(2))
        assert told(set_task_run_state(store, first, state("RUNNING")))[0] == "ACCEPT"
        assert read_tag_limit_by_tag(store, "db").active_slots == [first]
        answer = set_task_run_state(store, second, state("RUNNING"))
        assert told(answer) == ("WAIT", "Pending", "Concurrency limit for the db tag has been reached")
        assert getattr(answer.details, "delay_seconds", None) == 10
        assert told(set_task_run_state(store, first, state("RUNNING")))[0] == "ACCEPT"
        set_task_run_state(store, first, state("COMPLETED"))
        assert told(set_task_run_state(store, second, state("RUNNING")))[0] == "ACCEPT"
        assert read_tag_limit_by_tag(store, "db").active_slots == [second]

    def test_a_limit_of_none_lets_nothing_run(self, store: Store, flow_run_id: UUID) -> None:
        create_tag_limit(store, ConcurrencyLimitCreate(tag="db", concurrency_limit=0))
        answer = set_task_run_state(store, self.task(store, flow_run_id, "db"), state("RUNNING"))
        assert told(answer) == (
            "ABORT",
            "Pending",
            'The concurrency limit on tag "db" is 0 and will deadlock if the task tries to run again.',
        )

    def test_a_known_result_is_used_again(self, store: Store, flow_run_id: UUID) -> None:
        first, second, third = (self.task(store, flow_run_id) for _ in range(3))
        set_task_run_state(store, first, state("RUNNING", cache_key="k"))
        done: State[Any] = State(
            type=StateType.COMPLETED, data={"type": "x"}, state_details=StateDetails(cache_key="k")
        )
        set_task_run_state(store, first, done)
        answer = set_task_run_state(store, second, state("RUNNING", cache_key="k"))
        assert told(answer) == ("REJECT", "Cached", "Retrieved state from cache")
        assert answer.state is not None
        assert (answer.state.data, answer.state.state_details.task_run_id) == ({"type": "x"}, second)
        again = set_task_run_state(store, third, state("RUNNING", cache_key="k", refresh_cache=True))
        assert told(again)[0] == "ACCEPT"

    def test_until_it_expires(self, store: Store, flow_run_id: UUID) -> None:
        first, second = (self.task(store, flow_run_id) for _ in range(2))
        set_task_run_state(store, first, state("RUNNING"))
        past = datetime(2020, 1, 1, tzinfo=UTC)
        set_task_run_state(store, first, state("COMPLETED", cache_key="k" * 5000, cache_expiration=past))
        answer = set_task_run_state(store, second, state("RUNNING", cache_key="k" * 5000))
        assert told(answer)[0] == "ACCEPT"


MOVES = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(
            ["SCHEDULED", "PENDING", "RUNNING", "PAUSED", "COMPLETED", "CANCELLING", "CANCELLED"]
        ),
        st.booleans(),
    ),
    max_size=30,
)


@given(moves=MOVES)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_never_more_runs_are_under_way_than_there_are_slots(moves: list[tuple[int, str, bool]]) -> None:
    store = make_store("sqlite:///:memory:")
    deployment_id = make_deployment(store, limit=1)
    runs = [make_flow_run(store, deployment_id=deployment_id, state=state("SCHEDULED")).id for _ in range(3)]
    now_in: dict[UUID, State[Any] | None] = dict.fromkeys(runs)
    for which, kind, suspends in moves:
        details = {"pause_reschedule": suspends} if kind == "PAUSED" else {}
        answer = set_flow_run_state(store, runs[which], state(kind, **details))
        now_in[runs[which]] = answer.state
        held = [
            each.state_details.deployment_concurrency_lease_id
            for each in now_in.values()
            if each is not None and each.state_details.deployment_concurrency_lease_id is not None
        ]
        assert len(held) <= 1
        assert taken(store, deployment_id) == len(held)
        pending = [each for each in now_in.values() if each is not None and each.is_pending()]
        assert all(each.state_details.deployment_concurrency_lease_id for each in pending)
    store.close()
