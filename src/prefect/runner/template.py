"""A process that is kept ready, from which the processes of runs are split off.

To load what a run needs takes longer than many runs do; so it is loaded once.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from prefect.rules.exits import UNKNOWN_EXIT
from prefect.settings import get_current_settings
from prefect.settings.runtime_variables import environment_with, fits_a_started_process
from prefect.types.processes import is_running, started

__all__ = ["ForkedProcess", "Template", "Templates"]

_ANSWER_SECONDS = 5.0
"""How long to wait for a child; a template that takes longer is given up."""
_LOOK_SECONDS = 0.05
_REOPEN_SECONDS = 30.0
"""From the start of a template to that of another: one that cannot start is not tried all the time."""


class Templates:
    """Keeps a template, and opens another one if it is killed; entered, it is closed at the end."""

    def __init__(self) -> None:
        # The system libraries of macOS do not bear a fork, and Windows has none.
        is_wanted = get_current_settings().runner.prestart and sys.platform not in ("darwin", "win32")
        self._template = Template() if is_wanted else None
        self._opened = time.monotonic()

    @property
    def current(self) -> Template | None:
        """The template; None where the settings or the system want none."""
        old = self._template
        if old is not None and old.is_gone and time.monotonic() >= self._opened + _REOPEN_SECONDS:
            old.close()
            self._template = Template()
            self._opened = time.monotonic()
        return self._template

    def __enter__(self) -> Templates:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._template is not None:
            self._template.close()


class Template:
    """A process from which those of runs are split off. Safe to use from several threads.

    Whoever starts a process waits for it some milliseconds. Where the template is not ready yet, or is gone,
    it is for the caller to start one without it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asking = threading.Lock()
        self._codes: dict[int, int] = {}
        self._forked: list[int] = []
        self._is_ready = self._is_gone = False
        self._process = self._open()

    def _open(self) -> subprocess.Popen[bytes]:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "prefect.runner.template_process", str(theirs.fileno())],
                env=environment_with({}),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # Ctrl-C at the terminal is for the runner alone.
                start_new_session=True,
            )
        self._channel = ours
        self._reader = threading.Thread(target=self._read, name="prefect-template", daemon=True)
        self._reader.start()
        return process

    @property
    def is_ready(self) -> bool:
        """Whether children can be split off at once."""
        return self._is_ready and not self._is_gone

    @property
    def is_gone(self) -> bool:
        """Whether the process has ended: no child comes from it any more."""
        return self._is_gone

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    def wait_until_ready(self, timeout: float) -> bool:
        """Wait until children can be split off.

        Args:
            timeout: Seconds to wait at most.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_ready or self._is_gone, timeout)
        return self.is_ready

    def fits(self, changes: Mapping[str, str | None], cwd: str | Path | None) -> bool:
        """Return whether a child would be what a process is that is started anew.

        Args:
            changes: The variables that are added to those of this process.
            cwd: Where the process is to start.
        """
        return self.is_ready and fits_a_started_process(changes) and (cwd is None or Path(cwd).is_dir())

    def start(
        self, env: Mapping[str, str], cwd: str | Path | None, output: int, errors: int
    ) -> ForkedProcess | None:
        """Have a child carry out the run that its environment names.

        Args:
            env: Its environment.
            cwd: Where it starts; None: where this process is.
            output: The file descriptor of what it prints.
            errors: The one of what it prints as errors.

        Returns:
            The process, which leads a group of its own; None: the template is gone.
        """
        job = json.dumps({"env": dict(env), "cwd": os.fspath(Path(cwd or Path.cwd()).absolute())})
        reading, writing = os.pipe()
        # Until it is told what to do, the child does nothing: one that comes too late is none.
        with open(writing, "wb") as pipe:
            try:
                pid = self._split_off([reading, output, errors])
            finally:
                os.close(reading)
            if pid is None:
                return None
            with suppress(BrokenPipeError):  # it was killed; its exit code will say so
                pipe.write(job.encode())
                pipe.flush()
        return ForkedProcess(self, pid)

    def _split_off(self, files: list[int]) -> int | None:
        with self._asking:
            try:
                socket.send_fds(self._channel, [b"f"], files)
            except OSError:
                return None
            with self._changed:
                self._changed.wait_for(lambda: self._forked or self._is_gone, _ANSWER_SECONDS)
                if self._forked:
                    return self._forked.pop()
            self._process.kill()
            return None

    def _read(self) -> None:
        with suppress(OSError), self._channel.makefile("r", encoding="ascii") as lines:
            for line in lines:
                word, *numbers = line.split()
                with self._changed:
                    if word == "ready":
                        self._is_ready = True
                    elif word == "forked":
                        self._forked.append(int(numbers[0]))
                    elif word == "ended":
                        self._codes[int(numbers[0])] = int(numbers[1])
                    self._changed.notify_all()
        with self._changed:
            self._is_gone = True
            self._changed.notify_all()

    def code_of(self, pid: int) -> int | None:
        """Return the exit code of a child; None while it was not told."""
        return self._codes.get(pid)

    def wait_for(self, holds: Callable[[], Any], timeout: float) -> None:
        """Wait until something holds that the template tells of, some seconds at most."""
        with self._changed:
            self._changed.wait_for(lambda: holds() or self._is_gone, timeout)

    def close(self) -> None:
        """End the template; its children go on."""
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(_ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._channel.close()


class ForkedProcess:
    """A child of a template; it has of `subprocess.Popen` what `Child` needs.

    Args:
        template: The template.
        pid: The id of the process.
    """

    __slots__ = ("_code", "_started", "_template", "pid")

    def __init__(self, template: Template, pid: int) -> None:
        self.pid = pid
        self._template = template
        self._started = started(pid) or ""
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs."""
        if self._code is None:
            gone = self._template.is_gone
            self._code = self._template.code_of(self.pid)
            if self._code is None and gone and not is_running(self.pid, self._started):
                # Only its parent is told how a process ended, and that was killed.
                self._code = UNKNOWN_EXIT
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the process.

        Args:
            timeout: Seconds to wait; None: as long as it takes.

        Raises:
            subprocess.TimeoutExpired: It did not end in time.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                assert timeout is not None
                raise subprocess.TimeoutExpired([sys.executable], timeout)
            if self._template.is_gone:
                time.sleep(_LOOK_SECONDS)
            else:
                self._template.wait_for(
                    lambda: self._template.code_of(self.pid) is not None,
                    1.0 if left is None else min(1.0, left),
                )
        return code

    def terminate(self) -> None:
        """Ask the process to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End the process at once."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
