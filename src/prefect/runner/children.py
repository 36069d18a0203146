"""Child processes that carry out flow runs."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from uuid import UUID

from prefect.recorder import get_recorder
from prefect.schemas.objects import FlowRun, Log
from prefect.settings.runtime_variables import FLOW_RUN_CLAIM, FLOW_RUN_ID, environment_with
from prefect.types import now

if TYPE_CHECKING:
    from prefect.runner.template import ForkedProcess, Template

__all__ = ["Child", "flow_run_command", "start_child"]

_OWN_LOG = re.compile(r"\d\d:\d\d:\d\d\.\d{3} \| [A-Z]+ +\| (Flow|Task) run '")
"""A line that a run has logged, as the console shows it."""


def flow_run_command() -> list[str]:
    """Return the command that carries out the flow run which its environment names."""
    return [sys.executable, "-m", "prefect.flow_engine"]


class Child:
    """A process that carries out a flow run.

    Args:
        run_id: The run.
        process: The process; it leads a group of its own, where there are such groups.
        reader: What passes its output on, if it is passed on.
    """

    __slots__ = ("_process", "_reader", "run_id")

    def __init__(
        self,
        run_id: UUID,
        process: subprocess.Popen[bytes] | ForkedProcess,
        reader: threading.Thread | None,
    ) -> None:
        self.run_id = run_id
        self._process = process
        self._reader = reader

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs."""
        code = self._process.poll()
        if code is not None and self._reader is not None:
            # What it started may hold its output open and outlive it.
            self._reader.join(timeout=5)
        return code

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end of the process.

        Args:
            timeout: Seconds to wait; None: as long as it takes.

        Returns:
            The exit code; None where it did not end in time.
        """
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        return self.poll()

    def terminate(self) -> None:
        """Ask the process to end: its run can still write down what became of it."""
        if self._process.poll() is None:
            self._process.terminate()

    def kill(self) -> None:
        """End the process at once, with what it started."""
        if self._process.poll() is not None:
            return
        if hasattr(os, "killpg"):
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                # It has ended just now, or was split off just now and leads no group yet.
                self._process.kill()
        else:
            self._process.kill()

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
    ends = os.pipe() if capture_output else None
    try:
        output: int | None = None if ends is None else ends[1]
        if ends is None and not stream_output:
            output = subprocess.DEVNULL
        if template is not None and command is None and template.fits(variables, cwd):
            process = _split_off(template, variables, cwd, output) or _start(None, variables, cwd, output)
        else:
            process = _start(command, variables, cwd, output)
    except BaseException:
        if ends is not None:
            os.close(ends[0])
        raise
    finally:
        if ends is not None:
            os.close(ends[1])
    if ends is None:
        return Child(run.id, process, None)
    reader = threading.Thread(
        target=copy_context().run,
        args=(_pass_on, open(ends[0], "rb"), run, stream_output),  # noqa: SIM115 - closed there
        name="prefect-output",
        daemon=True,
    )
    reader.start()
    return Child(run.id, process, reader)


def _start(
    command: Sequence[str] | None,
    variables: Mapping[str, str | None],
    cwd: str | Path | None,
    output: int | None,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(command or flow_run_command()),
        env=environment_with(variables),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        # Ctrl-C at the terminal is for the runner alone, which then ends its children.
        start_new_session=True,
    )


def _split_off(
    template: Template, variables: Mapping[str, str | None], cwd: str | Path | None, output: int | None
) -> ForkedProcess | None:
    env = environment_with(variables)
    if output != subprocess.DEVNULL:
        return template.start(env, cwd, 1 if output is None else output, 2 if output is None else output)
    with Path(os.devnull).open("wb") as nothing:
        return template.start(env, cwd, nothing.fileno(), nothing.fileno())


def _pass_on(output: BinaryIO, run: FlowRun, is_shown: bool) -> None:
    recorder = get_recorder()
    with output:
        for line in output:
            text = line.decode(errors="replace").rstrip("\r\n")
            if is_shown:
                sys.stdout.write(f"{text}\n")
            # What the run logs is among its logs already.
            if text and not _OWN_LOG.match(text):
                recorder.log(
                    Log(
                        name="prefect.flow_runs.output",
                        level=logging.INFO,
                        message=text,
                        timestamp=now(),
                        flow_run_id=run.id,
                    )
                )
