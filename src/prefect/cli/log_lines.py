"""Printing the logs of a run."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from prefect.cli.commands import Flag
from prefect.cli.moments import local
from prefect.cli.output import Format, print_json
from prefect.cli.selecting import parse_limit
from prefect.client.local import LocalClient
from prefect.exceptions import ConfigurationError
from prefect.operations import read_logs
from prefect.schemas.filters import LogFilter, LogFilterTimestamp
from prefect.schemas.objects import Log
from prefect.schemas.queries import LogQuery
from prefect.schemas.sorting import LogSort

__all__ = ["Head", "Number", "Output", "Reverse", "Tail", "Window", "follow_logs", "print_logs"]

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


def _read(client: LocalClient, logs: LogFilter, window: Window) -> Iterator[Log]:
    backwards = window.tail or (window.reverse and window.limit is None)
    sort = LogSort.TIMESTAMP_DESC if backwards else LogSort.TIMESTAMP_ASC
    offset = 0
    while window.limit is None or offset < window.limit:
        page = _PAGE if window.limit is None else min(_PAGE, window.limit - offset)
        found = client.call(read_logs, LogQuery(logs=logs, sort=sort, limit=page, offset=offset))
        yield from found
        offset += len(found)
        if len(found) < page:
            return


def print_logs(
    client: LocalClient, logs: LogFilter, window: Window, source: str, output: Format | None
) -> None:
    """Print logs, oldest first unless the window says otherwise.

    Args:
        client: Whom to ask.
        logs: Whose logs.
        window: Which of them.
        source: What a line says that it is from.
        output: Print for programs.
    """
    found: Iterator[Log] | list[Log] = _read(client, logs, window)
    if window.limit is not None and window.tail != window.reverse:
        found = list(found)[::-1]
    if output:
        print_json(list(found))
        return
    for log in found:
        print(_line(log, source))


def _line(log: Log, source: str) -> str:
    return f"{local(log.timestamp)} | {logging.getLevelName(log.level):7s} | {source} - {log.message}"


def follow_logs(client: LocalClient, logs: LogFilter, source: str, has_ended: Callable[[], bool]) -> None:
    """Print logs as they come, until the run has ended.

    Args:
        client: Whom to ask.
        logs: Whose logs.
        source: What a line says that it is from.
        has_ended: Tells whether the run has ended.
    """
    shown: dict[UUID, datetime] = {}
    quiet_after_end = 0
    # Logs are written behind the work: the last ones may come after the run's last state.
    while quiet_after_end < 2:
        ended = has_ended()
        fresh = _fresh(client, logs, shown)
        for log in fresh:
            print(_line(log, source))
        sys.stdout.flush()
        if not fresh:
            quiet_after_end += ended
            time.sleep(_POLL_SECONDS)


def _fresh(client: LocalClient, logs: LogFilter, shown: dict[UUID, datetime]) -> list[Log]:
    """Return logs that were not shown yet, and note them; older ones may be written a little late."""
    if shown:
        horizon = max(shown.values()) - _LATENESS
        logs = logs.model_copy(update={"timestamp": LogFilterTimestamp(after_=horizon)})
        for log_id in [log_id for log_id, timestamp in shown.items() if timestamp < horizon]:
            del shown[log_id]
    everything = Window(head=False, tail=False, number=None, reverse=False)
    fresh = [log for log in _read(client, logs, everything) if log.id not in shown]
    shown.update((log.id, log.timestamp) for log in fresh)
    return fresh
