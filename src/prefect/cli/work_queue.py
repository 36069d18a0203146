"""`prefect work-queue`: the lines that runs of a work pool wait in."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from prefect.cli.commands import Flag, Group
from prefect.cli.listing import read_all
from prefect.cli.log_lines import Output
from prefect.cli.moments import ago
from prefect.cli.output import confirm, print_facts, print_json, print_table
from prefect.cli.pools import Hours, Pool, parse_number, print_due, print_slots
from prefect.cli.selecting import whole_id
from prefect.client.base import Caller
from prefect.client.current import get_caller
from prefect.exceptions import CommandFailed, ObjectAlreadyExists, ObjectNotFound
from prefect.operations.work_queues import (
    WorkQueuePage,
    create_work_queue,
    create_work_queue_in_pool,
    delete_work_queue,
    read_work_queue,
    read_work_queue_by_name,
    read_work_queue_concurrency_status,
    read_work_queue_in_pool,
    read_work_queue_runs,
    read_work_queues,
    read_work_queues_in_pool,
    update_work_queue,
)
from prefect.rules.waiting import at_a_time
from prefect.schemas.filters import WorkQueueFilter, WorkQueueFilterName
from prefect.schemas.work_pools import WorkQueue, WorkQueueCreate, WorkQueueUpdate
from prefect.types import now

__all__ = ["run"]

group = Group("work-queue")
run = group.run

QueueName = Annotated[str, Flag(metavar="QUEUE")]
_SOON = timedelta(seconds=10)


@group.command("create")
def create(
    name: QueueName,
    *,
    limit: Annotated[int | None, Flag("-l", metavar="N")] = None,
    pool: Pool = None,
    priority: Annotated[int | None, Flag("-q", metavar="N")] = None,
) -> None:
    """Make a work queue.

    Args:
        name: The queue's name.
        limit: How many of its runs may be under way at a time.
        pool: The work pool that it is in; left out, that of queues that are named without one.
        priority: Its place among the pool's queues; 1 comes first.
    """
    client = get_caller()
    try:
        wanted = WorkQueueCreate(name=name, concurrency_limit=limit, priority=priority)
        made = (
            client.call(create_work_queue, wanted)
            if pool is None
            else client.call(create_work_queue_in_pool, pool, wanted)
        )
    except (ValueError, ObjectAlreadyExists) as error:
        raise CommandFailed(str(error)) from error
    except ObjectNotFound as error:
        raise _no_pool(pool) from error
    print(f"Made work queue {made.name!r} in work pool {made.work_pool_name!r}.")


@group.command("ls")
def ls(
    *,
    verbose: Annotated[bool, Flag("-v")] = False,
    match: Annotated[str | None, Flag("-m", metavar="PREFIX")] = None,
    pool: Pool = None,
    output: Output = None,
) -> None:
    """List work queues.

    Args:
        verbose: Say more.
        match: Only those whose names start so.
        pool: Only those of this work pool.
        output: Print for programs.
    """
    client = get_caller()
    chosen = WorkQueueFilter(name=WorkQueueFilterName(startswith_=[match])) if match else None

    def page(limit: int, offset: int) -> list[WorkQueue]:
        query = WorkQueuePage(work_queues=chosen, limit=limit, offset=offset)
        if pool is None:
            return client.call(read_work_queues, query)
        return client.call(read_work_queues_in_pool, pool, query)

    try:
        found = read_all(page)
    except ObjectNotFound as error:
        raise _no_pool(pool) from error
    if output:
        print_json(found)
        return
    columns = ["Name", "Pool", "Priority", "ID", "Limit", "Status"]
    rows = [
        [each.name, each.work_pool_name or "", str(each.priority), str(each.id), _limit(each), _status(each)]
        for each in found
    ]
    if verbose:
        columns += ["Last asked", "Description"]
        rows = [
            [*row, ago(each.last_polled), each.description or ""]
            for row, each in zip(rows, found, strict=True)
        ]
    print_table("Work queues", columns, rows)


def _limit(queue: WorkQueue) -> str:
    return "none" if queue.concurrency_limit is None else str(queue.concurrency_limit)


def _status(queue: WorkQueue) -> str:
    return "paused" if queue.is_paused else (queue.status or "").replace("_", " ").lower()


@group.command("inspect")
def inspect(name: QueueName, *, pool: Pool = None, output: Output = None) -> None:
    """Show a work queue.

    Args:
        name: The queue's name, or its id.
        pool: The work pool that it is in.
        output: Print for programs.
    """
    found = _find(get_caller(), name, pool)
    if output:
        print_json(found)
        return
    print_facts(
        {
            "Name": found.name,
            "ID": found.id,
            "Pool": found.work_pool_name,
            "Description": found.description,
            "Status": _status(found),
            "Priority": str(found.priority),
            "Runs at a time": _limit(found),
            "Under way": None if found.active_slots is None else str(found.active_slots),
            "Last asked for runs": ago(found.last_polled),
            "Created": ago(found.created),
            "Updated": ago(found.updated),
        }
    )


@group.command("pause")
def pause(name: QueueName, *, pool: Pool = None, yes: Annotated[bool, Flag("-y")] = False) -> None:
    """Have nobody given the runs of a work queue.

    Args:
        name: The queue's name, or its id.
        pool: The work pool that it is in.
        yes: Do not ask.
    """
    client = get_caller()
    found = _find(client, name, pool)
    if pool is None:
        confirm(f"Pause work queue {found.name!r} of work pool {found.work_pool_name!r}?", yes=yes)
    client.call(update_work_queue, found.id, WorkQueueUpdate(is_paused=True))
    print(f"Work queue {found.name!r} is paused.")


@group.command("resume")
def resume(name: QueueName, *, pool: Pool = None) -> None:
    """Let the runs of a work queue be started again.

    Args:
        name: The queue's name, or its id.
        pool: The work pool that it is in.
    """
    client = get_caller()
    found = _find(client, name, pool)
    client.call(update_work_queue, found.id, WorkQueueUpdate(is_paused=False))
    print(f"Work queue {found.name!r} goes on.")


@group.command("set-concurrency-limit")
def set_concurrency_limit(
    name: QueueName, limit: Annotated[str, Flag(metavar="LIMIT")], *, pool: Pool = None
) -> None:
    """Limit how many runs of a work queue are under way at a time.

    Args:
        name: The queue's name, or its id.
        limit: How many.
        pool: The work pool that it is in.
    """
    client, number = get_caller(), parse_number(limit)
    found = _find(client, name, pool)
    try:
        client.call(update_work_queue, found.id, WorkQueueUpdate(concurrency_limit=number))
    except ValueError as error:
        raise CommandFailed(str(error)) from error
    print(f"{at_a_time(number, f'work queue {found.name!r}')} now.")


@group.command("clear-concurrency-limit")
def clear_concurrency_limit(name: QueueName, *, pool: Pool = None) -> None:
    """Let any number of a work queue's runs be under way at a time.

    Args:
        name: The queue's name, or its id.
        pool: The work pool that it is in.
    """
    client = get_caller()
    found = _find(client, name, pool)
    client.call(update_work_queue, found.id, WorkQueueUpdate(concurrency_limit=None))
    print(f"Work queue {found.name!r} has no limit now.")


@group.command("preview")
def preview(name: QueueName, *, hours: Hours = 1, pool: Pool = None, output: Output = None) -> None:
    """List the runs of a work queue that are due soon.

    Args:
        name: The queue's name, or its id.
        hours: How far to look ahead.
        pool: The work pool that it is in.
        output: Print for programs.
    """
    _print_runs(name, pool, timedelta(hours=hours), output)


@group.command("read-runs")
def read_runs(name: QueueName, *, pool: Pool = None, output: Output = None) -> None:
    """List the runs of a work queue that are due.

    Args:
        name: The queue's name, or its id.
        pool: The work pool that it is in.
        output: Print for programs.
    """
    _print_runs(name, pool, _SOON, output)


def _print_runs(name: str, pool: str | None, ahead: timedelta, output: Output) -> None:
    client = get_caller()
    found = _find(client, name, pool)
    runs = client.call(read_work_queue_runs, found.id, scheduled_before=now() + ahead)
    if output:
        print_json(runs)
        return
    print_due(f"Runs of work queue {found.name!r}", runs)


@group.command("delete")
def delete(name: QueueName, *, pool: Pool = None, yes: Annotated[bool, Flag("-y")] = False) -> None:
    """Delete a work queue.

    Args:
        name: The queue's name, or its id.
        pool: The work pool that it is in.
        yes: Do not ask.
    """
    client = get_caller()
    found = _find(client, name, pool)
    confirm(f"Delete work queue {found.name!r} of work pool {found.work_pool_name!r}?", yes=yes)
    client.call(delete_work_queue, found.id)
    print(f"Deleted work queue {found.name!r}.")


@group.command("slots")
def slots(name: QueueName, *, pool: Pool = None, output: Output = None) -> None:
    """Show which runs hold the slots of a work queue: those that are under way.

    Args:
        name: The queue, or its id.
        pool: The work pool that it is in.
        output: Print for programs.
    """
    client = get_caller()
    queue = _find(client, name, pool)
    found = client.call(read_work_queue_concurrency_status, queue.id)
    if output:
        print_json(found)
        return
    holders = [(queue.name, run) for run in found.flow_runs]
    print_slots(f"Work queue {queue.name!r}", found.active_slots, found.concurrency_limit, holders)


def _find(client: Caller, name: str, pool: str | None) -> WorkQueue:
    try:
        if (queue_id := whole_id(name)) is not None:
            return client.call(read_work_queue, queue_id)
        if pool is None:
            return client.call(read_work_queue_by_name, name)
        return client.call(read_work_queue_in_pool, pool, name)
    except ObjectNotFound as error:
        where = f" in work pool {pool!r}" if pool is not None else ""
        raise CommandFailed(
            f"There is no work queue {name!r}{where}. `prefect work-queue ls` lists those that are there."
        ) from error


def _no_pool(pool: str | None) -> CommandFailed:
    return CommandFailed(
        f"There is no work pool {pool!r}. `prefect work-pool ls` lists those that are there."
    )
