"""Printing the logs of a run."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from prefect.cli.commands import Flag
from prefect.cli.moments import local
from prefect.cli.output import Format, print_json
from prefect.cli.selecting import parse_limit
from prefect.client.base import Caller
from prefect.exceptions import ConfigurationError
from prefect.operations import read_logs
from prefect.operations.names import read_task_run_names
from prefect.schemas.filters import LogFilter, LogFilterTimestamp
from prefect.schemas.objects import Log
from prefect.schemas.queries import LogQuery
from prefect.schemas.sorting import LogSort

__all__ = ["Head", "Number", "Output", "Reverse", "Sources", "Tail", "Window", "follow_logs", "print_logs"]

_PAGE = 1000
_POLL_SECONDS = 0.5
_LATENESS = timedelta(seconds=5)
_DEFAULT_NUMBER = 20

Head = Annotated[bool, Flag("-h")]
Tail = Annotated[bool, Flag("-t")]
Reverse = Annotated[bool, Flag("-r")]
Number = Annotated[int | None, Flag("-n", parse=parse_limit, metavar="N")]
Output = Annotated[Format | None, Flag("-o")]


class Window:
    """Which of a run's logs to print.

    Args:
        head: Only the first.
        tail: Only the last.
        number: How many of these.
        reverse: Newest first.

    Raises:
        prefect.exceptions.ConfigurationError: Both the first and the last are asked for.
    """

    __slots__ = ("limit", "reverse", "tail")

    def __init__(self, *, head: bool, tail: bool, number: int | None, reverse: bool) -> None:
        if head and tail:
            raise ConfigurationError("Give --head or --tail, not both.")
        self.tail = tail
        self.reverse = reverse
        self.limit = (number or _DEFAULT_NUMBER) if head or tail or number else None


class Sources:
    """Names what log lines are from.

    Args:
        client: Whom to ask for names that are not known yet.
        flow_run: The name of the flow run; needed for lines that are from no task run.
        task_runs: Names of task runs that are known.
    """

    __slots__ = ("_client", "_flow_run", "_names")

    def __init__(
        self, client: Caller, *, flow_run: str = "", task_runs: Mapping[UUID, str] | None = None
    ) -> None:
        self._client = client
        self._flow_run = flow_run
        self._names = dict(task_runs or {})

    def rename(self, flow_run: str) -> None:
        """Take another name for the flow run from now on: it may get its own when it begins.

        Args:
            flow_run: The name.
        """
        self._flow_run = flow_run

    def lines(self, logs: list[Log]) -> Iterator[str]:
        """Write logs as lines; what is not known of their task runs is asked for at once.

        Args:
            logs: The logs.
        """
        unknown = {log.task_run_id for log in logs if log.task_run_id} - self._names.keys()
        if unknown:
            self._names |= self._client.call(read_task_run_names, unknown)
        for log in logs:
            level = logging.getLevelName(log.level)
            yield f"{local(log.timestamp)} | {level:7s} | {self._source(log.task_run_id)} - {log.message}"

    def _source(self, task_run_id: UUID | None) -> str:
        if task_run_id is None:
            return f"Flow run {self._flow_run!r}"
        # Task runs are written behind the work: the first lines of one may come before it.
        return f"Task run {self._names.get(task_run_id, str(task_run_id))!r}"


def _pages(client: Caller, logs: LogFilter, window: Window) -> Iterator[list[Log]]:
    backwards = window.tail or (window.reverse and window.limit is None)
    sort = LogSort.TIMESTAMP_DESC if backwards else LogSort.TIMESTAMP_ASC
    offset = 0
    largest = client.page or _PAGE
    while window.limit is None or offset < window.limit:
        page = largest if window.limit is None else min(largest, window.limit - offset)
        found = client.call(read_logs, LogQuery(logs=logs, sort=sort, limit=page, offset=offset))
        yield found
        offset += len(found)
        if len(found) < page:
            return


def print_logs(
    client: Caller, logs: LogFilter, window: Window, sources: Sources, output: Format | None
) -> None:
    """Print logs, oldest first unless the window says otherwise.

    Args:
        client: Whom to ask.
        logs: Whose logs.
        window: Which of them.
        sources: Names what a line is from.
        output: Print for programs.
    """
    pages = _pages(client, logs, window)
    if window.limit is not None and window.tail != window.reverse:
        pages = iter([[log for page in pages for log in page][::-1]])
    if output:
        print_json([log for page in pages for log in page])
        return
    for page in pages:
        for line in sources.lines(page):
            print(line)


def follow_logs(client: Caller, logs: LogFilter, sources: Sources, has_ended: Callable[[], bool]) -> None:
    """Print logs as they come, until the run has ended.

    Args:
        client: Whom to ask.
        logs: Whose logs.
        sources: Names what a line is from.
        has_ended: Tells whether the run has ended.
    """
    shown: dict[UUID, datetime] = {}
    quiet_after_end = 0
    # Logs are written behind the work: the last ones may come after the run's last state.
    while quiet_after_end < 2:
        ended = has_ended()
        fresh = _fresh(client, logs, shown)
        for line in sources.lines(fresh):
            print(line)
        sys.stdout.flush()
        if not fresh:
            quiet_after_end += ended
            time.sleep(_POLL_SECONDS)


def _fresh(client: Caller, logs: LogFilter, shown: dict[UUID, datetime]) -> list[Log]:
    """Return logs that were not shown yet, and note them; older ones may be written a little late."""
    if shown:
        horizon = max(shown.values()) - _LATENESS
        logs = logs.model_copy(update={"timestamp": LogFilterTimestamp(after_=horizon)})
        for log_id in [log_id for log_id, timestamp in shown.items() if timestamp < horizon]:
            del shown[log_id]
    everything = Window(head=False, tail=False, number=None, reverse=False)
    fresh = [log for page in _pages(client, logs, everything) for log in page if log.id not in shown]
    shown.update((log.id, log.timestamp) for log in fresh)
    return fresh
