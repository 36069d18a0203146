"""`prefect flow-run`: what ran, and what it logged."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from prefect.cli.commands import Flag, Group
from prefect.cli.listing import list_readable, print_remainder, state_cell
from prefect.cli.log_lines import (
    Head,
    Number,
    Output,
    Reverse,
    Sources,
    Tail,
    Window,
    follow_logs,
    print_logs,
)
from prefect.cli.moments import ago, duration, local, parse_moment
from prefect.cli.output import confirm, print_facts, print_json, print_table
from prefect.cli.selecting import (
    Limit,
    StateNames,
    StateTypes,
    find_flow_run,
    flow_run_states,
    task_run_states,
    whole_id,
)
from prefect.cli.watching import watch_flow_run
from prefect.client.base import Caller
from prefect.client.current import get_caller
from prefect.exceptions import CommandFailed, UnreadableRow
from prefect.operations import (
    count_task_runs,
    delete_flow_run,
    read_flow,
    read_flow_run,
    read_flow_run_states,
    read_flow_runs,
    read_task_runs,
    set_flow_run_state,
)
from prefect.operations.names import read_flow_names
from prefect.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterTags,
    LogFilter,
    LogFilterFlowRunId,
    TaskRunFilter,
    TaskRunFilterFlowRunId,
)
from prefect.schemas.objects import FlowRun, TaskRun
from prefect.schemas.queries import FlowRunQuery, TaskRunQuery
from prefect.schemas.states import TERMINAL_STATES, State, StateType
from prefect.states import Scheduled

__all__ = ["run"]

group = Group("flow-run")
run = group.run

_FAILURES = (StateType.FAILED, StateType.CRASHED)
_SHOWN = 10

Moment = Annotated[datetime | None, Flag(parse=parse_moment, metavar="TIME")]


@group.command("ls")
def ls(
    *,
    flow_name: Annotated[list[str] | None, Flag(metavar="NAME")] = None,
    limit: Limit = 15,
    state: StateNames = None,
    state_type: StateTypes = None,
    tag: Annotated[list[str] | None, Flag(metavar="TAG")] = None,
    since: Moment = None,
    until: Moment = None,
    output: Output = None,
) -> None:
    """List flow runs, newest first.

    Args:
        flow_name: Only runs of this flow. Can be given several times.
        limit: At most so many.
        state: Only runs in a state of this name, such as Completed. Can be given several times.
        state_type: Only runs in a state of this type, such as FAILED. Can be given several times.
        tag: Only runs with this tag. Can be given several times: with all of them.
        since: Only runs that were due at or after this time, such as 2026-01-31, 2h or '3 days ago'.
        until: Only runs that were due at or before this time.
        output: Print for programs.
    """
    client = get_caller()
    chosen = FlowRunFilter(
        state=flow_run_states(state, state_type),
        tags=FlowRunFilterTags(all_=tag) if tag else None,
        expected_start_time=FlowRunFilterExpectedStartTime(after_=since, before_=until)
        if since or until
        else None,
    )
    query = FlowRunQuery(
        flows=FlowFilter(name=FlowFilterName(any_=flow_name)) if flow_name else None,
        flow_runs=None if chosen == FlowRunFilter() else chosen,
        limit=limit,
    )
    runs = list_readable(client, read_flow_runs, query)
    if output:
        print_json(runs)
        return
    names = client.call(read_flow_names, {found.flow_id for found in runs})
    print_table(
        "Flow Runs",
        ["ID", "Flow", "Name", "State", "When"],
        [_row(found, names) for found in runs],
    )
    print_remainder(client, query, len(runs))


def _row(found: FlowRun, names: dict[UUID, str]) -> list[str]:
    when = ago(found.start_time or found.expected_start_time)
    return [
        str(found.id),
        names.get(found.flow_id, ""),
        found.name,
        state_cell(found.state_type, found.state_name),
        when,
    ]


@group.command("inspect")
def inspect(run: Annotated[str, Flag(metavar="ID")], *, output: Output = None) -> None:
    """Show a flow run.

    Args:
        run: The run's id, the beginning of that, or its name.
        output: Print for programs.
    """
    client = get_caller()
    found = find_flow_run(client, run)
    if output:
        print_json(found)
        return
    print_facts(_facts(client, found))


def _facts(client: Caller, found: FlowRun) -> dict[str, Any]:
    return {
        "ID": found.id,
        "Name": found.name,
        "Flow": client.call(read_flow, found.flow_id).name,
        "State": found.state_name,
        "Message": found.state.message if found.state else None,
        **_failures(client, found),
        "Waits": _reasons_to_wait(client, found),
        "Due": local(found.expected_start_time),
        "Started": local(found.start_time),
        "Ended": local(found.end_time),
        "Took": duration(found.estimated_run_time) if found.start_time else None,
        "Run count": found.run_count,
        "Tags": ", ".join(found.tags),
        "Parameters": found.parameters,
        "Called by": found.parent_task_run_id and f"task run {found.parent_task_run_id}",
        "States": [
            f"{local(state.timestamp)}  {state.name}" for state in client.call(read_flow_run_states, found.id)
        ],
    }


def _reasons_to_wait(client: Caller, found: FlowRun) -> list[str]:
    """Tell of a run that is due, or was taken, why it has not begun."""
    if found.state_type not in (StateType.SCHEDULED, StateType.PENDING):
        return []
    from prefect.cli.waiting import reasons_to_wait

    return reasons_to_wait(client, found)


def _failures(client: Caller, found: FlowRun) -> dict[str, Any]:
    """Tell of a run that failed what people come to ask: which tasks failed, why, and where the logs are."""
    if found.state_type not in _FAILURES:
        return {}
    chosen = TaskRunFilter(
        flow_run_id=TaskRunFilterFlowRunId(any_=[found.id]), state=task_run_states(None, list(_FAILURES))
    )
    query = TaskRunQuery(task_runs=chosen, limit=_SHOWN)
    failed = [_failure(run) for run in reversed(list_readable(client, read_task_runs, query))]
    if len(failed) == _SHOWN and (rest := client.call(count_task_runs, query) - _SHOWN) > 0:
        types = " ".join(f"--state-type {kind.value}" for kind in _FAILURES)
        failed.append(f"and {rest:,} before these: prefect task-run ls --flow-run {found.id} {types}")
    return {"Failed task runs": failed, "Logs": f"prefect flow-run logs {found.id}"}


def _failure(run: TaskRun) -> str:
    message = run.state.message if run.state else None
    first_line = (message or "").strip().partition("\n")[0]
    return f"{run.name}  {run.state_name}{': ' if first_line else ''}{first_line}"


@group.command("logs")
def logs(
    run: Annotated[str, Flag(metavar="ID")],
    *,
    head: Head = False,
    tail: Tail = False,
    num_logs: Number = None,
    reverse: Reverse = False,
    follow: Annotated[bool, Flag("-f")] = False,
    output: Output = None,
) -> None:
    """Show what a flow run, and the tasks in it, logged.

    Args:
        run: The run's id, the beginning of that, or its name.
        head: Only the first 20.
        tail: Only the last 20.
        num_logs: How many, in place of 20.
        reverse: Newest first.
        follow: Go on, as more is logged, until the run ends.
        output: Print for programs.
    """
    client = get_caller()
    found = find_flow_run(client, run)
    chosen = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[found.id]))
    sources = Sources(client, flow_run=found.name)
    if follow:
        follow_logs(client, chosen, sources, lambda: _has_ended(client.call(read_flow_run, found.id)))
        return
    window = Window(head=head, tail=tail, number=num_logs, reverse=reverse)
    print_logs(client, chosen, window, sources, output)


def _has_ended(found: FlowRun) -> bool:
    return found.state_type in TERMINAL_STATES


@group.command("watch")
def watch(
    run: Annotated[str, Flag(metavar="ID")],
    *,
    timeout: Annotated[int | None, Flag(metavar="SECONDS")] = None,
) -> None:
    """Show what a flow run logs, until it ends. The exit code is 1 unless it is Completed then.

    Args:
        run: The run's id, the beginning of that, or its name.
        timeout: Seconds to watch, at most.
    """
    client = get_caller()
    watch_flow_run(client, find_flow_run(client, run), timeout=timeout)


@group.command("cancel")
def cancel(run: Annotated[str, Flag(metavar="ID")]) -> None:
    """Cancel a flow run.

    One that runs is interrupted, or ends before its next task; one that nobody runs is Cancelled at once.

    Args:
        run: The run's id, the beginning of that, or its name.
    """
    client = get_caller()
    found = find_flow_run(client, run)
    if _has_ended(found):
        raise CommandFailed(f"Flow run {found.name!r} has ended already, in state {found.state_name}.")
    message = "Cancelled from the command line."
    # What nobody runs has nobody who would end it.
    is_run = found.state_type in (StateType.RUNNING, StateType.CANCELLING) or found.infrastructure_pid
    kind = StateType.CANCELLING if is_run else StateType.CANCELLED
    proposed: State[Any] = State(type=kind, message=message)
    state = client.call(set_flow_run_state, found.id, proposed).state
    if state is None or state.type not in (StateType.CANCELLING, StateType.CANCELLED):
        raise CommandFailed(f"Flow run {found.name!r} could not be cancelled.")
    done = "is cancelled" if state.type is StateType.CANCELLED else "is being cancelled"
    print(f"Flow run {found.name!r} {done}.")


@group.command("retry")
def retry(
    run: Annotated[str, Flag(metavar="ID")],
    *,
    entrypoint: Annotated[str | None, Flag("-e", metavar="PATH:FLOW")] = None,
) -> None:
    """Have a flow run that has ended run again, under the same id.

    Who carries out the runs of its deployment takes it; one that has none runs here.

    Args:
        run: The run's id, the beginning of that, or its name.
        entrypoint: Where the flow of a run without a deployment is, such as flows.py:etl.
    """
    client = get_caller()
    found = find_flow_run(client, run)
    if not _has_ended(found):
        raise CommandFailed(f"Flow run {found.name!r} has not ended: it is {found.state_name}.")
    if found.deployment_id is None and entrypoint is None:
        raise CommandFailed(
            f"Flow run {found.name!r} has no deployment: say where its flow is, by --entrypoint PATH:FLOW."
        )
    # By force: what has ended stays ended otherwise, where it has a kept result or no deployment.
    again = Scheduled(message="Retried from the command line.")
    client.call(set_flow_run_state, found.id, again, force=True)
    if found.deployment_id is not None:
        print(f"Flow run {found.name!r} is due again: who carries out its deployment's runs takes it.")
        return
    from prefect.runner.execution import execute_flow_run

    if code := execute_flow_run(found.id, entrypoint):
        sys.exit(code)


@group.command("execute")
def execute(run: Annotated[str | None, Flag(metavar="ID")] = None) -> None:
    """Carry out a flow run that is there, in this process: what a worker does for a run of a deployment.

    Args:
        run: The run's id; left out, the one that PREFECT__FLOW_RUN_ID names.
    """
    from prefect.runner.execution import execute_flow_run, execute_process_run

    code = execute_process_run() if run is None else execute_flow_run(find_flow_run(get_caller(), run).id)
    if code:
        sys.exit(code)


@group.command("delete")
def delete(run: Annotated[str, Flag(metavar="ID")], *, yes: Annotated[bool, Flag("-y")] = False) -> None:
    """Delete a flow run, with its task runs and logs.

    Args:
        run: The run's id, the beginning of that, or its name.
        yes: Do not ask.
    """
    client = get_caller()
    run_id, name = _to_delete(client, run)
    confirm(f"Delete flow run {name!r} ({run_id})?", yes=yes)
    client.call(delete_flow_run, run_id)
    print(f"Deleted flow run {name!r} ({run_id}).")


def _to_delete(client: Caller, text: str) -> tuple[UUID, str]:
    try:
        found = find_flow_run(client, text)
    except UnreadableRow as error:
        if (run_id := whole_id(text)) is None:
            raise
        # What cannot be read can still be deleted, but only by its whole id.
        print(f"Warning: {error}", file=sys.stderr)
        return run_id, "?"
    return found.id, found.name
