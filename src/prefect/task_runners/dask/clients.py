"""Clients of the cluster that the code here runs on: for Dask's own collections, in flows and tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from prefect.context.runs import FlowRunContext
from prefect.task_runners.dask.runner import DaskTaskRunner

if TYPE_CHECKING:
    from datetime import timedelta

    from distributed import Client

__all__ = ["get_async_dask_client", "get_dask_client"]


@contextmanager
def get_dask_client(
    timeout: int | float | str | timedelta | None = None, **client_kwargs: Any
) -> Generator[Client, None, None]:
    """Connect to the Dask cluster of the flow or task here, for a `with` block.

    In it, Dask's collections (`dask.dataframe`, `dask.delayed`) compute on the cluster. In a task, the thread
    of the worker is free for others meanwhile, so a cluster of one thread does not wait for itself. After the
    block the task waits until there is a thread for it again.

    Args:
        timeout: How long to wait for the scheduler.
        **client_kwargs: Further arguments of `distributed.Client`.

    Yields:
        The client. Outside of runs on Dask it has a cluster of its own.
    """
    from distributed import Client  # noqa: PLC0415 - an optional extra

    place = _place()
    with (
        nullcontext() if place is None else place.given_up(),
        Client(**_arguments(timeout, client_kwargs)) as client,
        client.as_current(),
    ):
        yield client


@asynccontextmanager
async def get_async_dask_client(
    timeout: int | float | str | timedelta | None = None,  # noqa: ASYNC109 - the interface's own
    **client_kwargs: Any,
) -> AsyncGenerator[Client, None]:
    """Connect to the Dask cluster of the flow or task here, for an `async with` block.

    Args:
        timeout: How long to wait for the scheduler.
        **client_kwargs: Further arguments of `distributed.Client`.

    Yields:
        The client, whose methods are awaited.
    """
    from distributed import Client  # noqa: PLC0415 - an optional extra

    arguments = {**_arguments(timeout, client_kwargs), "asynchronous": True}
    place = _place()
    if place is not None:
        place.give_up()
    try:
        async with Client(**arguments) as client:
            with client.as_current():
                yield client
    finally:
        if place is not None:
            # In a thread: it may take long until there is a place, and other tasks of the loop go on.
            await asyncio.to_thread(place.take_back)


def _arguments(timeout: Any, given: dict[str, Any]) -> dict[str, Any]:
    arguments = {"set_as_default": False, **given}
    if timeout is not None:
        arguments["timeout"] = timeout
    # Another scheduler that the user names may have other certificates.
    return arguments if "address" in given else {**_ways(), **arguments}


def _ways() -> dict[str, Any]:
    """Return how to reach the scheduler that the code here belongs to."""
    worker = _worker()
    if worker is not None:
        return {"address": worker.scheduler.address, "security": worker.security}
    flow = FlowRunContext.get()
    runner = flow.task_runner if flow is not None else None
    if not isinstance(runner, DaskTaskRunner) or runner.client.scheduler is None:
        return {}
    client = runner.client
    return {**runner.client_kwargs, "address": client.scheduler.address, "security": client.security}


def _worker() -> Any:
    from distributed import get_worker  # noqa: PLC0415 - an optional extra

    try:
        return get_worker()
    except ValueError:  # not on a worker
        return None


def _place() -> Any:
    """Return the place that the task here holds on a worker."""
    if _worker() is None:
        return None
    from prefect.task_runners.dask.places import held_place  # noqa: PLC0415 - an optional extra

    return held_place.get()
