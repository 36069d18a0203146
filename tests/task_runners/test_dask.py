"""What the Dask runner does besides what all runners do."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import remote_tasks as remote
from prefect import flow, task, unmapped
from prefect.context import FlowRunContext
from prefect.exceptions import ConfigurationError
from prefect.futures import PrefectFuture
from prefect.task_runners import DaskTaskRunner
from prefect.task_runners.remote import RemoteRun

np = pytest.importorskip("numpy")
dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")

pytestmark = [pytest.mark.processes, pytest.mark.timeout(200)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        yield cluster


@task
def ones(count: int) -> Any:
    return np.ones(count)


@task
def total(values: Any, factor: int = 1) -> float:
    return float(values.sum()) * factor


@task
def ask_dask(count: int) -> int:
    from prefect_dask import get_dask_client

    with get_dask_client() as client:
        return int(client.submit(sum, range(count)).result())


@task
def scheduler_address() -> str:
    return str(distributed.get_worker().scheduler.address)


def test_the_names_of_prefect_dask() -> None:
    import prefect_dask
    import prefect_dask.task_runners
    import prefect_dask.utils

    assert prefect_dask.DaskTaskRunner is DaskTaskRunner is prefect_dask.task_runners.DaskTaskRunner
    assert prefect_dask.get_dask_client is prefect_dask.utils.get_dask_client


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"address": "tcp://a:1", "cluster_class": "a.B"}, "An address names a cluster that is there"),
        ({"cluster": object(), "cluster_kwargs": {"n": 1}}, "cluster is a cluster that is there"),
        ({"cluster": object(), "adapt_kwargs": {"maximum": 1}}, "have it adapt"),
        ({"client_kwargs": {"asynchronous": True}}, "must not be asynchronous"),
    ],
    ids=["address", "cluster", "adapt", "asynchronous"],
)
def test_arguments_that_contradict_each_other(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        DaskTaskRunner(**arguments)


def test_an_address(cluster: Any) -> None:
    @flow(task_runner=DaskTaskRunner(address=cluster.scheduler_address))
    def main() -> str:
        return scheduler_address.submit().result()

    assert main() == cluster.scheduler_address


def test_a_temporary_cluster_of_a_class() -> None:
    runner = DaskTaskRunner(
        cluster_class="distributed.LocalCluster",
        cluster_kwargs={"processes": False, "n_workers": 1, "dashboard_address": ":0"},
        adapt_kwargs={"minimum": 1, "maximum": 2},
    )

    @flow(task_runner=runner)
    def main() -> PrefectFuture[float]:
        return total.submit(ones.submit(1000))

    state = main(return_state=True)
    # The cluster is gone, and what the flow returned is here.
    assert state.result().result() == 1000.0
    assert not runner.is_started


@task
def distances(numbers: list[int]) -> list[int]:
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.map(abs, numbers)


def test_tasks_on_a_temporary_cluster_may_start_processes() -> None:
    @flow(task_runner=DaskTaskRunner(cluster_kwargs={"n_workers": 1, "threads_per_worker": 1}))
    def main() -> list[int]:
        return distances.submit([-1, 2]).result()

    assert main() == [1, 2]


def test_large_results_stay_on_the_cluster(cluster: Any) -> None:
    @flow(task_runner=DaskTaskRunner(cluster=cluster))
    def main() -> tuple[float, bool]:
        array = ones.submit(200_000)
        summed = total.submit(array).result()
        return summed, array.state.data.is_here

    assert main() == (200_000.0, False)


def bytes_sent(dask_worker: Any) -> tuple[int, int]:
    """How often a worker has sent values, and how many bytes."""
    return dask_worker.transfer_outgoing_count_total, dask_worker.transfer_outgoing_bytes_total


def test_an_array_takes_one_trip(cluster: Any) -> None:
    """To all tasks of another worker that are given it, and none to those of its own."""
    here, there = sorted(cluster.scheduler.workers)

    @flow(task_runner=DaskTaskRunner(cluster=cluster))
    def main() -> list[int]:
        client = FlowRunContext.get().task_runner.client

        def sent() -> list[int]:
            return [sum(numbers) for numbers in zip(*client.run(bytes_sent).values(), strict=True)]

        before = sent()
        with dask.annotate(workers=[here]):
            array = ones.submit(200_000)
            assert total.submit(array, 1).result() == 200_000
        with dask.annotate(workers=[there]):
            for factor in (1, 2):
                assert total.submit(array, factor).result() == 200_000 * factor
        return [now - then for now, then in zip(sent(), before, strict=True)]

    times, size = main()
    assert times == 1
    assert 1_600_000 <= size < 1_610_000


def test_dask_keeps_nothing_of_tasks_with_small_results(cluster: Any) -> None:
    @flow(task_runner=DaskTaskRunner(cluster=cluster))
    def main() -> int:
        futures = total.map([np.ones(n) for n in range(50)])
        futures.wait()
        client = FlowRunContext.get().task_runner.client
        deadline = time.monotonic() + 90
        while client.futures and time.monotonic() < deadline:
            time.sleep(0.01)  # Dask lets go of them in threads of its own
        assert futures.result()[-1] == 49.0
        return len(client.futures)

    assert main() == 0


def test_a_large_argument_of_a_map_is_sent_once(cluster: Any) -> None:
    values = np.ones(500_000)

    @flow(task_runner=DaskTaskRunner(cluster=cluster))
    def main() -> tuple[list[float], int]:
        client = FlowRunContext.get().task_runner.client
        futures = total.map(unmapped(values), [1, 2, 3, 4])
        return futures.result(), sum(key.startswith("ndarray") for key in client.who_has())

    results, copies = main()
    assert results == [500_000.0 * factor for factor in (1, 2, 3, 4)]
    assert copies <= 1


def test_a_client_in_flow_and_task(cluster: Any) -> None:
    from prefect_dask import get_async_dask_client, get_dask_client

    @flow(task_runner=DaskTaskRunner(cluster=cluster))
    async def main() -> list[int]:
        with get_dask_client() as client:
            first = client.submit(sum, [1, 2]).result()
        async with get_async_dask_client() as other:
            second = await other.submit(sum, [3, 4])
        return [first, second, ask_dask.submit(5).result()]

    import asyncio

    assert asyncio.run(main()) == [3, 7, 10]


def test_a_client_of_a_cluster_that_asks_for_certificates() -> None:
    """It has those of the runner in the flow, and those of the worker in a task."""
    from distributed.security import Security

    from prefect_dask import get_dask_client

    security = Security.temporary()
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "protocol": "tls://"}
    with distributed.LocalCluster(**options, security=security, dashboard_address=":0") as cluster:

        @flow(
            task_runner=DaskTaskRunner(
                address=cluster.scheduler_address, client_kwargs={"security": security, "name": "ours"}
            )
        )
        def main() -> list[Any]:
            with get_dask_client() as client:
                there = [client.submit(sum, [1, 2]).result(), "-ours-" in client.id]
            return [*there, ask_dask.submit(5).result()]

        assert main() == [3, True, 10]


def test_annotations_reach_dask(cluster: Any) -> None:
    import dask

    worker = next(iter(cluster.scheduler.workers))

    @task
    def where() -> str:
        return str(distributed.get_worker().address)

    @flow(task_runner=DaskTaskRunner(cluster=cluster))
    def main() -> list[str]:
        with dask.annotate(workers=[worker]):
            futures = [where.submit() for _ in range(4)]
        return [future.result() for future in futures]

    assert set(main()) == {worker}


def test_a_cluster_that_is_lost() -> None:
    """Its runs end, and say why."""
    cluster = distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=":0")

    @task
    def close_it() -> None:
        import threading

        threading.Event().wait(60)

    @flow(task_runner=DaskTaskRunner(cluster=cluster, client_kwargs={"timeout": "2s"}))
    def main() -> list[tuple[str, str]]:
        future = close_it.submit()
        with suppress(TimeoutError):  # a worker waits for its task
            cluster.close(timeout=1)
        late = total.submit(np.ones(200_000))
        states = []
        for each in (future, late):
            each.wait(60)
            states.append((each.state.name, each.state.message))
        return states

    for name, message in main():
        assert name == "Crashed", message
        assert "Dask" in message


def test_a_scheduler_that_is_not_there_is_named() -> None:
    runner = DaskTaskRunner(address="tcp://127.0.0.1:9", client_kwargs={"timeout": "1s"})

    with pytest.raises(OSError, match=r"There is no Dask scheduler at tcp://127\.0\.0\.1:9, or no way"):
        _ = runner.client


def test_a_report_needs_bokeh_and_says_so_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bokeh", None)  # as if it were not installed
    runner = DaskTaskRunner(
        cluster_kwargs={"processes": False, "n_workers": 1},
        performance_report_path=str(tmp_path / "report.html"),
    )

    with pytest.raises(ConfigurationError, match=r"needs bokeh where its scheduler runs.*pip install bokeh"):
        _ = runner.client


def test_what_waited_on_a_lost_worker_just_goes_elsewhere(tmp_path: Path) -> None:
    """Only what had begun there counts as an attempt: these tasks have no retries."""
    patient = dask.config.set({"distributed.deploy.lost-worker-timeout": "5 minutes"})
    with (
        patient,
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as alone,
    ):

        @flow(task_runner=DaskTaskRunner(cluster=alone))
        def main() -> tuple[str, list[int]]:
            held = remote.hold.submit(str(tmp_path / "begun"), str(tmp_path / "never"))
            waiting = remote.same.map(list(range(10)))
            remote.wait_until(lambda: (tmp_path / "begun").exists() and held.state.is_running())
            with distributed.Client(alone) as client:
                (pid,) = client.run(os.getpid, nanny=False).values()
            os.kill(pid, signal.SIGKILL)
            numbers = [each.result(timeout=90) for each in waiting]
            held.wait(90)
            return held.state.name, numbers

        assert main() == ("Crashed", list(range(10)))


@task(timeout_seconds=60)
def ask_dask_in_time(count: int) -> int:
    from prefect_dask import get_dask_client

    numbers = []
    for _ in range(2):
        with get_dask_client() as client:
            numbers.append(int(client.submit(sum, range(count), pure=False).result()))
    return sum(numbers)


@task(timeout_seconds=60)
async def ask_dask_aside(count: int) -> int:
    from prefect_dask import get_async_dask_client

    async with get_async_dask_client() as client:
        return int(await client.submit(sum, range(count), pure=False))


@task
def ask_dask_within(count: int) -> int:
    return sum(ask_dask_in_time.map([count, count]).result())


@pytest.mark.parametrize(
    ("asks", "number"),
    [(ask_dask, 10), (ask_dask_in_time, 20), (ask_dask_aside, 10), (ask_dask_within, 40)],
    ids=["task", "deadline", "async", "nested"],
)
def test_a_task_that_asks_the_cluster_frees_its_only_thread(asks: Any, number: int) -> None:
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as alone:

        @flow(task_runner=DaskTaskRunner(cluster=alone))
        def main() -> tuple[list[int], int]:
            found = asks.map([5, 5, 5]).result(timeout=60)
            # And has it again: so many threads are there as before.
            (worker,) = alone.workers.values()
            return found, len(worker.executors["default"]._threads)

        assert main() == ([number] * 3, 1)


@task(timeout_seconds=0.3)
def stay_in_the_block(until: str) -> None:
    from prefect_dask import get_dask_client

    with get_dask_client():
        remote.wait_until(Path(until).exists)


def test_a_deadline_that_passes_while_the_thread_is_free(tmp_path: Path) -> None:
    until = tmp_path / "until"
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as alone:

        @flow(task_runner=DaskTaskRunner(cluster=alone))
        def main() -> tuple[str, list[int], int]:
            late = stay_in_the_block.submit(str(until))
            late.wait(30)
            until.touch()
            numbers = ask_dask.map([5, 5]).result(timeout=60)
            (worker,) = alone.workers.values()
            return late.state.name, numbers, len(worker.executors["default"]._threads)

        assert main() == ("TimedOut", [10, 10], 1)


def test_of_what_was_lost_with_a_worker_the_first_had_begun():
    from prefect.task_runners.dask.losses import Losses
    from prefect.task_runners.dask.sent import Sent

    worker = SimpleNamespace(address="tcp://gone:1", nthreads=1)
    sent = [Sent(RemoteRun(remote.same, {"x": number}, None, owner=None), {}) for number in range(4)]
    for number, each in enumerate(sent):
        each.number = number
    sent[3].annotations["priority"] = 1
    losses = Losses()

    assert [losses.add(each, worker) for each in sent] == [True, False, False, False]
    taken = losses.take(worker.address)
    assert [each.number for each, _ in taken] == [3, 0, 1, 2]
    assert [losses.had_begun(each, worker, sent) for each, _ in taken] == [True, False, False, False]
    assert losses.take(worker.address) == []
