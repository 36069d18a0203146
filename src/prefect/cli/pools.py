"""What the commands of work pools and their queues share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from prefect.cli.commands import Flag
from prefect.cli.moments import ago, local
from prefect.cli.output import print_table
from prefect.exceptions import CommandFailed
from prefect.schemas.objects import FlowRun
from prefect.schemas.work_pools import FlowRunSlotSummary

__all__ = [
    "Hours",
    "Pool",
    "PoolName",
    "parse_number",
    "print_due",
    "print_slots",
    "read_template",
]

PoolName = Annotated[str, Flag(metavar="POOL")]
Pool = Annotated[str | None, Flag("-p", metavar="POOL")]
Hours = Annotated[int, Flag("-h", metavar="HOURS")]


def parse_number(text: str) -> int:
    """Read how many runs may be under way at a time.

    Args:
        text: The number.

    Raises:
        prefect.exceptions.CommandFailed: It is none.
    """
    if not text.isdecimal():
        raise CommandFailed(f"{text!r} is no number of runs.")
    return int(text)


def read_template(path: str) -> dict[str, Any]:
    """Read a job template from a JSON file.

    Args:
        path: The file.

    Raises:
        prefect.exceptions.CommandFailed: There is no such file, or it has something else in it.
    """
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{path!r} has no job template: {error}") from error


def print_due(title: str, runs: list[FlowRun]) -> None:
    """Print runs that wait to be started.

    Args:
        title: What they are.
        runs: The runs.
    """
    rows = [
        [
            str(each.id),
            each.name,
            each.work_queue_name or "",
            local(each.next_scheduled_start_time),
            ago(each.next_scheduled_start_time),
        ]
        for each in sorted(runs, key=lambda one: str(one.next_scheduled_start_time))
    ]
    print_table(title, ["ID", "Name", "Queue", "Due", "When"], rows)


def print_slots(
    what: str, active: int, limit: int | None, holders: Sequence[tuple[str, FlowRunSlotSummary]]
) -> None:
    """Print which runs hold slots.

    Args:
        what: Whose slots they are.
        active: How many are held.
        limit: How many there are; None: any number.
        holders: The runs, each with its queue.
    """
    print(f"{what}: {active} of {'any number of' if limit is None else limit} slots are held.")
    if holders:
        rows = [
            [str(run.id), run.name, queue, run.state_name or "", ago(run.state_timestamp)]
            for queue, run in holders
        ]
        print_table("Runs that hold them", ["ID", "Name", "Queue", "State", "Since"], rows)
