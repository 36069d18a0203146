"""Task runs within tasks whose worker was lost: a server would take them to be under way for ever.

They were begun there, and told of there: here nobody knows of them. So the server is asked for them, at once,
since the task may be sent again, and once more at the end: it writes what it was told a moment later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from prefect.exceptions import PrefectException
from prefect.logging.loggers import get_logger
from prefect.operations.task_runs import read_task_runs, set_task_run_state
from prefect.rules.inputs import PARENTS
from prefect.schemas.filters import (
    TaskRunFilter,
    TaskRunFilterFlowRunId,
    TaskRunFilterId,
    TaskRunFilterState,
    TaskRunFilterStateType,
    TaskRunFilterSubFlowRuns,
)
from prefect.schemas.objects import TaskRun, TaskRunResult
from prefect.schemas.queries import TaskRunQuery
from prefect.schemas.states import TERMINAL_STATES, State, StateType
from prefect.types import now

if TYPE_CHECKING:
    from prefect.client.base import Caller
    from prefect.task_runners.remote.sending import RemoteRun

__all__ = ["NestedRuns", "crashed_with"]

_SETTLED = 1.0
"""Seconds after which a server has written what it was told."""
_PAGE = 200
_NOT_ENDED = TaskRunFilterState(
    type=TaskRunFilterStateType(any_=[kind for kind in StateType if kind not in TERMINAL_STATES])
)


def crashed_with(why: str) -> State[None]:
    """Return the state of a run that was part of one that was lost.

    Args:
        why: How that one was lost.
    """
    return State(type=StateType.CRASHED, message=f"The task run that this one was part of was lost. {why}")


class _Lost(NamedTuple):
    run: RemoteRun
    why: str
    at: datetime

    def had(self, within: TaskRun) -> bool:
        """Whether what the server takes to go on was lost too: what began later is of the next attempt."""
        began = within.expected_start_time
        # By the clock of another machine, so not asked where there was no next.
        return began is None or began <= self.at or self.run.record.run.state_type is StateType.CRASHED


class NestedRuns:
    """What servers are told of runs within those that were lost."""

    def __init__(self) -> None:
        self._lost: dict[UUID, _Lost] = {}
        self._of: dict[UUID, Caller] = {}
        """What to ask of each flow run."""
        self._lost_at = 0.0

    def crash(self, lost: Iterable[RemoteRun], why: str) -> None:
        """End what goes on within runs that were lost, as far as the server knows of it.

        Args:
            lost: The runs, none of which was sent again.
            why: How they were lost.
        """
        # Not what goes on within those that were lost before: they may have been sent again.
        if added := self.add(lost, why):
            self._end_within(added)

    def add(self, lost: Iterable[RemoteRun], why: str) -> dict[UUID, _Lost]:
        """Take it that runs were lost; see `crash`. What goes on within them is ended by `finish`.

        Returns:
            Those that a server was told of.
        """
        added = {}
        for run in lost:
            flow_run_id, client = run.record.run.flow_run_id, run.journal.asking
            if run.journal.gives_ids and flow_run_id is not None and client is not None:
                self._of[flow_run_id] = client
                added[run.record.run.id] = _Lost(run, why, now())
                self._lost_at = monotonic()
        self._lost |= added
        return added

    def finish(self) -> None:
        """Look again for what the server did not know of yet; all runs have ended."""
        if self._lost:
            sleep(max(0.0, self._lost_at + _SETTLED - monotonic()))
            self._end_within(self._lost)
            self._lost = {}

    def _end_within(self, lost: Mapping[UUID, _Lost]) -> None:
        for flow_run_id, client in self._of.items():
            try:
                for run, around in _within(client, flow_run_id, lost):
                    if around.had(run):
                        # Not by force: the server may have heard meanwhile that it had ended before.
                        client.call(set_task_run_state, run.id, crashed_with(around.why))
            except PrefectException as error:
                get_logger("task_runners").warning(
                    "Task runs within tasks whose worker was lost may seem to be Running: %s", error
                )


def _within(client: Caller, flow_run_id: UUID, lost: Mapping[UUID, _Lost]) -> Iterator[tuple[TaskRun, _Lost]]:
    """Find what has not ended, and goes on within a run that was lost."""
    of_flow_run = TaskRunFilterFlowRunId(any_=[flow_run_id])
    alone = TaskRunFilterSubFlowRuns(exists_=False)  # flow runs have leases of their own
    unfinished = list(
        _read(client, TaskRunFilter(flow_run_id=of_flow_run, state=_NOT_ENDED, subflow_runs=alone))
    )
    known = {run.id: run for run in unfinished}
    while missing := {_around(run) for run in known.values()} - known.keys() - lost.keys() - {None}:
        ids = [each for each in missing if each is not None]
        found = list(_read(client, TaskRunFilter(id=TaskRunFilterId(any_=ids[:_PAGE]))))
        if not found:
            break
        known |= {run.id: run for run in found}
    for run in unfinished:
        around = _around(run)
        while around is not None and around not in lost:
            around = _around(known[around]) if around in known else None
        if around is not None:
            yield run, lost[around]


def _read(client: Caller, wanted: TaskRunFilter) -> Iterator[TaskRun]:
    offset = 0
    while True:
        page = client.call(read_task_runs, TaskRunQuery(task_runs=wanted, limit=_PAGE, offset=offset))
        yield from page
        offset += len(page)
        if len(page) < _PAGE:
            return


def _around(run: TaskRun) -> UUID | None:
    return next(
        (each.id for each in run.task_inputs.get(PARENTS, ()) if isinstance(each, TaskRunResult)), None
    )
