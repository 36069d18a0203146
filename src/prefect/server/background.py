"""A server in the background: how it is started, found and stopped; a file says which process it is."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from prefect.exceptions import ConfigurationError
from prefect.schemas.base import whole
from prefect.server.origins import is_loopback
from prefect.server.run import Serving, serve
from prefect.types.processes import is_running, started

__all__ = ["Background", "detach", "find_background", "is_healthy", "stop_background", "wait_until_healthy"]

START_SECONDS = 60.0
STOP_SECONDS = 90.0
"""Longer than a server takes that lets requests end and writes what it has."""
_PAUSE_SECONDS = 0.05
_ASK_SECONDS = 10.0


class Background(msgspec.Struct, frozen=True):
    """A server in the background."""

    pid: int
    started: str
    """What tells the process from a later one with its id."""
    url: str


class Paths(NamedTuple):
    """The files of a server in the background."""

    pid: Path
    log: Path

    @classmethod
    def below(cls, home: Path) -> Paths:
        """Return the files that belong to a `PREFECT_HOME`."""
        return cls(home / "server.pid", home / "server.log")


def find_background(home: Path) -> Background | None:
    """Return the server that runs in the background; a file that an ended one left is removed.

    Args:
        home: `PREFECT_HOME`.
    """
    path = Paths.below(home).pid
    try:
        found = msgspec.json.decode(path.read_bytes(), type=whole(Background))
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Cut short, or written by another program.
        path.unlink(missing_ok=True)
        return None
    if is_running(found.pid, found.started):
        return found
    path.unlink(missing_ok=True)
    return None


def detach(home: Path, serving: Serving) -> Background:
    """Serve in a process of its own, and return when it answers.

    Args:
        home: `PREFECT_HOME`.
        serving: How. Its listener is closed here: it is the other process's.

    Raises:
        prefect.exceptions.ConfigurationError: One is there already, or it does not start.
    """
    if not hasattr(os, "fork"):
        raise ConfigurationError("--background needs a system that can fork, which Windows cannot.")
    paths = Paths.below(home)
    if (running := find_background(home)) is not None:
        raise ConfigurationError(
            f"A server is running in the background (process {running.pid}, {running.url}). "
            "Stop it with `prefect server stop`."
        )
    home.mkdir(parents=True, exist_ok=True)
    with paths.log.open("ab") as log:
        start = log.tell()
        pid = os.fork()
        if pid == 0:
            _become_daemon(log.fileno(), serving)
    serving.listener.close()
    background = Background(pid, started(pid) or "", serving.url)
    paths.pid.write_bytes(msgspec.json.encode(background))
    if not wait_until_healthy(serving.url, START_SECONDS, lambda: os.waitpid(pid, os.WNOHANG) == (0, 0)):
        stop_background(home)
        said = paths.log.read_bytes()[start:].decode(errors="replace").strip()
        raise ConfigurationError(f"The server did not start. {said or f'See {paths.log}.'}")
    return background


def stop_background(home: Path) -> Background | None:
    """Have the server in the background end, and wait for that.

    Args:
        home: `PREFECT_HOME`.

    Returns:
        The server; None: there was none.

    Raises:
        prefect.exceptions.ConfigurationError: It does not end.
    """
    found = find_background(home)
    if found is None:
        return None
    with contextlib.suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while is_running(found.pid, found.started):
        if time.monotonic() > deadline:
            raise ConfigurationError(
                f"The server (process {found.pid}) has not ended within {STOP_SECONDS:g} seconds. "
                f"`kill -9 {found.pid}` ends it; what it has accepted by HTTP is kept."
            )
        time.sleep(_PAUSE_SECONDS)
    Paths.below(home).pid.unlink(missing_ok=True)
    return found


def wait_until_healthy(
    url: str, seconds: float | None, is_worth_it: Callable[[], bool] = lambda: True
) -> bool:
    """Wait until a server answers, and say whether it does.

    Args:
        url: Where its API is.
        seconds: How long; None: without end.
        is_worth_it: Is asked whether to wait on.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    while not is_healthy(url, _ASK_SECONDS if deadline is None else deadline - time.monotonic()):
        if not is_worth_it() or (deadline is not None and time.monotonic() > deadline):
            return False
        time.sleep(_PAUSE_SECONDS)
    return True


def is_healthy(url: str, seconds: float = _ASK_SECONDS) -> bool:
    """Say whether a server answers.

    Args:
        url: Where its API is.
        seconds: How long to wait for the answer, at most.
    """
    # No proxy stands before this machine itself, whatever the environment says of others.
    is_here = _is_of_this_machine(urlsplit(url).hostname or "")
    handlers = [urllib.request.ProxyHandler({})] if is_here else []
    opener = urllib.request.build_opener(*handlers)
    try:
        with opener.open(f"{url}/health", timeout=max(0.1, min(seconds, _ASK_SECONDS))) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def _is_of_this_machine(host: str) -> bool:
    """Whether an address is one that can be listened on here; no name but `localhost` is looked up."""
    if is_loopback(host):
        return True
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
        with socket.socket(family) as probe:
            probe.bind((host, 0))
    except (OSError, ValueError):
        return False
    return True


def _become_daemon(log: int, serving: Serving) -> None:
    """Serve, and never return: this process is a copy of one that has other things to do."""
    code = 1
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for to, stream in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(to, stream)
        serve(serving)
        code = 0
    except Exception as error:  # noqa: BLE001 - whatever it is goes to the log, which whoever started it shows
        os.write(2, f"{error}\n".encode())
    finally:
        os._exit(code)
