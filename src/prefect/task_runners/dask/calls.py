"""Asks all workers of a cluster to say that they have said all."""

from __future__ import annotations

import threading
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from prefect.task_runners.dask.worker import answer_call

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["call_all"]

_HEARING = 2.0
"""Seconds to wait for what workers have said already."""


def call_all(client: Client, topic: str, heard: threading.Semaphore) -> None:
    """Wait until what workers have said before has arrived, as far as they answer within two seconds.

    Args:
        client: Of the cluster.
        topic: Of the events by which they answer.
        heard: Released for each answer.
    """
    workers = len(client.nthreads())
    # In a thread, since a worker that is gone has Dask wait for half a minute.
    call = partial(client.run, answer_call, topic, on_error="ignore")
    try:
        threading.Thread(target=call, name="prefect-dask-call", daemon=True).start()
    except RuntimeError:
        return  # the system gives no more threads
    deadline = monotonic() + _HEARING
    for _ in range(workers):
        if not heard.acquire(timeout=max(0.0, deadline - monotonic())):
            break
