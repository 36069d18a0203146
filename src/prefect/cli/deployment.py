"""`prefect deployment`: flows that are run from elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec

from prefect.cli.commands import Flag, Group
from prefect.cli.deployed import DeploymentName, find_deployment, whole_name
from prefect.cli.deployment_schedules import describe, schedule
from prefect.cli.listing import read_all
from prefect.cli.log_lines import Output
from prefect.cli.moments import ago, local, parse_span, parse_start
from prefect.cli.output import confirm, print_facts, print_json, print_table
from prefect.cli.values import read_object, read_pairs
from prefect.cli.watching import watch_flow_run
from prefect.client.base import Caller
from prefect.client.current import get_caller
from prefect.exceptions import CommandFailed
from prefect.operations.deployment_runs import create_flow_run_from_deployment
from prefect.operations.deployments import (
    delete_deployment,
    pause_deployment,
    read_deployments,
    resume_deployment,
)
from prefect.operations.names import read_flow_names
from prefect.schemas.deployments import DeploymentFlowRunCreate, DeploymentResponse, DeploymentSchedule
from prefect.schemas.filters import FlowFilter, FlowFilterName
from prefect.schemas.queries import DeploymentQuery
from prefect.schemas.sorting import DeploymentSort
from prefect.schemas.states import NO_DETAILS, State, StateType
from prefect.types import now

__all__ = ["run"]

group = Group("deployment")
group.groups["schedule"] = schedule
run = group.run

OptionalName = Annotated[str | None, Flag(metavar="FLOW/DEPLOYMENT")]
Id = Annotated[str | None, Flag(metavar="ID")]
Pairs = Annotated[list[str] | None, Flag(metavar="KEY=VALUE")]


@group.command("ls")
def ls(
    *flow_name: Annotated[str, Flag(metavar="FLOW", optional=True)],
    by_created: bool = False,
    output: Output = None,
) -> None:
    """List deployments.

    Args:
        flow_name: Only those of these flows.
        by_created: Newest first, in place of by name.
        output: Print for programs.
    """
    client = get_caller()
    flows = FlowFilter(name=FlowFilterName(any_=list(flow_name))) if flow_name else None
    sort = DeploymentSort.CREATED_DESC if by_created else DeploymentSort.NAME_ASC
    found = _read_all(client, DeploymentQuery(flows=flows, sort=sort))
    if output:
        print_json(found)
        return
    names = client.call(read_flow_names, {each.flow_id for each in found})
    rows = [
        [
            whole_name(client, each, names),
            str(each.id),
            each.work_pool_name or "",
            "; ".join(describe(one.schedule) for one in each.schedules if one.active),
            "paused" if each.paused else (each.status or "").replace("_", " ").lower(),
        ]
        for each in found
    ]
    print_table("Deployments", ["Name", "ID", "Work pool", "Schedules", "Status"], rows)


def _read_all(client: Caller, query: DeploymentQuery) -> list[DeploymentResponse]:
    return read_all(
        lambda limit, offset: client.call(
            read_deployments, query.model_copy(update={"limit": limit, "offset": offset})
        )
    )


@group.command("inspect")
def inspect(name: DeploymentName, *, output: Output = None) -> None:
    """Show a deployment.

    Args:
        name: The deployment's name, or its id.
        output: Print for programs.
    """
    client = get_caller()
    found = find_deployment(client, name)
    if output:
        print_json(found)
        return
    limit = found.global_concurrency_limit
    print_facts(
        {
            "Name": whole_name(client, found),
            "ID": found.id,
            "Description": found.description,
            "Version": found.version,
            "Status": "paused" if found.paused else (found.status or "").replace("_", " ").lower(),
            "Entrypoint": found.entrypoint,
            "Path": found.path,
            "Work pool": found.work_pool_name,
            "Work queue": found.work_queue_name,
            "Runs at a time": limit and str(limit.limit),
            "Parameters": found.parameters,
            "Job variables": found.job_variables,
            "Pull steps": found.pull_steps,
            "Tags": ", ".join(found.tags),
            "Schedules": [_schedule_line(one) for one in found.schedules],
            "Last asked for runs": ago(found.last_polled),
            "Created": ago(found.created),
            "Updated": ago(found.updated),
        }
    )


def _schedule_line(found: DeploymentSchedule) -> str:
    rests = "" if found.active else ", paused"
    return f"{describe(found.schedule)} ({found.schedule.timezone or 'UTC'}){rests}"


@group.command("pause")
def pause(name: DeploymentName) -> None:
    """Let the schedules of a deployment rest.

    Args:
        name: The deployment's name, or its id.
    """
    client = get_caller()
    client.call(pause_deployment, find_deployment(client, name).id)
    print(f"Deployment {name!r} is paused: its schedules rest.")


@group.command("resume")
def resume(name: DeploymentName) -> None:
    """Let the schedules of a deployment go on.

    Args:
        name: The deployment's name, or its id.
    """
    client = get_caller()
    client.call(resume_deployment, find_deployment(client, name).id)
    print(f"Deployment {name!r} goes on.")


@group.command("delete")
def delete(
    name: OptionalName = None,
    *,
    id: Id = None,
    all: bool = False,
    yes: Annotated[bool, Flag("-y")] = False,
) -> None:
    """Delete a deployment; its runs that wait are cancelled.

    Args:
        name: The deployment's name, or its id.
        id: The deployment's id.
        all: Delete all deployments.
        yes: Do not ask.
    """
    client = get_caller()
    if all:
        if name is not None or id is not None:
            raise CommandFailed("Give either a deployment, or --all.")
        found = _read_all(client, DeploymentQuery())
        confirm(f"Delete all {len(found)} deployments?", yes=yes)
        for each in found:
            client.call(delete_deployment, each.id)
        print(f"Deleted {len(found)} deployments.")
        return
    one = find_deployment(client, name, id)
    full = whole_name(client, one)
    confirm(f"Delete deployment {full!r}?", yes=yes)
    client.call(delete_deployment, one.id)
    print(f"Deleted deployment {full!r}.")


@group.command("run")
def run_(  # noqa: PLR0913 - as many options as the interface has
    name: OptionalName = None,
    *,
    id: Id = None,
    job_variable: Annotated[list[str] | None, Flag("-jv", metavar="KEY=VALUE")] = None,
    param: Annotated[list[str] | None, Flag("-p", metavar="KEY=VALUE")] = None,
    params: Annotated[str | None, Flag(metavar="JSON")] = None,
    start_in: Annotated[timedelta | None, Flag(parse=parse_span, metavar="SPAN", also="--in")] = None,
    start_at: Annotated[datetime | None, Flag(parse=parse_start, metavar="TIME", also="--at")] = None,
    tag: Annotated[list[str] | None, Flag(metavar="TAG")] = None,
    watch: bool = False,
    watch_interval: Annotated[int | None, Flag(metavar="SECONDS")] = None,
    watch_timeout: Annotated[int | None, Flag(metavar="SECONDS")] = None,
    flow_run_name: Annotated[str | None, Flag(metavar="NAME")] = None,
    output: Output = None,
) -> None:
    """Have a deployment run; who serves it, or a worker, carries the run out.

    Args:
        name: The deployment's name, or its id.
        id: The deployment's id.
        job_variable: A job variable; its value is JSON or plain text. Can be given several times.
        param: A parameter; its value is JSON or plain text. Can be given several times.
        params: All parameters as one JSON object; - reads it from standard input.
        start_in: How long to wait before the run, such as '5 minutes'.
        start_at: When the run starts, such as 17:30.
        tag: A tag of the run. Can be given several times.
        watch: Show what the run logs, until it ends. The exit code is 1 unless it is Completed then.
        watch_interval: Seconds between two looks.
        watch_timeout: Seconds to watch, at most.
        flow_run_name: The run's name.
        output: Print for programs.
    """
    due = _due(start_in, start_at)
    if not watch and (watch_interval is not None or watch_timeout is not None):
        raise CommandFailed("--watch-interval and --watch-timeout go with --watch.")
    client = get_caller()
    found = find_deployment(client, name, id)
    parameters = _parameters(found, params, param)
    details = msgspec.structs.replace(NO_DETAILS, scheduled_time=due)
    created = client.call(
        create_flow_run_from_deployment,
        found.id,
        DeploymentFlowRunCreate(
            state=State(type=StateType.SCHEDULED, state_details=details),
            parameters=parameters,
            name=flow_run_name,
            tags=tag or [],
            job_variables=read_pairs("--job-variable", job_variable) or None,
        ),
    )
    if output:
        print_json(created)
    else:
        print(f"Made flow run {created.name!r} of deployment {whole_name(client, found)!r}.")
        print_facts({"ID": created.id, "Parameters": created.parameters, "Due": local(due)})
    if watch:
        watch_flow_run(client, created, watch_interval, watch_timeout)


def _due(start_in: timedelta | None, start_at: datetime | None) -> datetime:
    if start_in is not None and start_at is not None:
        raise CommandFailed("Give either --start-in or --start-at.")
    try:
        return start_at or now() + (start_in or timedelta())
    except OverflowError as error:
        raise CommandFailed("That --start-in leads beyond the year 9999.") from error


def _parameters(found: DeploymentResponse, whole: str | None, pairs: list[str] | None) -> dict[str, Any]:
    given = {**read_object("--params", whole), **read_pairs("--param", pairs)}
    known = (found.parameter_openapi_schema or {}).get("properties")
    if known is not None and (unknown := sorted(given.keys() - known.keys())):
        raise CommandFailed(
            f"The flow has no parameters {', '.join(map(repr, unknown))}. "
            f"It has {', '.join(map(repr, known)) or 'none'}."
        )
    return given
