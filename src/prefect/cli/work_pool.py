"""`prefect work-pool`: where runs go that workers carry out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import UNSET

from prefect.cli.commands import Flag, Group
from prefect.cli.listing import read_all
from prefect.cli.log_lines import Output
from prefect.cli.moments import ago
from prefect.cli.output import confirm, print_facts, print_json, print_table
from prefect.cli.pools import Hours, PoolName, parse_number, print_due, print_slots, read_template
from prefect.client.base import Caller
from prefect.client.current import get_caller
from prefect.exceptions import CommandFailed, ObjectAlreadyExists, ObjectNotFound
from prefect.operations.collections import WORKERS, read_view
from prefect.operations.work_pools import (
    WorkPoolPage,
    create_work_pool,
    delete_work_pool,
    get_scheduled_flow_runs,
    read_work_pool,
    read_work_pool_concurrency_status,
    read_work_pools,
    update_work_pool,
)
from prefect.rules.job_templates import PROCESS_TEMPLATE
from prefect.rules.waiting import at_a_time
from prefect.schemas.work_pools import WorkPool, WorkPoolCreate, WorkPoolUpdate
from prefect.settings.profiles import update_current_profile
from prefect.types import now

__all__ = ["run"]

group = Group("work-pool")
run = group.run

Type = Annotated[str | None, Flag("-t", metavar="TYPE")]
Template = Annotated[str | None, Flag(metavar="PATH")]


@group.command("create")
def create(
    name: PoolName,
    *,
    base_job_template: Template = None,
    paused: bool = False,
    type: Type = None,
    set_as_default: bool = False,
    overwrite: bool = False,
) -> None:
    """Make a work pool.

    Args:
        name: The pool's name.
        base_job_template: A JSON file with what its jobs are made from; left out, as of others.
        paused: Whether it is paused at first.
        type: What kind of workers carry out its runs, such as process.
        set_as_default: Let deployments that name no pool go here.
        overwrite: Change the pool of that name, if there is one.
    """
    client = get_caller()
    had = _find(client, name)
    if had is not None and not overwrite:
        raise CommandFailed(f"There is a work pool {name!r} already. --overwrite changes it.")
    kind = type or (had.type if had else None)
    if had is not None and kind != had.type:
        raise CommandFailed(f"Work pool {name!r} is of type {had.type!r}, which cannot be changed.")
    if kind is None:
        raise CommandFailed(f"Give --type: {', '.join(sorted(_templates(client)))}.")
    template = read_template(base_job_template) if base_job_template else _template(client, kind)
    _checked(lambda: _store(client, had, name, kind, template, paused))
    if set_as_default:
        update_current_profile({"PREFECT_DEFAULT_WORK_POOL_NAME": name})
    print(f"{'Changed' if had else 'Made'} work pool {name!r}.")
    print(f"`prefect worker start --pool {name}` starts a worker for it.")


def _store(
    client: Caller, had: WorkPool | None, name: str, kind: str, template: dict[str, Any], paused: bool
) -> None:
    if had is not None:
        client.call(update_work_pool, name, WorkPoolUpdate(base_job_template=template, is_paused=paused))
        return
    wanted = WorkPoolCreate(name=name, type=kind, base_job_template=template, is_paused=paused)
    client.call(create_work_pool, wanted)


def _checked(change: Any) -> None:
    """Make a change, and say what is wrong with what it is made of."""
    try:
        change()
    except (ValueError, ObjectAlreadyExists) as error:
        raise CommandFailed(str(error)) from error


def _templates(client: Caller) -> dict[str, dict[str, Any]]:
    """Return the job template of each type of pools."""
    found = client.call(read_view, WORKERS)
    templates = {
        kind: about.get("default_base_job_configuration") or {}
        for kinds in found.values()
        for kind, about in kinds.items()
    }
    # Of a server of Prefect, it lacks what only workers of ours can do; its own pass that over.
    return templates | {"process": dict(PROCESS_TEMPLATE)}


def _template(client: Caller, kind: str) -> dict[str, Any]:
    templates = _templates(client)
    if kind not in templates:
        raise CommandFailed(
            f"There is no type {kind!r} of work pools. There are {', '.join(sorted(templates))}."
        )
    return dict(templates[kind])


@group.command("ls")
def ls(*, verbose: Annotated[bool, Flag("-v")] = False, output: Output = None) -> None:
    """List work pools.

    Args:
        verbose: Say more.
        output: Print for programs.
    """
    client = get_caller()
    found = read_all(
        lambda limit, offset: client.call(read_work_pools, WorkPoolPage(limit=limit, offset=offset))
    )
    if output:
        print_json(found)
        return
    columns = ["Name", "Type", "ID", "Limit", "Status"]
    rows = [[each.name, each.type, str(each.id), _limit(each), _status(each)] for each in found]
    if verbose:
        columns += ["Updated", "Description"]
        rows = [
            [*row, ago(each.updated), each.description or ""] for row, each in zip(rows, found, strict=True)
        ]
    print_table("Work pools", columns, rows)


def _limit(pool: WorkPool) -> str:
    return "none" if pool.concurrency_limit is None else str(pool.concurrency_limit)


def _status(pool: WorkPool) -> str:
    return "paused" if pool.is_paused else (pool.status or "").replace("_", " ").lower()


@group.command("inspect")
def inspect(name: PoolName, *, output: Output = None) -> None:
    """Show a work pool.

    Args:
        name: The pool.
        output: Print for programs.
    """
    pool = _read(get_caller(), name)
    if output:
        print_json(pool)
        return
    variables = (pool.base_job_template.get("variables") or {}).get("properties") or {}
    print_facts(
        {
            "Name": pool.name,
            "ID": pool.id,
            "Type": pool.type,
            "Description": pool.description,
            "Status": _status(pool),
            "Runs at a time": _limit(pool),
            "Under way": None if pool.active_slots is None else str(pool.active_slots),
            "Variables of jobs": ", ".join(variables),
            "Created": ago(pool.created),
            "Updated": ago(pool.updated),
        }
    )


@group.command("update")
def update(
    name: PoolName,
    *,
    base_job_template: Template = None,
    concurrency_limit: Annotated[int | None, Flag(metavar="N")] = None,
    description: str | None = None,
) -> None:
    """Change a work pool; what is left out stays.

    Args:
        name: The pool.
        base_job_template: A JSON file with what its jobs are made from.
        concurrency_limit: How many of its runs may be under way at a time.
        description: What it is for.
    """
    given = (base_job_template, concurrency_limit, description)
    if all(each is None for each in given):
        raise CommandFailed("What is to change? See `prefect work-pool update --help`.")
    template = UNSET if base_job_template is None else read_template(base_job_template)
    _checked(
        lambda: _update(
            name,
            WorkPoolUpdate(
                base_job_template=template,
                concurrency_limit=UNSET if concurrency_limit is None else concurrency_limit,
                description=UNSET if description is None else description,
            ),
        )
    )
    print(f"Work pool {name!r} is changed.")


@group.command("pause")
def pause(name: PoolName) -> None:
    """Have nobody given the runs of a work pool.

    Args:
        name: The pool.
    """
    _update(name, WorkPoolUpdate(is_paused=True))
    print(f"Work pool {name!r} is paused.")


@group.command("resume")
def resume(name: PoolName) -> None:
    """Let the runs of a work pool be started again.

    Args:
        name: The pool.
    """
    _update(name, WorkPoolUpdate(is_paused=False))
    print(f"Work pool {name!r} goes on.")


@group.command("set-concurrency-limit")
def set_concurrency_limit(name: PoolName, limit: Annotated[str, Flag(metavar="LIMIT")]) -> None:
    """Limit how many runs of a work pool are under way at a time.

    Args:
        name: The pool.
        limit: How many.
    """
    number = parse_number(limit)
    _checked(lambda: _update(name, WorkPoolUpdate(concurrency_limit=number)))
    print(f"{at_a_time(number, f'work pool {name!r}')} now.")


@group.command("clear-concurrency-limit")
def clear_concurrency_limit(name: PoolName) -> None:
    """Let any number of a work pool's runs be under way at a time.

    Args:
        name: The pool.
    """
    _update(name, WorkPoolUpdate(concurrency_limit=None))
    print(f"Work pool {name!r} has no limit now.")


@group.command("slots")
def slots(name: PoolName, *, output: Output = None) -> None:
    """Show which runs hold the slots of a work pool: those that are under way.

    Args:
        name: The pool.
        output: Print for programs.
    """
    client = get_caller()
    _read(client, name)
    found = client.call(read_work_pool_concurrency_status, name)
    if output:
        print_json(found)
        return
    holders = [(queue.queue_name, run) for queue in found.queues for run in queue.flow_runs]
    print_slots(f"Work pool {name!r}", found.active_slots, found.concurrency_limit, holders)


@group.command("preview")
def preview(
    name: Annotated[str | None, Flag(metavar="POOL")] = None, *, hours: Hours = 1, output: Output = None
) -> None:
    """List the runs of a work pool that are due soon.

    Args:
        name: The pool.
        hours: How far to look ahead.
        output: Print for programs.
    """
    if name is None:
        raise CommandFailed("Which work pool? `prefect work-pool ls` lists them.")
    client = get_caller()
    _read(client, name)
    until = now() + timedelta(hours=hours)
    found = client.call(get_scheduled_flow_runs, name, scheduled_before=until)
    if output:
        print_json(found)
        return
    print_due(f"Runs of work pool {name!r}", [each.flow_run for each in found])


@group.command("get-default-base-job-template")
def get_default_base_job_template(
    *, type: Type = None, file: Annotated[str | None, Flag("-f", metavar="PATH")] = None
) -> None:
    """Show what the jobs of a type of work pools are made from, where a pool does not say.

    Args:
        type: The type, such as process.
        file: Write it there, in place of printing it.
    """
    client = get_caller()
    if type is None:
        raise CommandFailed(f"Give --type: {', '.join(sorted(_templates(client)))}.")
    template = _template(client, type)
    if file is None:
        print_json(template)
        return
    Path(file).write_bytes(msgspec.json.format(msgspec.json.encode(template), indent=2))
    print(f"Wrote the job template of type {type!r} to {file}.")


@group.command("delete")
def delete(name: PoolName, *, yes: Annotated[bool, Flag("-y")] = False) -> None:
    """Delete a work pool with its queues; runs that wait in it wait for nobody then.

    Args:
        name: The pool.
        yes: Do not ask.
    """
    client = get_caller()
    _read(client, name)
    confirm(f"Delete work pool {name!r}?", yes=yes)
    client.call(delete_work_pool, name)
    print(f"Deleted work pool {name!r}.")


def _find(client: Caller, name: str) -> WorkPool | None:
    try:
        return client.call(read_work_pool, name)
    except ObjectNotFound:
        return None


def _read(client: Caller, name: str) -> WorkPool:
    found = _find(client, name)
    if found is None:
        raise CommandFailed(
            f"There is no work pool {name!r}. `prefect work-pool ls` lists those that are there."
        )
    return found


def _update(name: str, changes: WorkPoolUpdate) -> None:
    client = get_caller()
    _read(client, name)
    client.call(update_work_pool, name, changes)
