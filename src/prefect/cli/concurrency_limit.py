"""`prefect concurrency-limit`: how many tasks with a tag run at once."""

from __future__ import annotations

from typing import Annotated

from prefect.cli.commands import Flag, Group
from prefect.cli.log_lines import Output
from prefect.cli.moments import ago
from prefect.cli.output import print_facts, print_json, print_table
from prefect.client.current import get_caller
from prefect.exceptions import CommandFailed, ObjectNotFound
from prefect.operations.tag_limits import (
    create_tag_limit,
    delete_tag_limit_by_tag,
    read_tag_limit_by_tag,
    read_tag_limits,
    reset_tag_limit,
)
from prefect.schemas.concurrency import ConcurrencyLimitCreate

__all__ = ["run"]

group = Group("concurrency-limit")
run = group.run

Count = Annotated[int, Flag(metavar="N")]
Tag = Annotated[str, Flag(metavar="TAG")]


@group.command("ls")
def ls(*, limit: Count = 15, offset: Count = 0, output: Output = None) -> None:
    """List the limits of tags, by tag.

    Args:
        limit: At most so many.
        offset: Leave out so many of the first.
        output: Print for programs.
    """
    found = get_caller().call(read_tag_limits, limit=limit, offset=offset)
    if output:
        print_json(found)
        return
    print_table(
        "Limits of tags",
        ["Tag", "Limit", "Active task runs"],
        [[each.tag, str(each.concurrency_limit), str(len(each.active_slots))] for each in found],
    )


@group.command("inspect")
def inspect(tag: Tag, *, output: Output = None) -> None:
    """Show the limit of a tag, and which task runs hold its slots.

    Args:
        tag: The tag.
        output: Print for programs.
    """
    try:
        found = get_caller().call(read_tag_limit_by_tag, tag)
    except ObjectNotFound as error:
        raise _not_there(tag) from error
    if output:
        print_json(found)
        return
    print_facts(
        {
            "Tag": found.tag,
            "ID": str(found.id),
            "Limit": str(found.concurrency_limit),
            "Created": ago(found.created),
            "Updated": ago(found.updated),
            "Active task runs": [str(each) for each in found.active_slots],
        }
    )


@group.command("create")
def create(tag: Tag, limit: Annotated[str, Flag(metavar="LIMIT")]) -> None:
    """Limit how many tasks with a tag run at once; a tag that has a limit gets the new one.

    Args:
        tag: The tag.
        limit: How many.
    """
    if not limit.isdecimal():
        raise CommandFailed(f"{limit!r} is no number of tasks.")
    get_caller().call(create_tag_limit, ConcurrencyLimitCreate(tag=tag, concurrency_limit=int(limit)))
    tasks = "1 task" if int(limit) == 1 else f"{int(limit)} tasks"
    print(f"At most {tasks} with the tag {tag!r} {'runs' if int(limit) == 1 else 'run'} at once now.")


@group.command("reset")
def reset(tag: Tag) -> None:
    """Take the slots of a tag's limit away from the task runs that hold them.

    Args:
        tag: The tag.
    """
    try:
        get_caller().call(reset_tag_limit, tag)
    except ObjectNotFound as error:
        raise _not_there(tag) from error
    print(f"All slots of the tag {tag!r} are free.")


@group.command("delete")
def delete(tag: Tag) -> None:
    """Delete the limit of a tag.

    Args:
        tag: The tag.
    """
    try:
        get_caller().call(delete_tag_limit_by_tag, tag)
    except ObjectNotFound as error:
        raise _not_there(tag) from error
    print(f"The tag {tag!r} has no limit any more.")


def _not_there(tag: str) -> CommandFailed:
    return CommandFailed(
        f"The tag {tag!r} has no limit. `prefect concurrency-limit ls` lists those that have one."
    )
