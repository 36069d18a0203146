"""`prefect deployment schedule`: when the runs of a deployment start."""

from __future__ import annotations

from typing import Annotated

import msgspec

from prefect.cli.commands import Flag, Group
from prefect.cli.deployed import DeploymentName, find_deployment, whole_name
from prefect.cli.listing import read_all
from prefect.cli.log_lines import Output
from prefect.cli.output import confirm, print_json, print_table
from prefect.cli.selecting import whole_id
from prefect.client.base import Caller
from prefect.client.current import get_caller
from prefect.deployments.schedules import read_moment
from prefect.exceptions import CommandFailed
from prefect.operations.deployment_schedules import (
    create_deployment_schedules,
    delete_deployment_schedule,
    read_deployment_schedules,
    update_deployment_schedule,
)
from prefect.operations.deployments import read_deployments
from prefect.schemas.base import encode_json
from prefect.schemas.deployments import (
    DeploymentResponse,
    DeploymentSchedule,
    DeploymentScheduleCreate,
    DeploymentScheduleUpdate,
)
from prefect.schemas.queries import DeploymentQuery
from prefect.schemas.schedules import (
    AnySchedule,
    CronSchedule,
    IntervalSchedule,
    RRuleSchedule,
    construct_schedule,
)

__all__ = ["describe", "schedule"]

schedule = Group("deployment schedule", "See to a deployment's schedules.")

Yes = Annotated[bool, Flag("-y")]
ScheduleId = Annotated[str, Flag(metavar="SCHEDULE-ID")]
Number = Annotated[float | None, Flag(parse=float, metavar="SECONDS")]


def describe(found: AnySchedule) -> str:
    """Say in a line what a schedule is.

    Args:
        found: The schedule.
    """
    if isinstance(found, IntervalSchedule):
        seconds = f"{found.interval.total_seconds():.6f}".rstrip("0").rstrip(".")
        return f"interval: {seconds}s"
    if isinstance(found, CronSchedule):
        return f"cron: {found.cron}"
    assert isinstance(found, RRuleSchedule)
    return f"rrule: {found.rrule}"


@schedule.command("ls")
def ls(deployment: DeploymentName, *, output: Output = None) -> None:
    """List the schedules of a deployment.

    Args:
        deployment: The deployment's name, or its id.
        output: Print for programs.
    """
    client = get_caller()
    found = client.call(read_deployment_schedules, find_deployment(client, deployment).id)
    if output:
        print_json(found)
        return
    columns: dict[str, list[str]] = {
        "ID": [str(each.id) for each in found],
        "Schedule": [describe(each.schedule) for each in found],
        "Time zone": [each.schedule.timezone or "UTC" for each in found],
        "Active": ["yes" if each.active else "no" for each in found],
    }
    # Mostly there are none of these.
    if any(each.slug for each in found):
        columns["Slug"] = [each.slug or "" for each in found]
    if any(each.parameters for each in found):
        columns["Parameters"] = [
            encode_json(each.parameters).decode() if each.parameters else "" for each in found
        ]
    print_table("Schedules", list(columns), list(map(list, zip(*columns.values(), strict=True))))


@schedule.command("create")
def create(  # noqa: PLR0913 - as many options as the interface has
    deployment: DeploymentName,
    *,
    interval: Number = None,
    anchor_date: Annotated[str | None, Flag(metavar="TIME")] = None,
    rrule: str | None = None,
    cron: str | None = None,
    day_or: Annotated[bool, Flag(off="--no-day_or")] = True,
    timezone: Annotated[str | None, Flag(metavar="ZONE")] = None,
    active: bool = True,
    replace: bool = False,
    accept_yes: Yes = False,
) -> None:
    """Give a deployment a schedule.

    Args:
        deployment: The deployment's name, or its id.
        interval: Seconds between runs.
        anchor_date: What the interval counts from.
        rrule: A recurrence rule of iCalendar.
        cron: A cron expression.
        day_or: Whether a day that fits either field of a cron expression is enough.
        timezone: The time zone that the schedule is in, such as Europe/Paris.
        active: Whether it plans runs.
        replace: Delete the schedules that the deployment has.
        accept_yes: Do not ask.
    """
    if sum(each is not None for each in (interval, rrule, cron)) != 1:
        raise CommandFailed("Give one of --interval, --rrule and --cron.")
    try:
        anchor = read_moment(anchor_date) if anchor_date else None
        wanted = construct_schedule(interval, anchor, cron, rrule, timezone)
        if isinstance(wanted, CronSchedule):
            wanted = msgspec.structs.replace(wanted, day_or=day_or)
    except (ValueError, TypeError) as error:
        raise CommandFailed(f"That is no schedule: {error}") from error
    client = get_caller()
    found = find_deployment(client, deployment)
    had = client.call(read_deployment_schedules, found.id) if replace else []
    if had:
        confirm(f"Replace the {len(had)} schedules of {deployment!r}?", yes=accept_yes)
    # Made before the others go, so that there is none only where that is asked for.
    [made] = client.call(
        create_deployment_schedules, found.id, [DeploymentScheduleCreate(schedule=wanted, active=active)]
    )
    for each in had:
        client.call(delete_deployment_schedule, found.id, each.id)
    print(f"Made schedule {made.id} of deployment {whole_name(client, found)!r}: {describe(wanted)}")


