"""Why a flow run that is due has not started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from prefect.schemas.deployments import DeploymentResponse, DeploymentStatus
from prefect.schemas.objects import FlowRun
from prefect.schemas.states import StateType
from prefect.schemas.work_pools import WorkPool, WorkPoolStatus, WorkQueue, WorkQueueStatus

__all__ = ["Surroundings", "at_a_time", "why_waiting"]

_MOST_NAMES = 5
_WORKER_LABEL = "prefect.worker.name"


class Surroundings(NamedTuple):
    """What the start of a flow run depends on."""

    deployment: DeploymentResponse | None
    """None: it has none, or it was deleted."""
    pool: WorkPool | None
    queue: WorkQueue | None
    holders: Mapping[str, Sequence[str]]
    """The names of the runs that are under way, of the `deployment`, the `pool` and the `queue`."""


def why_waiting(run: FlowRun, around: Surroundings, at: datetime) -> list[str]:
    """Return what keeps a flow run from starting, the most telling first.

    Args:
        run: The run.
        around: What its start depends on.
        at: The current time.

    Returns:
        Sentences; none for a run that is not due yet, has started, or is about to be taken.
    """
    if run.state_type is StateType.PENDING:
        return _why_pending(run)
    due = run.next_scheduled_start_time
    if run.state_type is not StateType.SCHEDULED or due is None:
        return []
    # One that waits for a slot is put off again and again.
    found = _full_deployment(run, around)
    if due > at:
        return found
    return found + (_of_pool(around) if run.work_pool_name is not None else _of_deployment(run, around))


def _why_pending(run: FlowRun) -> list[str]:
    worker = run.labels.get(_WORKER_LABEL)
    who = f"Worker {worker!r}" if worker else "A worker or a runner"
    return [f"{who} has taken it, and its process has not begun it yet."]


def _full_deployment(run: FlowRun, around: Surroundings) -> list[str]:
    limit = around.deployment.global_concurrency_limit if around.deployment is not None else None
    if limit is None or not limit.active or limit.active_slots < limit.limit:
        if run.state_name != "AwaitingConcurrencySlot":
            return []
        return ["Its deployment had no slot free when it was taken; it is tried again when it is due."]
    return [_full("its deployment", limit.limit, around.holders.get("deployment", ()))]


def _of_pool(around: Surroundings) -> list[str]:
    pool, queue = around.pool, around.queue
    if pool is None:
        return ["Its work pool is gone: nobody looks for its runs."]
    found: list[str] = []
    if pool.is_paused or pool.status is WorkPoolStatus.PAUSED:
        found.append(f"Work pool {pool.name!r} is paused: prefect work-pool resume {pool.name!r}")
    elif pool.status is WorkPoolStatus.NOT_READY:
        found.append(
            f"No worker of work pool {pool.name!r} is there: prefect worker start --pool {pool.name!r}"
        )
    if _is_full(pool):
        found.append(
            _full(f"work pool {pool.name!r}", pool.concurrency_limit, around.holders.get("pool", ()))
        )
    if queue is None:
        return found
    if queue.is_paused or queue.status is WorkQueueStatus.PAUSED:
        command = f"prefect work-queue resume {queue.name!r} --pool {pool.name!r}"
        found.append(f"Work queue {queue.name!r} is paused: {command}")
    elif queue.status is WorkQueueStatus.NOT_READY and not found:
        found.append(f"No worker asks for the runs of work queue {queue.name!r}: they look at other queues.")
    if _is_full(queue):
        what = f"work queue {queue.name!r}"
        found.append(_full(what, queue.concurrency_limit, around.holders.get("queue", ())))
    return found


def _of_deployment(run: FlowRun, around: Surroundings) -> list[str]:
    deployment = around.deployment
    if deployment is None:
        what = "It has no deployment" if run.deployment_id is None else "Its deployment was deleted"
        return [f"{what}, and no work pool: nobody looks for it."]
    if deployment.status is DeploymentStatus.READY:
        return []
    return [f"Nobody serves deployment {deployment.name!r}: it has no work pool, so flow.serve() runs it."]


def _is_full(one: WorkPool | WorkQueue) -> bool:
    return one.concurrency_limit is not None and (one.active_slots or 0) >= one.concurrency_limit


def _full(what: str, limit: int | None, holders: Sequence[str]) -> str:
    names = ", ".join(map(repr, holders[:_MOST_NAMES]))
    more = len(holders) - _MOST_NAMES
    by = f": {names}{f' and {more} more' if more > 0 else ''}" if names else ""
    return f"{at_a_time(limit, what)}, and {'one is' if limit == 1 else 'as many are'}{by}."


def at_a_time(limit: int | None, what: str) -> str:
    """Say how many runs of something may be under way, without a full stop."""
    runs = "1 run" if limit == 1 else f"{limit} runs"
    return f"At most {runs} of {what} {'is' if limit == 1 else 'are'} under way at a time"
