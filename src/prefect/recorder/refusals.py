"""Records that cannot be written, though the store works: what is said of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from prefect.schemas.objects import Log, TaskRunRecord

__all__ = ["describe_refused", "summed_up"]


def describe_refused(item: TaskRunRecord | Log, error: Exception) -> str:
    """Say which record could not be written, and why.

    Args:
        item: The record.
        error: What writing it raised.
    """
    if isinstance(item, TaskRunRecord):
        what = f"Task run {item.run.name!r} ({item.run.id})"
    else:
        what = f"A log record of {item.name!r} at {item.timestamp}, flow run {item.flow_run_id},"
    return f"{what} cannot be recorded, and will be missing in the store: {type(error).__name__}: {error}"


def summed_up(said: Sequence[tuple[int, str]]) -> Iterable[tuple[int, str]]:
    """Return the first few of many messages, and how many more there were.

    Args:
        said: Levels and texts.
    """
    yield from said[:5]
    if len(said) > 5:
        yield logging.ERROR, f"{len(said) - 5} more records could not be recorded, for like reasons."
