"""`prefect flow`: see flows, and serve them."""

from __future__ import annotations

from typing import Annotated

from prefect.cli.commands import Flag, Group
from prefect.cli.listing import list_readable
from prefect.cli.log_lines import Output
from prefect.cli.moments import ago
from prefect.cli.output import print_json, print_table
from prefect.cli.selecting import Limit
from prefect.client.current import get_caller
from prefect.exceptions import CommandFailed
from prefect.operations import read_flows
from prefect.schemas.queries import FlowQuery
from prefect.schemas.schedules import construct_schedule
from prefect.schemas.sorting import FlowSort

__all__ = ["run"]

group = Group("flow")
run = group.run


@group.command("ls")
def ls(*, limit: Limit = 15, output: Output = None) -> None:
    """List flows, newest first.

    Args:
        limit: At most so many.
        output: Print for programs.
    """
    flows = list_readable(get_caller(), read_flows, FlowQuery(sort=FlowSort.CREATED_DESC, limit=limit))
    if output:
        print_json(flows)
        return
    rows = [[str(flow.id), flow.name, ago(flow.created)] for flow in flows]
    print_table("Flows", ["ID", "Name", "Created"], rows)


@group.command("serve")
def serve(  # noqa: PLR0913 - as many options as the interface has
    entrypoint: str,
    *,
    name: Annotated[str | None, Flag("-n", metavar="NAME")] = None,
    description: Annotated[str | None, Flag("-d", metavar="TEXT")] = None,
    version: Annotated[str | None, Flag("-v", metavar="VERSION")] = None,
    tag: Annotated[list[str] | None, Flag("-t", metavar="TAG")] = None,
    cron: Annotated[str | None, Flag(metavar="CRON")] = None,
    interval: Annotated[float | None, Flag(parse=float, metavar="SECONDS")] = None,
    anchor_date: Annotated[str | None, Flag(metavar="TIME", also="--interval-anchor")] = None,
    rrule: Annotated[str | None, Flag(metavar="RRULE")] = None,
    timezone: Annotated[str | None, Flag(metavar="ZONE")] = None,
    pause_on_shutdown: bool = True,
    limit: Annotated[int | None, Flag(metavar="N")] = None,
    global_limit: Annotated[int | None, Flag(metavar="N")] = None,
) -> None:
    """Deploy a flow, and carry out its runs here until Ctrl-C.

    Args:
        entrypoint: The flow: path/to/file.py:name, or package.module:name.
        name: The deployment's name.
        description: What it is for; left out, the flow's.
        version: Its version; left out, the flow's.
        tag: A tag of its runs. Can be given several times.
        cron: When it runs: a cron expression.
        interval: When it runs: seconds between runs.
        anchor_date: What the interval counts from.
        rrule: When it runs: a recurrence rule of iCalendar.
        timezone: The time zone that the schedule is in, such as Europe/Paris.
        pause_on_shutdown: Let the schedule rest when this ends, as is done unless --no-pause-on-shutdown.
        limit: How many runs are carried out here at a time.
        global_limit: How many runs are let run at a time, wherever they run.
    """
    # Here, since what serves loads much that listing does without.
    from prefect.deployments.runner import RunnerDeployment
    from prefect.deployments.schedules import read_moment
    from prefect.runner.serving import serve

    name = _checked(name, limit)
    schedules = None
    if any(each is not None for each in (cron, interval, rrule, timezone, anchor_date)):
        try:
            anchor = read_moment(anchor_date) if anchor_date else None
            schedules = [construct_schedule(interval, anchor, cron, rrule, timezone)]
        except (ValueError, TypeError) as error:
            raise CommandFailed(f"That is no schedule: {error}") from error
    try:
        deployment = RunnerDeployment.from_entrypoint(
            entrypoint,
            name,
            description=description,
            version=version,
            tags=tag,
            schedules=schedules,
            concurrency_limit=global_limit,
        )
    except (ValueError, OSError, ModuleNotFoundError) as error:
        raise CommandFailed(str(error)) from error
    serve(deployment, pause_on_shutdown=pause_on_shutdown, limit=limit)


def _checked(name: str | None, limit: int | None) -> str:
    if not name:
        raise CommandFailed("A deployment needs a name: give --name.")
    if limit is not None and limit < 1:
        raise CommandFailed("With such a --limit no run would be carried out: give a number from 1 on.")
    return name
