"""Several runners that propose Pending for one flow run at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from prefect.operations.claims import claim_flow_run
from prefect.operations.flow_runs import create_flow_run, set_flow_run_state
from prefect.operations.flows import create_flow
from prefect.operations.leases import current_holder
from prefect.operations.work_pools import create_work_pool
from prefect.operations.work_queues import create_work_queue_in_pool
from prefect.schemas.actions import FlowCreate, FlowRunCreate
from prefect.schemas.responses import SetStateStatus
from prefect.schemas.states import State, StateType
from prefect.schemas.work_pools import WorkPoolCreate, WorkQueueCreate
from prefect.types import uuid7

RUNNERS = 6


def test_a_run_is_given_to_one_of_many_that_ask_at_once(store):
    flow = create_flow(store, FlowCreate(name="f"))
    at_once = Barrier(RUNNERS, timeout=30)

    def ask(run_id):
        at_once.wait()
        return set_flow_run_state(store, run_id, State(type=StateType.PENDING)).status

    with ThreadPoolExecutor(RUNNERS) as threads:
        for _ in range(15):
            scheduled = FlowRunCreate(flow_id=flow.id, state=State(type=StateType.SCHEDULED))
            run = create_flow_run(store, scheduled)
            answers = list(threads.map(ask, [run.id] * RUNNERS))

            assert answers.count(SetStateStatus.ACCEPT) == 1


@pytest.mark.parametrize("limited", ["pool", "queue"])
def test_a_pool_has_no_more_runs_under_way_than_it_may_though_many_are_taken_at_once(store, limited):
    limit = {"concurrency_limit": 2}
    create_work_pool(store, WorkPoolCreate(name="p", type="process", **limit if limited == "pool" else {}))
    create_work_queue_in_pool(store, "p", WorkQueueCreate(name="q", **limit if limited == "queue" else {}))
    flow = create_flow(store, FlowCreate(name="f"))
    scheduled = {"flow_id": flow.id, "work_pool_name": "p", "work_queue_name": "q"}
    at_once = Barrier(RUNNERS, timeout=30)

    def ask(run_id):
        at_once.wait()
        return claim_flow_run(store, run_id, current_holder(), uuid7())

    with ThreadPoolExecutor(RUNNERS) as threads:
        for _ in range(5):
            runs = [
                create_flow_run(store, FlowRunCreate(state=State(type=StateType.SCHEDULED), **scheduled)).id
                for _ in range(RUNNERS)
            ]
            answers = list(threads.map(ask, runs))
            taken = [run for run, answer in zip(runs, answers, strict=True) if is_taken(answer)]
            refused = [answer for answer in answers if not is_taken(answer)]

            assert len(taken) == 2
            assert {answer.state.name for answer in refused} == {"Scheduled"}
            assert {answer.details.reason for answer in refused} == {
                f"Work {limited} concurrency limit reached."
            }
            for run in taken:
                set_flow_run_state(store, run, State(type=StateType.COMPLETED))


def is_taken(answer):
    return answer.status is SetStateStatus.ACCEPT
