"""What `clusters.py` measures: run by our Python and by the peer's, since both know these names.

`python cluster_workloads.py WORKLOAD COUNT` prints figures as JSON in its last line.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import distributed

from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner
from prefect_dask import DaskTaskRunner

WARM = 100
TURNS = 7
"""How often small tasks are timed, by turns: the machine may be busier at one time than at another."""


def plain(x: int) -> int:
    return x


@task
def noop(x: int) -> int:
    return x


def plain_ones(size: int) -> Any:
    import numpy as np  # not every environment has it, and most workloads do without

    return np.ones(size // 8)


def plain_sum(values: Any) -> float:
    return float(values[:1000].sum())


ones, first = task(plain_ones), task(plain_sum)


def cluster(workers: int = 2) -> Any:
    return distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0")


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def by_turns(bare: Callable[[int], object], ours: Callable[[], float], count: int) -> dict[str, float]:
    """Time two ways to run so many tasks, and compare the medians: seconds for a task.

    `ours` times itself, in a flow.
    """
    seen: dict[str, list[float]] = {"bare": [], "runner": []}
    for _ in range(TURNS):
        bare(WARM)
        seen["bare"].append(timed(lambda: bare(count)) / count)
        seen["runner"].append(ours() / count)
    found = {name: median(values) for name, values in seen.items()}
    return {**found, "ratio": found["runner"] / found["bare"]}


def memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def dask(count: int) -> dict[str, float]:
    """Submit tasks and get their results, with Dask alone and with the runner."""
    with cluster() as place, distributed.Client(place) as client:

        def bare(number: int) -> None:
            client.gather([client.submit(plain, n, pure=False) for n in range(number)])

        @flow(task_runner=DaskTaskRunner(address=place.scheduler_address))
        def main() -> float:
            submitted(WARM)
            return timed(lambda: submitted(count))

        return by_turns(bare, main, count)


def ray(count: int) -> dict[str, float]:
    """Submit tasks and get their results, with Ray alone and with the runner."""
    import ray

    from prefect_ray import RayTaskRunner

    ray.init(num_cpus=2, include_dashboard=False, logging_level="error", log_to_driver=False)
    remote = ray.remote(plain)

    def bare(number: int) -> None:
        ray.get([remote.remote(n) for n in range(number)])

    @flow(task_runner=RayTaskRunner())
    def main() -> float:
        submitted(WARM)
        return timed(lambda: submitted(count))

    found = by_turns(bare, main, count)
    ray.shutdown()
    return found


def submitted(number: int) -> None:
    for future in [noop.submit(n) for n in range(number)]:
        future.result()


def tasks(count: int) -> dict[str, float]:
    """Map a task over many items and get all results, with Dask alone and with the runner."""
    found: dict[str, float] = {}
    with cluster() as place, distributed.Client(place) as client:

        @flow(task_runner=DaskTaskRunner(address=place.scheduler_address))
        def main() -> None:
            noop.map(list(range(WARM))).result()
            found["seconds"] = timed(lambda: noop.map(list(range(count))).result()) / count

        client.gather(client.map(plain, range(WARM), pure=False))
        found["bare"] = timed(lambda: client.gather(client.map(plain, range(count), pure=False))) / count
        main()
    return found


def many(count: int) -> dict[str, float]:
    """See what so many task runs add to the memory of the process that submits them."""
    found: dict[str, float] = {}
    options = {"n_workers": 2, "threads_per_worker": 1}

    @flow(task_runner=DaskTaskRunner(cluster_kwargs=options))  # so Dask's scheduler is in this process too
    def main() -> None:
        noop.map(list(range(1000))).wait()
        before = memory()
        futures = noop.map(list(range(count)))
        futures.wait()
        found["memory"] = memory() - before

    main()
    return found


def array(count: int) -> dict[str, float]:
    """Give a large array from one task to the next, with Dask alone and with the runner."""
    found: dict[str, float] = {}

    @flow(task_runner=ThreadPoolTaskRunner())
    def threads() -> None:
        made = ones.submit(count)
        made.wait()
        small = [timed(lambda: first.submit(plain_ones(8)).result()) for _ in range(5)]
        large = [timed(lambda: first.submit(made).result()) for _ in range(5)]
        found["threads"] = min(large) - min(small)

    threads()
    with cluster(1) as place, distributed.Client(place) as client:

        @flow(task_runner=DaskTaskRunner(address=place.scheduler_address))
        def on_dask() -> None:
            made = ones.submit(count)
            made.wait()
            found["dask"] = timed(lambda: first.submit(made).result())

        made = client.submit(plain_ones, count)
        distributed.wait(made)
        found["bare"] = timed(lambda: client.submit(plain_sum, made).result())
        on_dask()
    return found


def sent_bytes(dask_worker: Any = None) -> int:
    return int(dask_worker.transfer_outgoing_bytes_total)


def trips(count: int) -> dict[str, float]:
    """See how often an array travels that two tasks of another worker get, with Dask alone and the runner."""
    found: dict[str, float] = {}
    with cluster() as place, distributed.Client(place) as client:
        here, there = sorted(client.nthreads())

        def noted(name: str, work: Callable[[], object]) -> None:
            before = sum(client.run(sent_bytes).values())
            seconds = timed(work)
            found[f"{name}_seconds"] = min(found.get(f"{name}_seconds", 1e9), seconds)
            found[f"{name}_trips"] = (sum(client.run(sent_bytes).values()) - before) / count

        @flow(task_runner=DaskTaskRunner(address=place.scheduler_address))
        def main() -> None:
            with distributed_on(here):
                made = ones.submit(count)
            made.wait()

            def twice() -> None:
                for _ in range(2):
                    with distributed_on(there):
                        used = first.submit(made)
                    used.result()

            noted("runner", twice)

        def bare(made: Any) -> None:
            for _ in range(2):
                client.submit(plain_sum, made, workers=[there], pure=False).result()

        for _ in range(3):  # by turns, as above; and whoever uses memory first has the machine find it
            alone = client.submit(plain_ones, count, workers=[here], pure=False)
            distributed.wait(alone)
            noted("bare", partial(bare, alone))
            del alone
            main()
    found["ratio"] = found["runner_seconds"] / found["bare_seconds"]
    return found


def distributed_on(worker: str) -> Any:
    """Have the tasks that are submitted within run on one worker."""
    import dask as library

    return library.annotate(workers=[worker], allow_other_workers=False)


if __name__ == "__main__":
    workloads = {"dask": dask, "ray": ray, "tasks": tasks, "many": many, "array": array, "trips": trips}
    measure = workloads[sys.argv[1]]
    print(json.dumps(measure(int(sys.argv[2]))))
