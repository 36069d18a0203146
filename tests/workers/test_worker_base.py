"""`BaseWorker`, as those who write workers use it."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest

from prefect.cli import main
from prefect.exceptions import ConfigurationError, ObjectNotFound
from prefect.operations.flow_runs import set_flow_run_state
from prefect.operations.work_pools import read_work_pool
from prefect.operations.workers import WorkerPage, read_workers
from prefect.schemas.states import State, StateType
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult
from prefect.workers.process import ProcessWorker


class TicketJob(BaseJobConfiguration):
    cpu: int = 1


class TicketWorker(BaseWorker[TicketJob, BaseVariables, BaseWorkerResult]):
    type = "ticket"
    job_configuration = TicketJob
    jobs: ClassVar[list[TicketJob]] = []
    code: int = 0
    error: Exception | None = None
    hangs = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.at_work = asyncio.Event()

    async def run(self, flow_run: Any, configuration: TicketJob, task_status: Any = None) -> BaseWorkerResult:
        self.jobs.append(configuration)
        task_status.started(f"ticket-{flow_run.name}")
        if self.error is not None:
            raise self.error
        if self.hangs:
            self.at_work.set()
            await asyncio.Event().wait()
        return BaseWorkerResult(identifier=flow_run.name, status_code=self.code)


@pytest.fixture(autouse=True)
def jobs():
    TicketWorker.jobs.clear()
    return TicketWorker.jobs


def work_once(worker):
    async def main():
        async with worker:
            await worker.sync_with_backend()
            started = await worker.get_and_submit_flow_runs()
            await asyncio.gather(*worker._running.values())
            return started

    return asyncio.run(main())


def test_a_run_is_given_to_the_subclass_with_its_job(place, jobs):
    place.pool(type="ticket", base_job_template=TicketWorker.get_default_base_job_template())
    deployment = place.deploy(job_variables={"cpu": 2, "env": {"A": "1", "B": "1"}})
    run = place.run_of(deployment, name="mine", job_variables={"env": {"B": "2"}})

    [started] = work_once(TicketWorker("here", name="w1"))

    assert started.id == run.id
    [job] = jobs
    assert (job.cpu, job.name) == (2, "mine")
    assert (job.env["A"], job.env["B"], job.env["PREFECT__FLOW_RUN_ID"]) == ("1", "2", str(run.id))
    assert job.labels["prefect.io/flow-run-name"] == "mine"
    assert job.labels["prefect.io/work-pool-name"] == "here"
    assert job.command == "prefect flow-run execute"
    found = place.read(run)
    assert found.labels["prefect.worker.type"] == "ticket"
    assert found.infrastructure_pid == "ticket-mine"
    assert found.state_name == "Submitting"


@pytest.mark.parametrize("how", ["code", "error"])
def test_a_job_that_fails_leaves_a_run_that_crashed(place, how):
    place.pool(type="ticket")
    run = place.run_of(place.deploy())
    worker = TicketWorker("here")
    if how == "code":
        worker.code = 3
    else:
        worker.error = OSError("no such machine")

    work_once(worker)

    ended = place.read(run)
    assert ended.state_name == "Crashed"
    assert ("exit code 3" if how == "code" else "no such machine") in ended.state.message


def test_a_job_that_does_not_fit_names_the_variable(here, jobs):
    here.pool(type="ticket")
    run = here.run_of(here.deploy(job_variables={"cpu": "many"}))

    work_once(TicketWorker("here"))

    assert jobs == []
    ended = here.read(run)
    assert ended.state_name == "Crashed"
    assert "cpu: Input should be a valid integer" in ended.state.message


def test_a_run_that_is_cancelled_cancels_its_job(here):
    here.pool(type="ticket")
    run = here.run_of(here.deploy())
    worker = TicketWorker("here")
    worker.hangs = True

    async def main():
        async with worker:
            await worker.get_and_submit_flow_runs()
            await worker.at_work.wait()
            cancelling = State(type=StateType.CANCELLING)
            here.client.call(set_flow_run_state, run.id, cancelling)
            await worker._cancel_runs()
            await asyncio.gather(*worker._running.values())

    asyncio.run(main())

    assert here.read(run).state_name == "Cancelled"


def test_several_workers_carry_out_each_run_once(place, jobs):
    place.pool(type="ticket")
    deployment = place.deploy()
    runs = {str(place.run_of(deployment).id) for _ in range(6)}

    async def main():
        workers = [TicketWorker("here", name=f"w{number}") for number in range(3)]
        for worker in workers:
            await worker.setup()
        await asyncio.gather(*(worker.get_and_submit_flow_runs() for worker in workers))
        await asyncio.gather(*(task for worker in workers for task in worker._running.values()))

    asyncio.run(main())

    assert sorted(job.env["PREFECT__FLOW_RUN_ID"] for job in jobs) == sorted(runs)


def test_a_pool_that_is_not_there_is_made(place):
    work_once(TicketWorker("new", name="w1"))

    pool = place.client.call(read_work_pool, "new")
    assert (pool.type, pool.base_job_template) == ("ticket", TicketWorker.get_default_base_job_template())
    assert [one.name for one in place.client.call(read_workers, "new", WorkerPage())] == ["w1"]


def test_a_pool_of_another_type_is_refused(here):
    here.pool(type="process")

    with pytest.raises(ConfigurationError, match="is for workers of type 'process'"):
        asyncio.run(TicketWorker("here").setup())
    with pytest.raises(ConfigurationError, match="prefect work-pool create none --type ticket"):
        asyncio.run(TicketWorker("none", create_pool_if_not_found=False).setup())


@pytest.mark.parametrize("options", [{"name": "a/b"}, {"name": ""}, {"limit": 0}])
def test_options_that_make_no_sense_are_refused(here, options):
    with pytest.raises(ValueError):
        TicketWorker("here", **options)


def test_classes_are_found_by_their_type():
    assert BaseWorker.get_worker_class_from_type("ticket") is TicketWorker
    assert BaseWorker.get_worker_class_from_type("process") is ProcessWorker
    assert BaseWorker.get_worker_class_from_type("none") is None
    assert {"process", "ticket"} <= set(BaseWorker.get_all_available_worker_types())


def test_a_worker_says_what_it_is(here):
    worker = TicketWorker("here", name="My Worker, 1")

    assert worker.get_name_slug() == "my-worker-1"
    assert worker.is_worker_still_polling(1)
    with pytest.raises(RuntimeError, match="start it first"):
        _ = worker.work_pool
    with pytest.raises(NotImplementedError):
        asyncio.run(worker.kill_infrastructure("x", TicketJob()))


def test_a_worker_of_a_pool_that_is_paused_says_so_once(here, caplog):
    here.pool(type="ticket", is_paused=True)
    worker = TicketWorker("here")
    for _ in range(3):
        work_once(worker)
    said = [record.getMessage() for record in caplog.records if "paused" in record.getMessage()]
    assert said == ["Work pool 'here' is paused: its runs wait until `prefect work-pool resume here`"]


def test_an_agent_makes_no_pool_of_a_word_that_is_misspelt(here, capsys):
    assert main(("agent", "start", "--pool", "heer", "--run-once")) == 1
    assert "There is no work pool 'heer'" in capsys.readouterr().err
    with pytest.raises(ObjectNotFound):
        here.client.call(read_work_pool, "heer")
