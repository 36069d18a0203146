"""The child processes of a runner: starts them, watches them, ends them."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from prefect.client.base import Caller
from prefect.engine.signals import termination_as_exception
from prefect.exceptions import PrefectException, TerminationSignal
from prefect.logging.loggers import get_logger
from prefect.operations.flow_runs import read_flow_runs
from prefect.runner.children import Child, start_child
from prefect.runner.claims import claim, end_left_run, give_up, keep
from prefect.runner.template import Templates
from prefect.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.schemas.objects import FlowRun
from prefect.schemas.queries import FlowRunQuery
from prefect.schemas.states import StateType
from prefect.settings import get_current_settings

__all__ = ["Crew"]

LAST = 10.0
"""Seconds that writing has after all processes have ended."""
GRACE = 30.0
"""Seconds that a process has to end its run when it is asked to."""

_logger = get_logger("runner")


class Crew:
    """Processes that carry out flow runs at the same time.

    Args:
        client: Where runs are kept.
        limit: How many there are at most; None: any number.
        env: Variables that each of them gets.
        templates: What they are split off from, where they can be.
    """

    def __init__(
        self,
        client: Caller,
        limit: int | None,
        env: Mapping[str, str | None],
        templates: Templates | None = None,
    ) -> None:
        self._client = client
        self._limit = limit
        self._env = env
        self._templates = templates
        self._children: dict[UUID, Child] = {}
        self._ending: dict[UUID, float] = {}
        """Until when the processes have time that were asked to end."""
        self._claims: dict[UUID, UUID] = {}
        self._left: dict[UUID, tuple[int, str | None]] = {}
        """How processes have ended, until it is written down what became of their runs."""

    def __len__(self) -> int:
        return len(self._children) + len(self._left)

    def __contains__(self, run_id: UUID) -> bool:
        return run_id in self._children or run_id in self._left

    @property
    def free(self) -> int | None:
        """How many more processes there may be; None: any number."""
        return None if self._limit is None else max(0, self._limit - len(self._children))

    def take(self, run: FlowRun, cwd: str | Path | None = None) -> bool:
        """Start a process for a run, unless the run is another runner's.

        Args:
            run: The run.
            cwd: Where the process starts; None: where this one is.

        Returns:
            Whether it was started.
        """
        taken = claim(self._client, run)
        if taken is None:
            return False
        asked = (run.job_variables or {}).get("env")
        wanted = asked if isinstance(asked, dict) else {}
        is_kept = (run.job_variables or {}).get("capture_output")
        if not isinstance(is_kept, bool):
            is_kept = get_current_settings().runner.capture_output
        # None stands for a variable that the process does not get.
        env = {**self._env, **{str(k): None if v is None else str(v) for k, v in wanted.items()}}
        try:
            template = None if self._templates is None else self._templates.current
            child = start_child(run, claim=taken, env=env, cwd=cwd, capture_output=is_kept, template=template)
        except OSError as error:
            _logger.error("Flow run %r could not be started: %s", run.name, error)
            give_up(self._client, run.id, str(error))
            return False
        _logger.info("Flow run %r is carried out by process %d", run.name, child.pid)
        self._children[run.id], self._claims[run.id] = child, taken
        return True

    def reap(self) -> None:
        """See which processes have ended, and write down what became of their runs.

        What cannot be written now is written the next time.

        Raises:
            prefect.exceptions.PrefectException: Something cannot be written now.
        """
        for run_id, child in list(self._children.items()):
            code = child.poll()
            if code is None:
                if time.monotonic() > self._ending.get(run_id, math.inf):
                    child.kill()
                continue
            del self._children[run_id]
            self._ending.pop(run_id, None)
            self._left[run_id] = code, child.ran_out
        for run_id, (code, ran_out) in list(self._left.items()):
            final = end_left_run(self._client, run_id, code, self._claims[run_id], ran_out)
            del self._left[run_id], self._claims[run_id]
            if final is not None:
                _logger.error("Flow run %s ended in state %s: %s", run_id, final.name, final.message)

    def end_cancelled(self) -> None:
        """Ask the processes to end whose runs were cancelled."""
        running = [run_id for run_id in self._children if run_id not in self._ending]
        if not running:
            return
        kinds = [StateType.CANCELLING, StateType.CANCELLED]
        query = FlowRunQuery(
            flow_runs=FlowRunFilter(
                id=FlowRunFilterId(any_=running),
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=kinds)),
            )
        )
        for run in self._client.call(read_flow_runs, query):
            _logger.info("Flow run %r was cancelled: its process is ended", run.name)
            self._ask(run.id)

    def keep_claims(self) -> None:
        """Say of the runs that have not begun that they are still about to be."""
        keep(self._client, self._children)

    def end(self) -> None:
        """Have all processes end, and wait for them; then some seconds for their runs' ends to be kept.

        Who presses Ctrl-C once more, or sends SIGTERM again, does not want to wait: the processes are ended
        at once then. They lead groups of their own, so that nobody else would end them.
        """
        try:
            with termination_as_exception():
                for run_id in list(self._children):
                    self._ask(run_id)
                self._wait()
        except (KeyboardInterrupt, TerminationSignal):
            for child in self._children.values():
                child.kill()
            self._wait()
            raise

    def _wait(self) -> None:
        until, failed = math.inf, None
        while self and time.monotonic() < until:
            try:
                self.reap()
            except PrefectException as error:
                failed = error
                if not self._children:
                    until = min(until, time.monotonic() + LAST)
            time.sleep(0.05)
        if self._left:
            _logger.error("The ends of %d flow runs could not be written down: %s", len(self._left), failed)

    def _ask(self, run_id: UUID) -> None:
        self._ending[run_id] = time.monotonic() + GRACE
        self._children[run_id].terminate()
