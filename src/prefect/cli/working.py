"""What the commands share that start workers."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import Annotated, Any

from prefect.cli.commands import Flag
from prefect.client.current import get_caller
from prefect.exceptions import CommandFailed, ObjectNotFound
from prefect.logging.configuration import ensure_logging_setup
from prefect.operations.work_pools import read_work_pool

__all__ = ["Limit", "Name", "Queues", "Seconds", "WorkPoolName", "work"]

Name = Annotated[str | None, Flag("-n", metavar="NAME")]
WorkPoolName = Annotated[str | None, Flag("-p", metavar="POOL")]
Queues = Annotated[list[str] | None, Flag("-q", metavar="QUEUE")]
Seconds = Annotated[int | None, Flag(metavar="SECONDS")]
Limit = Annotated[int | None, Flag("-l", metavar="N")]


def work(
    pool: str, *, kind: str | None, run_once: bool, with_healthcheck: bool = False, **options: Any
) -> None:
    """Have a worker carry out the runs of a work pool, until Ctrl-C.

    Args:
        pool: The pool.
        kind: What kind of worker; None: the one that the pool is for.
        run_once: Look once for runs, carry them out, and return.
        with_healthcheck: Whether to answer those who watch over the worker.
        options: Further arguments of the worker.

    Raises:
        prefect.exceptions.CommandFailed: There is no such kind of worker, or an option makes no sense.
    """
    # Here, since a worker loads much that the help of its command does without.
    from prefect.workers.process import ProcessWorker

    ensure_logging_setup()
    wanted = kind or _kind_of(pool)
    found = ProcessWorker.get_worker_class_from_type(wanted)
    if found is None:
        raise CommandFailed(
            f"There are no workers of type {wanted!r} here. "
            f"There are {', '.join(ProcessWorker.get_all_available_worker_types())}."
        )
    try:
        worker = found(pool, **options)
    except ValueError as error:
        raise CommandFailed(str(error)) from error
    asyncio.run(_until_told(worker, run_once, with_healthcheck))


def _kind_of(pool: str) -> str:
    try:
        found = get_caller().call(read_work_pool, pool)
    except ObjectNotFound:
        raise CommandFailed(
            f"There is no work pool {pool!r}. Give --type to make it: `--type process` runs flows here."
        ) from None
    # What agents used to serve is carried out in processes.
    return "process" if found.type == "prefect-agent" else found.type


async def _until_told(worker: Any, run_once: bool, with_healthcheck: bool) -> None:
    """Let a worker work; when this process is told to end, it ends what it carries out first."""
    task = asyncio.ensure_future(worker.start(run_once, with_healthcheck, printer=_tell))
    with suppress(NotImplementedError):  # Windows has Ctrl-C alone
        for sign in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(sign, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
        return
    _tell(f"Worker {worker.name!r} stopped.")


def _tell(text: str) -> None:
    print(text, flush=True)
