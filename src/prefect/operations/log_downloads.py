"""The log records of a flow run as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import select

from prefect.exceptions import ObjectNotFound
from prefect.operations.registry import operation
from prefect.schemas.objects import Log
from prefect.schemas.responses import TextFile
from prefect.store import statements
from prefect.store.base import Store
from prefect.store.codec import flow_run_from_row, log_from_row
from prefect.store.tables import logs
from prefect.types import format_utc

__all__ = ["download_logs"]

_AT_ONCE = 1000
_COLUMNS = ("timestamp", "level", "flow_run_id", "task_run_id", "message")


@operation("GET", "/flow_runs/{flow_run_id}/logs/download")
def download_logs(store: Store, flow_run_id: UUID) -> TextFile:
    """Return the log records of a flow run and its task runs as a CSV file, oldest first.

    Args:
        store: The store, which is read as the file's parts are taken.
        flow_run_id: The run.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run.
    """
    rows = store.fetch(statements.FLOW_RUN_BY_ID, (flow_run_id.hex,))
    if not rows:
        raise ObjectNotFound(help_message="Flow run not found")
    name = flow_run_from_row(rows[0]).name
    return TextFile(
        media_type="text/csv",
        disposition=(
            'attachment; filename="flow-run-logs.csv"; '
            f"filename*=UTF-8''{quote(name, safe='', errors='replace')}-logs.csv"
        ),
        parts=_parts(store, flow_run_id),
    )


def _parts(store: Store, flow_run_id: UUID) -> Iterator[str]:
    yield _lines([_COLUMNS])
    of_run = select(logs).where(logs.c.flow_run_id == flow_run_id.hex)
    page = of_run.order_by(logs.c.timestamp, logs.c.id).limit(_AT_ONCE)
    wanted = page
    # A page at a time, each from where the last one ended: the file may be larger than memory.
    while rows := store.select(wanted):
        found = [log_from_row(row) for row in rows]
        yield _lines([_values(log) for log in found])
        at, last = format_utc(found[-1].timestamp), found[-1].id.hex
        # The first of these is what the index is asked for.
        wanted = page.where(logs.c.timestamp >= at, (logs.c.timestamp > at) | (logs.c.id > last))


def _values(log: Log) -> tuple[object, ...]:
    return log.timestamp, log.level, log.flow_run_id, log.task_run_id, log.message


def _lines(rows: list[tuple[object, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
