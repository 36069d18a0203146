"""`prefect task-run`: what ran, and what it logged."""

from __future__ import annotations

from typing import Annotated, Any

from prefect.cli.commands import Flag, Group
from prefect.cli.listing import list_readable, print_remainder, state_cell
from prefect.cli.log_lines import Head, Number, Output, Reverse, Sources, Tail, Window, print_logs
from prefect.cli.moments import ago, duration, local
from prefect.cli.output import print_facts, print_json, print_table
from prefect.cli.selecting import (
    Limit,
    StateNames,
    StateTypes,
    find_flow_run,
    find_task_run,
    task_run_states,
)
from prefect.client.base import Caller
from prefect.client.current import get_caller
from prefect.operations import read_task_run_states, read_task_runs
from prefect.schemas.filters import (
    LogFilter,
    LogFilterTaskRunId,
    TaskRunFilter,
    TaskRunFilterFlowRunId,
    TaskRunFilterName,
    TaskRunFilterTags,
)
from prefect.schemas.objects import TaskRun
from prefect.schemas.queries import TaskRunQuery

__all__ = ["run"]

group = Group("task-run")
run = group.run


@group.command("ls")
def ls(
    *,
    task_run_name: Annotated[list[str] | None, Flag(metavar="NAME")] = None,
    flow_run: Annotated[str | None, Flag(metavar="ID")] = None,
    limit: Limit = 15,
    state: StateNames = None,
    state_type: StateTypes = None,
    tag: Annotated[list[str] | None, Flag(metavar="TAG")] = None,
    output: Output = None,
) -> None:
    """List task runs, newest first.

    Args:
        task_run_name: Only runs of this name. Can be given several times.
        flow_run: Only runs in this flow run: its id, the beginning of that, or its name.
        limit: At most so many.
        state: Only runs in a state of this name, such as Completed. Can be given several times.
        state_type: Only runs in a state of this type, such as FAILED. Can be given several times.
        tag: Only runs with this tag. Can be given several times: with all of them.
        output: Print for programs.
    """
    client = get_caller()
    inside = find_flow_run(client, flow_run) if flow_run else None
    chosen = TaskRunFilter(
        name=TaskRunFilterName(any_=task_run_name) if task_run_name else None,
        state=task_run_states(state, state_type),
        tags=TaskRunFilterTags(all_=tag) if tag else None,
        flow_run_id=TaskRunFilterFlowRunId(any_=[inside.id]) if inside else None,
    )
    query = TaskRunQuery(task_runs=None if chosen == TaskRunFilter() else chosen, limit=limit)
    runs = list_readable(client, read_task_runs, query)
    if output:
        print_json(runs)
        return
    print_table("Task Runs", ["ID", "Name", "State", "When", "Took"], [_row(found) for found in runs])
    print_remainder(client, query, len(runs))


def _row(found: TaskRun) -> list[str]:
    when = ago(found.start_time or found.expected_start_time)
    took = duration(found.estimated_run_time) if found.start_time else ""
    return [str(found.id), found.name, state_cell(found.state_type, found.state_name), when, took]


@group.command("inspect")
def inspect(run: Annotated[str, Flag(metavar="ID")], *, output: Output = None) -> None:
    """Show a task run.

    Args:
        run: The run's id, the beginning of that, or its name.
        output: Print for programs.
    """
    client = get_caller()
    found = find_task_run(client, run)
    if output:
        print_json(found)
        return
    print_facts(_facts(client, found))


def _facts(client: Caller, found: TaskRun) -> dict[str, Any]:
    return {
        "ID": found.id,
        "Name": found.name,
        "Task": found.task_key,
        "Flow run": found.flow_run_id,
        "State": found.state_name,
        "Message": found.state.message if found.state else None,
        "Started": local(found.start_time),
        "Ended": local(found.end_time),
        "Took": duration(found.estimated_run_time) if found.start_time else None,
        "Run count": found.run_count,
        "Tags": ", ".join(found.tags),
        "Cache key": found.cache_key,
        "States": [
            f"{local(state.timestamp)}  {state.name}" for state in client.call(read_task_run_states, found.id)
        ],
    }


@group.command("logs")
def logs(
    run: Annotated[str, Flag(metavar="ID")],
    *,
    head: Head = False,
    tail: Tail = False,
    num_logs: Number = None,
    reverse: Reverse = False,
    output: Output = None,
) -> None:
    """Show what a task run logged.

    Args:
        run: The run's id, the beginning of that, or its name.
        head: Only the first 20.
        tail: Only the last 20.
        num_logs: How many, in place of 20.
        reverse: Newest first.
        output: Print for programs.
    """
    client = get_caller()
    found = find_task_run(client, run)
    chosen = LogFilter(task_run_id=LogFilterTaskRunId(any_=[found.id]))
    window = Window(head=head, tail=tail, number=num_logs, reverse=reverse)
    sources = Sources(client, task_runs={found.id: found.name})
    print_logs(client, chosen, window, sources, output)
