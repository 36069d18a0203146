"""Several runners that propose Pending for one flow run at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from prefect.operations.flow_runs import create_flow_run, set_flow_run_state
from prefect.operations.flows import create_flow
from prefect.schemas.actions import FlowCreate, FlowRunCreate
from prefect.schemas.responses import SetStateStatus
from prefect.schemas.states import State, StateType

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
