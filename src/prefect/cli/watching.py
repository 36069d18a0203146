"""Watching a flow run until it ends."""

from __future__ import annotations

import time

from prefect.cli.log_lines import Sources, follow_logs
from prefect.cli.moments import local
from prefect.client.base import Caller
from prefect.exceptions import CommandFailed
from prefect.operations.flow_runs import read_flow_run
from prefect.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.schemas.objects import FlowRun
from prefect.schemas.states import TERMINAL_STATES, StateType
from prefect.types import now

__all__ = ["watch_flow_run"]


def watch_flow_run(
    client: Caller, run: FlowRun, interval: int | None = None, timeout: int | None = None
) -> None:
    """Show the logs of a run until it ends.

    Args:
        client: Where it is kept.
        run: The run.
        interval: Seconds between two looks.
        timeout: Seconds to watch, at most.

    Raises:
        prefect.exceptions.CommandFailed: It is not Completed in the end, or did not end in time.
    """
    last: list[FlowRun] = [run]
    until = None if timeout is None else time.monotonic() + timeout
    sources = Sources(client, flow_run=run.name)

    def has_ended() -> bool:
        if interval and last[0] is not run:
            time.sleep(interval)
        found = client.call(read_flow_run, run.id)
        is_over = found.state_type in TERMINAL_STATES
        # The last state is said when all has been shown that was logged before it.
        if found.state_name != last[0].state_name and not is_over:
            _tell_state(found)
        last[0] = found
        sources.rename(found.name)
        if not is_over and until is not None and time.monotonic() > until:
            raise CommandFailed(
                f"Flow run {found.name!r} did not end in {timeout} seconds; it goes on unwatched."
            )
        return is_over

    logs = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id]))
    follow_logs(client, logs, sources, has_ended)
    _tell_state(last[0])
    if last[0].state_type is not StateType.COMPLETED:
        raise CommandFailed(f"Flow run {last[0].name!r} ended in state {last[0].state_name}.")


def _tell_state(run: FlowRun) -> None:
    print(f"{local(now())} | Flow run {run.name!r} is {run.state_name}")
