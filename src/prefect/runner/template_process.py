"""The template of the processes that carry out runs: it has loaded what they need, and splits them off.

`python -m prefect.runner.template_process FD` answers requests that come by a socket. It reads no settings,
starts no thread and loads no code of users, so that a child which it splits off is what a new process is that
runs `python -m prefect.flow_engine`; only that it need not load anything any more.

It ends when the other end of the socket is closed, be it that its owner was killed. Its children go on then.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
from typing import Any, NamedTuple

from prefect.settings.runtime_variables import CAPTURED_OUTPUT, replace_environment, run_variable

__all__ = ["PRELOADED", "main"]

PRELOADED = (
    "asyncio",
    "httpx",
    "prefect",
    "prefect.client.http",
    "prefect.client.local",
    "prefect.deployments.steps.core",
    "prefect.engine.async_drivers",
    "prefect.engine.drivers",
    "prefect.engine.existing_run",
    "prefect.engine.server_journal",
    "prefect.flows",
    "prefect.logging.configuration",
    "prefect.logging.filters",
    "prefect.logging.formatters",
    "prefect.logging.handlers",
    "prefect.logging.highlighters",
    "prefect.operations.deployments",
    "prefect.operations.slots",
    "prefect.operations.work_pools",
    "prefect.recorder.server_sink",
    "prefect.runner.execution",
    "prefect.runtime.deployment",
    "prefect.runtime.flow_run",
    "prefect.runtime.task_run",
    "prefect.store.composed",
    "prefect.store.listings",
    "prefect.store.sqlite",
    "prefect.tasks",
    "pydantic",
    "websockets.sync.client",
)
"""What a run loads before the user's code; what is not installed here is passed over."""


class _Request(NamedTuple):
    """What a child was split off for."""

    job: int
    """Where what it is to do is read."""
    output: int
    errors: int


def main() -> int:
    """Split off children until nobody asks for any more.

    Returns:
        In the template, 0; in a child, never: it carries out its run, and ends as that says.
    """
    channel = socket.socket(fileno=int(sys.argv[1]))
    for name in PRELOADED:
        try:
            importlib.import_module(name)
        except ImportError:
            # A run that needs it says so itself.
            continue
    gc.collect()
    # What is there now stays: looking through it, each child would copy the memory that all of them share.
    gc.freeze()
    request = _serve(channel)
    if request is not None:
        _become(request)
    return 0


def _serve(channel: socket.socket) -> _Request | None:
    """Answer requests; in a child, return what it was split off for."""
    woken, waker = os.pipe()
    for end in (woken, waker):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker)
    try:
        channel.sendall(b"ready\n")
        while True:
            ready, _, _ = select.select([channel.fileno(), woken], [], [])
            if woken in ready:
                os.read(woken, 4096)
                _tell_of_ended(channel)
            if channel.fileno() not in ready:
                continue
            _, given, _, _ = socket.recv_fds(channel, 1, 3)
            if len(given) < 3:
                return None
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for each in (woken, waker, channel.detach()):
                    os.close(each)
                return _Request(*given)
            for each in given:
                os.close(each)
            channel.sendall(f"forked {pid}\n".encode())
    except (BrokenPipeError, ConnectionResetError):
        return None


def _tell_of_ended(channel: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        channel.sendall(f"ended {pid} {os.waitstatus_to_exitcode(status)}\n".encode())


def _become(request: _Request) -> None:
    """Be the process that carries out a run.

    Raises:
        SystemExit: It is carried out.
    """
    os.setsid()
    with open(request.job, "rb") as pipe:
        text = pipe.read()
    if not text:
        # Whoever asked for it has started another process meanwhile, or was killed.
        os._exit(0)
    job: dict[str, Any] = json.loads(text)
    for number, given in ((1, request.output), (2, request.errors)):
        os.dup2(given, number)
        if given != number:
            os.close(given)
    assert sys.stdout is not None
    replace_environment(job["env"])
    # As Python makes it; what becomes logs of the run does so at the end of each line.
    is_read_by_line = sys.stdout.isatty() or run_variable(CAPTURED_OUTPUT) is not None
    sys.stdout.reconfigure(line_buffering=is_read_by_line)  # type: ignore[union-attr] # it is one of Python's
    time.tzset()
    if job["cwd"] is not None:
        os.chdir(job["cwd"])
    if not sys.flags.safe_path:
        sys.path[0] = os.getcwd()
    sys.argv = [""]
    runpy.run_module("prefect.flow_engine", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    sys.exit(main())
