"""Child processes that carry out flow runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from prefect.rules.exits import KILLED_EXITS, STOPPED_EXIT, UNKNOWN_EXIT
from prefect.runner.memory import MemoryWatch
from prefect.runner.output import CapturedOutput
from prefect.runner.strays import Strays
from prefect.schemas.objects import FlowRun
from prefect.settings import get_current_settings
from prefect.settings.runtime_variables import FLOW_RUN_CLAIM, FLOW_RUN_ID, environment_with

if TYPE_CHECKING:
    from prefect.runner.template import ForkedProcess, Template

__all__ = ["Child", "flow_run_command", "start_child"]

_LOOK_SECONDS = 0.05


def flow_run_command() -> list[str]:
    """Return the command that carries out the flow run which its environment names."""
    return [sys.executable, "-m", "prefect.flow_engine"]


class Child:
    """A process that carries out a flow run.

    It has ended when also that has which it started and which is not to outlive it, and when all is kept that
    it printed, if that is kept.

    Args:
        run_id: The run.
        process: The process; it leads a group of its own, where there are such groups.
        mark: What the environment of all that it starts has: `NAME=value`.
        output: What takes what it prints, if that is kept.
    """

    __slots__ = ("_is_asked", "_is_seen", "_memory", "_output", "_process", "_strays", "ran_out", "run_id")

    def __init__(
        self,
        run_id: UUID,
        process: subprocess.Popen[bytes] | ForkedProcess,
        mark: str,
        output: CapturedOutput | None = None,
    ) -> None:
        self.run_id = run_id
        self.ran_out: str | None = None
        """What is known of it, where the system has ended it for want of memory."""
        self._process = process
        self._output = output
        self._memory = MemoryWatch(process.pid)
        self._strays = Strays(process.pid, mark)
        self._is_asked = self._is_seen = False

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit code; None while it has not ended."""
        code = self._process.poll()
        if code is None:
            return None
        if not self._is_seen:
            self._is_seen = True
            if code in KILLED_EXITS and not self._is_asked and self._memory.has_ended_one:
                self.ran_out = _memory_text(self._memory.limit)
        # What it left behind is ended where the run was. Where that came to an end of its own, it may have
        # started something that is to go on.
        is_stopped = self._is_asked or code < 0 or code in (*KILLED_EXITS, STOPPED_EXIT, UNKNOWN_EXIT)
        if is_stopped and not self._strays.end():
            return None
        return code if self._output is None or self._output.is_complete() else None

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end of the process.

        Args:
            timeout: Seconds to wait; None: as long as it takes.

        Returns:
            The exit code; None where it did not end in time.
        """
        until = None if timeout is None else time.monotonic() + timeout
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        while (code := self.poll()) is None and (until is None or time.monotonic() < until):
            time.sleep(_LOOK_SECONDS)
        return code

    def terminate(self) -> None:
        """Ask the process to end: its run can still write down what became of it."""
        self._is_asked = True
        if self._process.poll() is None:
            self._strays.look()
            self._process.terminate()

    def kill(self) -> None:
        """End the process at once, with what it started."""
        self._is_asked = True
        if self._process.poll() is None:
            self._strays.look()
            if hasattr(os, "killpg"):
                try:
                    os.killpg(self._process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    # It has ended just now, or was split off just now and leads no group yet.
                    self._process.kill()
            else:
                self._process.kill()
        self._strays.kill()

    def end(self, grace: float) -> int:
        """Have the process end: ask it, and then make it.

        Args:
            grace: Seconds that it has.

        Returns:
            The exit code.
        """
        self.terminate()
        code = self.wait(grace)
        if code is None:
            self.kill()
            code = self.wait()
        assert code is not None
        return code


def start_child(
    run: FlowRun,
    *,
    claim: UUID | None = None,
    command: Sequence[str] | None = None,
    env: Mapping[str, str | None] | None = None,
    cwd: str | Path | None = None,
    stream_output: bool = True,
    capture_output: bool = False,
    template: Template | None = None,
) -> Child:
    """Start a process for a flow run.

    Args:
        run: The run.
        claim: The state by which it was taken; see `prefect.runner.claims.claim`.
        command: What carries it out; None: `flow_run_command()`.
        env: Variables to add to those of this process; None as a value: to leave out.
        cwd: Where it starts; None: where this process is.
        stream_output: Whether what it prints is printed here too.
        capture_output: Whether what it prints is kept in the run's logs.
        template: What the process is split off from, if it can be; without it, it starts anew.

    Returns:
        The process.

    Raises:
        OSError: It cannot be started.
    """
    variables = {**(env or {}), FLOW_RUN_ID: str(run.id), FLOW_RUN_CLAIM: str(claim) if claim else None}
    mark = f"{FLOW_RUN_CLAIM}={claim}" if claim else f"{FLOW_RUN_ID}={run.id}"
    fits = template is not None and command is None and template.fits(variables, cwd)
    with ExitStack() as failing:
        files: _Files = None
        output = None
        # Windows cannot wait for pipes.
        if capture_output and sys.platform != "win32" and get_current_settings().logging.to_api.enabled:
            output = CapturedOutput(run, stream_output)
            failing.callback(output.give_up)
            files = output.stdout, output.stderr
            variables = {**output.variables, **variables}
        elif not stream_output:
            nothing = failing.enter_context(Path(os.devnull).open("wb")).fileno()
            files = nothing, nothing
        forked = _split_off(template, variables, cwd, files) if template is not None and fits else None
        process = forked or _start(command, variables, cwd, files)
        if output is not None:
            failing.pop_all()
            output.begin()
    return Child(run.id, process, mark, output)


_Files: TypeAlias = tuple[int, int] | None
"""Where a process prints what it prints, and its errors; None: where this one does."""


def _start(
    command: Sequence[str] | None,
    variables: Mapping[str, str | None],
    cwd: str | Path | None,
    files: _Files,
) -> subprocess.Popen[bytes]:
    output, errors = files or (None, None)
    return subprocess.Popen(
        list(command or flow_run_command()),
        env=environment_with(variables),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        # Ctrl-C at the terminal is for the runner alone, which then ends its children.
        start_new_session=True,
    )


def _split_off(
    template: Template, variables: Mapping[str, str | None], cwd: str | Path | None, files: _Files
) -> ForkedProcess | None:
    return template.start(environment_with(variables), cwd, *(files or (1, 2)))


def _memory_text(limit: int | None) -> str:
    if limit is None:
        return "the memory of the machine ran out"
    return f"memory ran out: the processes of its control group may use {limit / 2**20:,.0f} MiB together"
