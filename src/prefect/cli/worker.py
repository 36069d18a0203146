"""`prefect worker`: carry out the runs of a work pool."""

from __future__ import annotations

from typing import Annotated, Literal

from prefect.cli.commands import Flag, Group
from prefect.cli.pools import read_template
from prefect.cli.working import Limit, Name, Queues, Seconds, WorkPoolName, work
from prefect.exceptions import CommandFailed

__all__ = ["run"]

group = Group("worker")
run = group.run


@group.command("start")
def start(  # noqa: PLR0913 - as many options as the interface has
    *,
    name: Name = None,
    pool: WorkPoolName = None,
    work_queue: Queues = None,
    type: Annotated[str | None, Flag("-t", metavar="TYPE")] = None,
    prefetch_seconds: Seconds = None,
    run_once: bool = False,
    limit: Limit = None,
    with_healthcheck: bool = False,
    install_policy: Literal["always", "if-not-present", "never", "prompt"] = "prompt",
    base_job_template: Annotated[str | None, Flag(metavar="PATH")] = None,
    create_pool_if_not_found: bool = True,
) -> None:
    """Carry out the runs of a work pool, until Ctrl-C.

    Args:
        name: The worker's name.
        pool: The work pool.
        work_queue: Only runs of this queue. Can be given several times.
        type: What kind of worker; left out, the one that the pool is for.
        prefetch_seconds: How long before its time a run is started.
        run_once: Look once for runs, carry them out, and end.
        limit: How many runs are carried out at a time.
        with_healthcheck: Answer GET /health, at PREFECT_WORKER_WEBSERVER_HOST and _PORT.
        install_policy: Accepted: nothing is installed unasked. An error names the package that is missing.
        base_job_template: A JSON file with what the jobs of a pool that is made are made from.
        create_pool_if_not_found: Whether a pool that is not there is made.
    """
    if pool is None:
        raise CommandFailed("Which work pool? Give --pool.")
    template = read_template(base_job_template) if base_job_template else None
    work(
        pool,
        kind=type,
        run_once=run_once,
        with_healthcheck=with_healthcheck,
        work_queues=work_queue,
        name=name,
        prefetch_seconds=prefetch_seconds,
        create_pool_if_not_found=create_pool_if_not_found,
        limit=limit,
        base_job_template=template,
    )
