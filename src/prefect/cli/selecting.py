"""Choosing runs on the command line: one by id, beginning of an id or name; many by options."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from typing import Annotated, Literal
from uuid import UUID

from prefect.cli.commands import Flag
from prefect.client.base import Caller
from prefect.exceptions import ObjectNotFound
from prefect.operations import read_flow_run, read_flow_runs, read_task_run, read_task_runs
from prefect.operations.prefixes import find_run_ids
from prefect.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterName,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterStateType,
    TaskRunFilter,
    TaskRunFilterName,
    TaskRunFilterState,
    TaskRunFilterStateName,
    TaskRunFilterStateType,
)
from prefect.schemas.objects import FlowRun, TaskRun
from prefect.schemas.queries import FlowRunQuery, TaskRunQuery
from prefect.schemas.states import StateType

__all__ = [
    "Limit",
    "StateNames",
    "StateTypes",
    "find_flow_run",
    "find_task_run",
    "flow_run_states",
    "parse_limit",
    "task_run_states",
    "whole_id",
]

_NAMES = {
    name.lower(): name for name in ("AwaitingRetry", "RolledBack", "TimedOut", "AwaitingConcurrencySlot")
}
_MANY = 10
_MOST = 1_000_000


def _parse_state_name(text: str) -> str:
    """Read a state's name, however its letters are; names that users gave are taken as they are."""
    if text.lower() in _NAMES:
        return _NAMES[text.lower()]
    return text.capitalize() if text.isalpha() and (text.islower() or text.isupper()) else text


def _parse_state_type(text: str) -> StateType:
    try:
        return StateType(text.upper())
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is none of {', '.join(StateType)}.") from None


def parse_limit(text: str) -> int:
    """Read how many objects to show."""
    if text.isdecimal() and 0 < int(text) <= _MOST:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is no number from 1 to {_MOST}.")


StateNames = Annotated[list[str] | None, Flag(parse=_parse_state_name, metavar="NAME")]
StateTypes = Annotated[list[StateType] | None, Flag(parse=_parse_state_type, metavar="TYPE")]
Limit = Annotated[int, Flag(parse=parse_limit, metavar="N")]


def find_flow_run(client: Caller, text: str) -> FlowRun:
    """Return the flow run that is meant.

    Args:
        client: Whom to ask.
        text: Its id, the beginning of that, or its name.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run, or there are several.
    """
    if (whole := whole_id(text)) is not None:
        return client.call(read_flow_run, whole)
    named = FlowRunQuery(flow_runs=FlowRunFilter(name=FlowRunFilterName(any_=[text])), limit=_MANY)
    found = client.call(read_flow_runs, named)
    ids = [run.id for run in found] or _ids_starting(client, "flow-run", text)
    return client.call(read_flow_run, _only(ids, "flow run", text))


def find_task_run(client: Caller, text: str) -> TaskRun:
    """Return the task run that is meant.

    Args:
        client: Whom to ask.
        text: Its id, the beginning of that, or its name.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run, or there are several.
    """
    if (whole := whole_id(text)) is not None:
        return client.call(read_task_run, whole)
    named = TaskRunQuery(task_runs=TaskRunFilter(name=TaskRunFilterName(any_=[text])), limit=_MANY)
    found = client.call(read_task_runs, named)
    ids = [run.id for run in found] or _ids_starting(client, "task-run", text)
    return client.call(read_task_run, _only(ids, "task run", text))


def whole_id(text: str) -> UUID | None:
    """Return the id that a text is; None where it is something else."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _ids_starting(client: Caller, kind: Literal["flow-run", "task-run"], text: str) -> list[UUID]:
    if not re.fullmatch(r"[0-9a-fA-F][0-9a-fA-F-]{0,35}", text) or len(text.replace("-", "")) > 32:
        return []
    return client.call(find_run_ids, kind, text, _MANY)


def _only(ids: list[UUID], what: str, text: str) -> UUID:
    if len(ids) == 1:
        return ids[0]
    if not ids:
        raise ObjectNotFound(help_message=f"There is no {what} with id or name {text!r}.")
    count = f"{_MANY} or more" if len(ids) >= _MANY else len(ids)
    listed = "\n".join(f"  {run_id}" for run_id in ids)
    raise ObjectNotFound(help_message=f"{text!r} fits {count} {what}s. Give one of these ids:\n{listed}")


def flow_run_states(names: list[str] | None, types: list[StateType] | None) -> FlowRunFilterState | None:
    """Make a filter by the current state; None where nothing is asked.

    Args:
        names: The state has one of these names.
        types: The state is of one of these types.
    """
    if not names and not types:
        return None
    return FlowRunFilterState(
        name=FlowRunFilterStateName(any_=names) if names else None,
        type=FlowRunFilterStateType(any_=types) if types else None,
    )


def task_run_states(names: list[str] | None, types: list[StateType] | None) -> TaskRunFilterState | None:
    """Make a filter by the current state; None where nothing is asked.

    Args:
        names: The state has one of these names.
        types: The state is of one of these types.
    """
    if not names and not types:
        return None
    return TaskRunFilterState(
        name=TaskRunFilterStateName(any_=names) if names else None,
        type=TaskRunFilterStateType(any_=types) if types else None,
    )
