"""The four task runners; what clusters they need is started once in a test process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from prefect.task_runners import DaskTaskRunner, ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

Make = Callable[[], TaskRunner]


@contextmanager
def _threads() -> Iterator[Make]:
    yield lambda: ThreadPoolTaskRunner(max_workers=8)


@contextmanager
def _processes() -> Iterator[Make]:
    yield lambda: ProcessPoolTaskRunner(max_workers=2)


@contextmanager
def _ray() -> Iterator[Make]:
    import ray

    from prefect.settings.telemetry import keep_ray_quiet
    from prefect.task_runners.ray import RayTaskRunner

    keep_ray_quiet()
    ray.init(num_cpus=2, include_dashboard=False, logging_level="error", log_to_driver=False)
    try:
        yield RayTaskRunner
    finally:
        ray.shutdown()


@contextmanager
def _dask() -> Iterator[Make]:
    import dask
    import distributed

    # On a machine under load a worker that was killed takes long to come back, and others may be silent.
    patient = dask.config.set(
        {"distributed.deploy.lost-worker-timeout": "5 minutes", "distributed.comm.timeouts.tcp": "5 minutes"}
    )
    with (
        patient,
        distributed.LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=":0") as cluster,
    ):
        yield lambda: DaskTaskRunner(cluster=cluster)


_KINDS = {"threads": _threads, "processes": _processes, "dask": _dask, "ray": _ray}


def _parameter(kind: str) -> Any:
    if kind == "threads":
        return kind
    # The tests of a cluster go to one process of pytest-xdist, so that it is started once.
    return pytest.param(kind, marks=[pytest.mark.processes, pytest.mark.xdist_group(kind)])


@pytest.fixture(scope="session", params=[_parameter(kind) for kind in _KINDS])
def kind(request: pytest.FixtureRequest) -> str:
    """Where tasks run: each test that asks is run with every task runner."""
    return request.param


@pytest.fixture(scope="session")
def make_runner(kind: str) -> Iterator[Make]:
    """Make a task runner, on a cluster that lasts."""
    with _KINDS[kind]() as make:
        yield make


@pytest.fixture
def runner(make_runner: Make) -> TaskRunner:
    """A task runner, for a flow."""
    return make_runner()
