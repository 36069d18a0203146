"""`prefect agent`: what workers were called before there were several kinds."""

from __future__ import annotations

from prefect.cli.commands import Group
from prefect.cli.working import Limit, Name, Queues, Seconds, WorkPoolName, work
from prefect.store.queues import DEFAULT_POOL

__all__ = ["run"]

group = Group("agent")
run = group.run


@group.command("start")
def start(
    *,
    name: Name = None,
    pool: WorkPoolName = None,
    work_queue: Queues = None,
    prefetch_seconds: Seconds = None,
    run_once: bool = False,
    limit: Limit = None,
) -> None:
    """Carry out runs in processes of this machine, until Ctrl-C: `prefect worker start --type process`.

    Args:
        name: The agent's name.
        pool: The work pool; left out, that of queues that are named without one.
        work_queue: Only runs of this queue. Can be given several times.
        prefetch_seconds: How long before its time a run is started.
        run_once: Look once for runs, carry them out, and end.
        limit: How many runs are carried out at a time.
    """
    work(
        pool or DEFAULT_POOL,
        kind="process",
        run_once=run_once,
        work_queues=work_queue,
        name=name,
        prefetch_seconds=prefetch_seconds,
        limit=limit,
        # Nobody means to make a pool by a word that is misspelt; the default one is there when it is needed.
        create_pool_if_not_found=pool is None,
    )
