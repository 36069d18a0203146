"""What the commands that list runs share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from prefect.cli.output import Styled
from prefect.client.base import Caller
from prefect.exceptions import UnreadableRow
from prefect.operations.sizes import MOST, count_if_cheap
from prefect.schemas.queries import DEFAULT_LIMIT, FlowQuery, FlowRunQuery, TaskRunQuery
from prefect.schemas.states import StateType
from prefect.settings.terminal import is_terminal
from prefect.store.base import Store

__all__ = ["list_readable", "print_remainder", "read_all", "state_cell"]

T = TypeVar("T")
Q = TypeVar("Q", FlowQuery, FlowRunQuery, TaskRunQuery)

_STYLES = {
    StateType.COMPLETED: "green",
    StateType.FAILED: "red",
    StateType.CRASHED: "red",
    StateType.RUNNING: "blue",
    StateType.CANCELLED: "yellow",
    StateType.CANCELLING: "yellow",
    StateType.PAUSED: "yellow",
}
_LATE = frozenset({"Late", "AwaitingRetry"})


def read_all(read: Callable[[int, int], list[T]]) -> list[T]:
    """Return all of what is given page by page.

    Args:
        read: Gives so many at most, left out so many of the first.
    """
    found: list[T] = []
    while len(page := read(DEFAULT_LIMIT, len(found))) == DEFAULT_LIMIT:
        found += page
    return found + page


def list_readable(client: Caller, read: Callable[[Store, Q], list[T]], query: Q) -> list[T]:
    """Return what a query is about; of each row that cannot be read, a warning is printed instead.

    Args:
        client: Whom to ask.
        read: The operation.
        query: The query; it has a limit.
    """
    limit = query.limit or DEFAULT_LIMIT
    if client.page is not None and limit > client.page:
        found: list[T] = []
        while len(found) < limit:
            size = min(client.page, limit - len(found))
            page: Q = query.model_copy(update={"limit": size, "offset": query.offset + len(found)})
            some = client.call(read, page)
            found += some
            if len(some) < size:
                break
        return found
    try:
        return client.call(read, query)
    except UnreadableRow as error:
        if limit == 1:
            print(f"Warning: {error}", file=sys.stderr)
            return []
        half = limit // 2
        first: Q = query.model_copy(update={"limit": half})
        second: Q = query.model_copy(update={"limit": limit - half, "offset": query.offset + half})
        return [*list_readable(client, read, first), *list_readable(client, read, second)]


def state_cell(kind: StateType | None, name: str | None) -> str:
    """Return a state's name in the colour that tells how the run is.

    Args:
        kind: The state's type.
        name: Its name.
    """
    style = "yellow" if name in _LATE else _STYLES.get(kind, "") if kind else ""
    return Styled(name or "", style)


def print_remainder(client: Caller, query: FlowRunQuery | TaskRunQuery, shown: int) -> None:
    """Say under a table that there is nothing, or how many more there are where that is known at once.

    Args:
        client: Whom to ask.
        query: What was listed.
        shown: How many were shown.
    """
    if not shown and is_terminal(sys.stderr):
        asked = set(query.model_dump(exclude_defaults=True)) - {"limit", "offset", "sort"}
        print("No runs match." if asked else "No runs are recorded here yet.", file=sys.stderr)
    if shown < (query.limit or DEFAULT_LIMIT) or not is_terminal(sys.stdout):
        return
    count = client.call(count_if_cheap, query)
    if count is not None and count > shown:
        whole = f"{count:,}" if count <= MOST else f"more than {MOST:,}"
        print(f"Showing {shown:,} of {whole}; --limit for more.")
