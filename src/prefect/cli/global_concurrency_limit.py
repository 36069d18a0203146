"""`prefect global-concurrency-limit`: how much is done at once, and how often."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import UNSET

from prefect.cli.commands import Flag, Group
from prefect.cli.log_lines import Output
from prefect.cli.moments import ago
from prefect.cli.output import confirm, print_facts, print_json, print_table
from prefect.client.current import get_caller
from prefect.exceptions import CommandFailed, ObjectNotFound
from prefect.operations.concurrency import (
    create_global_limit,
    delete_global_limit,
    read_global_limit,
    read_global_limits,
    update_global_limit,
)
from prefect.schemas.base import encode_json
from prefect.schemas.concurrency import (
    GlobalConcurrencyLimitCreate,
    GlobalConcurrencyLimitResponse,
    GlobalConcurrencyLimitUpdate,
)

__all__ = ["run"]

group = Group("global-concurrency-limit")
run = group.run

Name = Annotated[str, Flag(metavar="NAME")]
PerSecond = Annotated[float | None, Flag(parse=float, metavar="N")]
_PAGE = 200


@group.command("ls")
def ls(*, output: Output = None) -> None:
    """List limits by name.

    Args:
        output: Print for programs.
    """
    found: list[GlobalConcurrencyLimitResponse] = []
    while len(page := get_caller().call(read_global_limits, limit=_PAGE, offset=len(found))) == _PAGE:
        found += page
    found += page
    if output:
        print_json(found)
        return
    print_table(
        "Concurrency limits",
        ["Name", "Active", "Limit", "Active slots", "Slot decay per second", "Updated"],
        [
            [
                each.name,
                "yes" if each.active else "no",
                str(each.limit),
                str(each.active_slots),
                f"{each.slot_decay_per_second:g}",
                ago(each.updated),
            ]
            for each in found
        ],
    )


@group.command("inspect")
def inspect(
    name: Name, *, output: Output = None, file: Annotated[str | None, Flag("-f", metavar="PATH")] = None
) -> None:
    """Show a limit.

    Args:
        name: The limit.
        output: Print for programs.
        file: Write it there as JSON, too.
    """
    found = _read(name)
    if file is not None:
        Path(file).write_bytes(encode_json(found))
    if output:
        print_json(found)
        return
    print_facts(
        {
            "Name": found.name,
            "ID": str(found.id),
            "Active": "yes" if found.active else "no",
            "Limit": str(found.limit),
            "Active slots": str(found.active_slots),
            "Slot decay per second": f"{found.slot_decay_per_second:g}",
            "Created": ago(found.created),
            "Updated": ago(found.updated),
        }
    )


@group.command("create")
def create(
    name: Name,
    *,
    limit: Annotated[int | None, Flag("-l", metavar="N")] = None,
    disable: bool = False,
    active_slots: Annotated[int, Flag(metavar="N")] = 0,
    slot_decay_per_second: PerSecond = 0.0,
) -> None:
    """Make a limit.

    Args:
        name: Its name.
        limit: How many slots it has.
        disable: Let it limit nothing yet.
        active_slots: How many slots are taken already.
        slot_decay_per_second: How many slots come back by themselves in each second; more than 0 limits
            rates.
    """
    if limit is None or limit < 0:
        raise CommandFailed("A limit needs a number of slots: --limit N.")
    try:
        wanted = GlobalConcurrencyLimitCreate(
            name=name,
            limit=limit,
            active=not disable,
            active_slots=active_slots,
            slot_decay_per_second=slot_decay_per_second,
        )
    except ValueError as error:
        raise CommandFailed(str(error)) from error
    get_caller().call(create_global_limit, wanted)
    print(f"There is now a limit {name!r} of {limit}.")


@group.command("update")
def update(
    name: Name,
    *,
    enable: bool = False,
    disable: bool = False,
    limit: Annotated[int | None, Flag("-l", metavar="N")] = None,
    active_slots: Annotated[int | None, Flag(metavar="N")] = None,
    slot_decay_per_second: PerSecond = None,
) -> None:
    """Change a limit.

    Args:
        name: The limit.
        enable: Let it limit.
        disable: Let it limit nothing.
        limit: How many slots it has from now on.
        active_slots: How many slots count as taken; fewer than are held takes them away from who holds them.
        slot_decay_per_second: How many slots come back by themselves in each second.
    """
    if enable and disable:
        raise CommandFailed("A limit cannot be enabled and disabled at once.")
    changes = GlobalConcurrencyLimitUpdate(
        active=enable if enable or disable else UNSET,
        limit=UNSET if limit is None else limit,
        active_slots=UNSET if active_slots is None else active_slots,
        slot_decay_per_second=UNSET if slot_decay_per_second is None else slot_decay_per_second,
    )
    if changes == GlobalConcurrencyLimitUpdate():
        raise CommandFailed("Nothing to change was given.")
    _update(name, changes)
    print(f"Limit {name!r} is changed.")


@group.command("enable")
def enable(name: Name) -> None:
    """Let a limit limit.

    Args:
        name: The limit.
    """
    if _read(name).active:
        raise CommandFailed(f"Limit {name!r} is enabled already.")
    _update(name, GlobalConcurrencyLimitUpdate(active=True))
    print(f"Limit {name!r} is enabled.")


@group.command("disable")
def disable(name: Name) -> None:
    """Let a limit limit nothing.

    Args:
        name: The limit.
    """
    if not _read(name).active:
        raise CommandFailed(f"Limit {name!r} is disabled already.")
    _update(name, GlobalConcurrencyLimitUpdate(active=False))
    print(f"Limit {name!r} is disabled.")


@group.command("delete")
def delete(name: Name, *, yes: Annotated[bool, Flag("-y")] = False) -> None:
    """Delete a limit; whoever holds slots of it goes on.

    Args:
        name: The limit.
        yes: Do not ask.
    """
    found = _read(name)
    confirm(f"Delete the limit {found.name!r}?", yes=yes)
    get_caller().call(delete_global_limit, name)
    print(f"Limit {name!r} is deleted.")


def _read(name: str) -> GlobalConcurrencyLimitResponse:
    try:
        return get_caller().call(read_global_limit, name)
    except ObjectNotFound as error:
        raise _not_there(name) from error


def _update(name: str, changes: GlobalConcurrencyLimitUpdate) -> None:
    try:
        get_caller().call(update_global_limit, name, changes)
    except ObjectNotFound as error:
        raise _not_there(name) from error


def _not_there(name: str) -> CommandFailed:
    return CommandFailed(f"There is no limit {name!r}. `prefect gcl ls` lists those that are there.")