@schedule.command("delete")
def delete(deployment: DeploymentName, schedule: ScheduleId, *, accept_yes: Yes = False) -> None:
    """Delete a schedule, with the runs that it planned.

    Args:
        deployment: The deployment's name, or its id.
        schedule: The schedule's id.
        accept_yes: Do not ask.
    """
    client = get_caller()
    found = find_deployment(client, deployment)
    one = _find(client, found, schedule)
    confirm(f"Delete the schedule {describe(one.schedule)!r} of {deployment!r}?", yes=accept_yes)
    client.call(delete_deployment_schedule, found.id, one.id)
    print(f"Deleted schedule {one.id}.")


@schedule.command("clear")
def clear(deployment: DeploymentName, *, accept_yes: Yes = False) -> None:
    """Delete all schedules of a deployment.

    Args:
        deployment: The deployment's name, or its id.
        accept_yes: Do not ask.
    """
    client = get_caller()
    found = find_deployment(client, deployment)
    confirm(f"Delete all schedules of {deployment!r}?", yes=accept_yes)
    for each in client.call(read_deployment_schedules, found.id):
        client.call(delete_deployment_schedule, found.id, each.id)
    print(f"Deployment {deployment!r} has no schedules now.")


@schedule.command("pause")
def pause(
    deployment: Annotated[str | None, Flag(metavar="FLOW/DEPLOYMENT")] = None,
    schedule: Annotated[str | None, Flag(metavar="SCHEDULE-ID")] = None,
    *,
    all: bool = False,
) -> None:
    """Let a schedule rest.

    Args:
        deployment: The deployment's name, or its id.
        schedule: The schedule's id.
        all: Let all schedules of all deployments rest.
    """
    _set_active(deployment, schedule, all, False)


@schedule.command("resume")
def resume(
    deployment: Annotated[str | None, Flag(metavar="FLOW/DEPLOYMENT")] = None,
    schedule: Annotated[str | None, Flag(metavar="SCHEDULE-ID")] = None,
    *,
    all: bool = False,
) -> None:
    """Let a schedule go on.

    Args:
        deployment: The deployment's name, or its id.
        schedule: The schedule's id.
        all: Let all schedules of all deployments go on.
    """
    _set_active(deployment, schedule, all, True)


def _set_active(deployment: str | None, schedule: str | None, everything: bool, active: bool) -> None:
    client, done = get_caller(), "go on" if active else "rest"
    change = DeploymentScheduleUpdate(active=active)
    if everything:
        if deployment is not None:
            raise CommandFailed("Give either a deployment and a schedule, or --all.")
        count = 0
        for found in read_all(lambda limit, offset: _page(client, limit, offset)):
            for each in found.schedules:
                if each.active != active:
                    client.call(update_deployment_schedule, found.id, each.id, change)
                    count += 1
        print(f"{count} schedules {done} now.")
        return
    if deployment is None or schedule is None:
        raise CommandFailed("Which schedule? Give a deployment and the schedule's id, or --all.")
    found = find_deployment(client, deployment)
    one = _find(client, found, schedule)
    if one.active == active:
        raise CommandFailed(f"Schedule {one.id} is {'active' if active else 'paused'} already.")
    client.call(update_deployment_schedule, found.id, one.id, change)
    print(f"Schedule {one.id} of deployment {deployment!r} is {'active' if active else 'paused'} now.")


def _page(client: Caller, limit: int, offset: int) -> list[DeploymentResponse]:
    return client.call(read_deployments, DeploymentQuery(limit=limit, offset=offset))


def _find(client: Caller, found: DeploymentResponse, schedule: str) -> DeploymentSchedule:
    wanted = whole_id(schedule)
    for each in client.call(read_deployment_schedules, found.id):
        if each.id == wanted:
            return each
    raise CommandFailed(f"Deployment {found.name!r} has no schedule {schedule!r}.")
