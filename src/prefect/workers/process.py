"""`ProcessWorker`: carries out each flow run in a process of its own on this machine."""

from __future__ import annotations

import asyncio
import shlex
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import Field

from prefect.operations.flow_run_details import update_flow_run_labels
from prefect.rules.beginning import BEGINS_ONCE
from prefect.rules.exits import exit_text
from prefect.rules.job_templates import PROCESS_TEMPLATE
from prefect.runner.children import Child, start_child
from prefect.runner.claims import knows_claims
from prefect.runner.template import Template, Templates
from prefect.schemas.objects import FlowRun
from prefect.settings import get_current_settings
from prefect.settings.runtime_variables import FLOW_RUN_CLAIM
from prefect.workers.base import BaseWorker
from prefect.workers.configuration import BaseJobConfiguration, BaseVariables, BaseWorkerResult

__all__ = ["ProcessJobConfiguration", "ProcessVariables", "ProcessWorker", "ProcessWorkerResult"]

_LOOK_SECONDS = 0.1
"""How often it is looked whether a process has ended."""
_GRACE_SECONDS = 30.0
"""How long a process may take to end when it is asked to."""
_OWN_COMMAND = "prefect flow-run execute"


class ProcessJobConfiguration(BaseJobConfiguration):
    """A process that carries out a flow run."""

    stream_output: bool = True
    capture_output: bool | None = None
    working_dir: Path | None = None


class ProcessVariables(BaseVariables):
    """What the placeholders of a process's template stand for."""

    stream_output: bool = Field(True, description="Whether the worker shows what the process prints.")
    capture_output: bool | None = Field(
        None, description="Whether what the process prints is kept in the run's logs."
    )
    working_dir: Path | None = Field(
        None,
        title="Working Directory",
        description="Where the process starts; left out, a new directory that is removed afterwards.",
    )


class ProcessWorkerResult(BaseWorkerResult):
    """How a process ended."""


class ProcessWorker(BaseWorker[ProcessJobConfiguration, ProcessVariables, ProcessWorkerResult]):
    """Carries out each flow run in a process of its own on this machine; see `BaseWorker`."""

    type = "process"
    job_configuration = ProcessJobConfiguration
    job_configuration_variables = ProcessVariables
    # What an agent used to serve.
    serves = frozenset({"prefect-agent"})
    _templates: Templates | None = None
    _description = "Runs each flow run in a process of its own on the machine of the worker."

    @classmethod
    def get_default_base_job_template(cls) -> dict[str, Any]:
        """Return what a pool's jobs are made from where the pool does not say."""
        return dict(PROCESS_TEMPLATE) if cls is ProcessWorker else super().get_default_base_job_template()

    async def start(
        self,
        run_once: bool = False,
        with_healthcheck: bool = False,
        printer: Callable[[str], None] | None = None,
    ) -> None:
        """Look for runs and have them carried out, until cancelled; see `BaseWorker.start`."""
        with nullcontext() if run_once else Templates() as self._templates:
            await super().start(run_once, with_healthcheck, printer)

    async def run(
        self, flow_run: FlowRun, configuration: ProcessJobConfiguration, task_status: Any = None
    ) -> ProcessWorkerResult:
        """Carry out a flow run in a process, and return how that ended.

        Args:
            flow_run: The run.
            configuration: The process.
            task_status: Is told the id of the process.
        """
        if _is_own(configuration.command) and not await asyncio.to_thread(knows_claims, self._caller):
            # Before there is a process: what it does is what makes it safe that another one is started.
            call, mark = self._caller.call, {BEGINS_ONCE: True}
            await self._insisting(lambda: call(update_flow_run_labels, flow_run.id, mark))
        with _directory(configuration.working_dir) as where:
            # Not in a thread: one that is started while this is cancelled would be nobody's.
            template = None if self._templates is None else self._templates.current
            child = _start(flow_run, configuration, where, template)
            if task_status is not None:
                task_status.started(child.pid)
            try:
                code = await _end_of(child)
            except asyncio.CancelledError:
                child.terminate()
                try:
                    code = await _end_of(child, _GRACE_SECONDS)
                except asyncio.CancelledError:  # nobody wants to wait so long
                    child.kill()
                    raise
            await self._end_left(flow_run, code, _claim_of(configuration), child.ran_out)
        if code:
            self._logger.info("Flow run %r: %s", flow_run.name, exit_text(code, child.ran_out))
        return ProcessWorkerResult(identifier=str(child.pid), status_code=code)


def _claim_of(job: ProcessJobConfiguration) -> UUID | None:
    claim = job.env.get(FLOW_RUN_CLAIM)
    return UUID(claim) if claim else None


def _is_own(command: str | None) -> bool:
    return command in (None, _OWN_COMMAND)


def _start(run: FlowRun, job: ProcessJobConfiguration, where: Path, template: Template | None) -> Child:
    # Its own command without the detour by the command line, which takes longer to start.
    own = _is_own(job.command)
    return start_child(
        run,
        claim=_claim_of(job),
        command=None if own else shlex.split(job.command or ""),
        env=job.env,
        cwd=where,
        stream_output=job.stream_output,
        capture_output=get_current_settings().runner.capture_output
        if job.capture_output is None
        else job.capture_output,
        template=template,
    )


async def _end_of(child: Child, grace: float | None = None) -> int:
    """Wait for the end of a process; one that takes longer than it may, is ended."""
    waited = 0.0
    while (code := child.poll()) is None:
        if grace is not None and waited >= grace:
            child.kill()
        await asyncio.sleep(_LOOK_SECONDS)
        waited += _LOOK_SECONDS
    return code


@contextmanager
def _directory(wanted: Path | None) -> Iterator[Path]:
    if wanted is not None:
        found = wanted.expanduser()
        if not found.is_dir():
            raise FileNotFoundError(f"There is no folder '{found}', where working_dir has the process start.")
        yield found
        return
    with tempfile.TemporaryDirectory(prefix="prefect-", ignore_cleanup_errors=True) as made:
        yield Path(made)
