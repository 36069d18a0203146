"""What runs on the workers, and the scheduler, of a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import distributed
from distributed.diagnostics.plugin import SchedulerPlugin
from distributed.utils import sync

from prefect.task_runners.dask.places import holding_place
from prefect.task_runners.dask.sent import LOST, MARK, SHARED
from prefect.task_runners.remote import Outcome, run_parcel

__all__ = ["RunOnce", "answer_call", "run_on_worker"]


def run_on_worker(topic: str, run_id: bytes, parcel: bytes, *upstream: Any) -> Outcome:
    """Run a task on a worker; its answer goes by way of the scheduler, and its outcome stays.

    Args:
        topic: Of the events that the runner listens to.
        run_id: The run.
        parcel: From `pack`.
        *upstream: What stands behind its handles.
    """
    worker: Any = distributed.get_worker()

    def send(message: bytes) -> None:
        worker.log_event(topic, (run_id, message, worker.address))

    with holding_place():
        answer, outcome = run_parcel(parcel, partial(_find_shared, worker), upstream, send)
    herald = worker.plugins.get(Herald.name)
    if herald is None:
        worker.loop.add_callback(_have_herald, worker)
        send(answer)
    else:
        herald.answers[worker.get_current_task()] = topic, (run_id, answer, worker.address)
    return outcome


async def _have_herald(worker: Any) -> None:
    if Herald.name not in worker.plugins:
        await worker.plugin_add(Herald(), name=Herald.name)


class Herald(distributed.WorkerPlugin):  # type: ignore[misc]  # Dask has no types
    """Tells the answers of runs together with Dask's own message that their tasks have finished.

    Apart they would be a message more to the scheduler, and one more from there, which take half as long
    again as all that Dask does for a small task.
    """

    name = "prefect-answers"

    def __init__(self) -> None:
        self.answers: dict[Any, tuple[str, tuple[bytes, bytes, str]]] = {}
        """What is to be told of the tasks that are about to finish."""

    def setup(self, worker: Any) -> None:
        """Take note of the worker."""
        self._worker = worker

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """Tell the answer of a task; Dask calls this just before it tells of what has become of it."""
        answer = self.answers.pop(key, None)
        if answer is not None:
            self._worker.log_event(*answer)


def answer_call(topic: str, dask_worker: Any = None) -> None:
    """Say on a worker that all it has said before is on its way: what it says arrives in order.

    Args:
        topic: Of the events that the runner listens to.
        dask_worker: The worker, which Dask gives to an argument of this name.
    """
    dask_worker.log_event(topic, (b"", b"", dask_worker.address))


def _find_shared(worker: Any, key: str) -> bytes:
    ask: Callable[..., Any] = worker.scheduler.get_metadata
    content: bytes = sync(worker.loop, ask, keys=[SHARED, key])
    return content


class RunOnce(SchedulerPlugin):  # type: ignore[misc]
    """Has the runner decide what happens to tasks whose worker was lost, and hear of it.

    Dask would run each up to three times more, whatever the task does, and whether it has retries or not.
    """

    name = "prefect"
    idempotent = True

    def update_graph(self, scheduler: Any, *, tasks: list[Any], **_: Any) -> None:
        """Take new tasks to be in danger already, so that the next loss is the last."""
        for key in tasks:
            if isinstance(key, str) and MARK in key:
                scheduler.tasks[key].suspicious = scheduler.allowed_failures

    def remove_worker(self, scheduler: Any, worker: str, **_: Any) -> None:
        """Say which worker has left."""
        scheduler.log_event(LOST, worker)
