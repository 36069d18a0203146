"""Programs that a run has started, and that are still there when its process is not.

A run's process leads a session. What it starts belongs to that, unless it makes a session of its own, as
daemons do; then its environment still names the run, or whoever started it is known. Where there is no
`/proc` to look into, only the process's group is known.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

__all__ = ["Strays"]

GRACE = 5.0
"""Seconds that programs have to end when they are asked to."""


class _Process(NamedTuple):
    pid: int
    started: str
    parent: int
    session: int
    is_over: bool


class Strays:
    """What the process of a run has started.

    Args:
        leader: The id of the process.
        mark: What the environment of all that it starts has: `NAME=value`.
    """

    __slots__ = ("_is_killed", "_known", "_leader", "_mark", "_until")

    def __init__(self, leader: int, mark: str) -> None:
        self._leader = leader
        self._mark = mark.encode()
        self._known: set[tuple[int, str]] = set()
        """What was seen below the process while that was there."""
        self._until: float | None = None
        self._is_killed = False

    def look(self) -> None:
        """Note what the process has started so far: afterwards nothing may tell of some of it."""
        everything = _processes()
        below = _with_descendants({self._leader}, everything)
        self._known |= {(each.pid, each.started) for each in everything if each.pid in below}
        self._known = {each for each in self._known if each[0] != self._leader}

    def end(self) -> bool:
        """Ask what is left to end, and make it after some seconds; to be called again until it is done.

        Returns:
            Whether nothing is left.
        """
        left = self._left()
        if not left:
            return True
        if self._until is None:
            self._until = monotonic() + GRACE
            _send(left, signal.SIGTERM)
        elif monotonic() >= self._until:
            if self._is_killed:  # the system does not let go of it: it waits for a disk, say
                return True
            _send(left, signal.SIGKILL)
            self._is_killed, self._until = True, monotonic() + GRACE
        return False

    def kill(self) -> None:
        """End what is left at once."""
        left = self._left()
        if left:  # Windows has no such signal, and nothing is found there
            _send(left, signal.SIGKILL)

    def _left(self) -> list[int]:
        everything = _processes()
        if not everything:
            return _group(self._leader)
        # A process that has the leader's id now is another one, and the session its own.
        is_ours = not any(each.pid == self._leader and not each.is_over for each in everything)
        # Who watches may itself have been started for the run, by a command that wraps it.
        watching = _with_ancestors(os.getpid(), everything)
        roots = {
            each.pid
            for each in everything
            if each.pid not in watching
            and (
                (each.pid, each.started) in self._known
                or (is_ours and each.session == self._leader)
                or self._mark in _environment(each.pid)
            )
        }
        found = _with_descendants(roots, everything)
        return [each.pid for each in everything if each.pid in found and not each.is_over]


def _processes() -> list[_Process]:
    found = []
    with suppress(OSError):
        for name in os.listdir("/proc"):
            if not name.isdecimal():
                continue
            try:
                text = Path(f"/proc/{name}/stat").read_text(encoding="utf-8", errors="replace")
            except OSError:  # it has ended just now
                continue
            # The second field is the program's name in parentheses, which may hold anything.
            fields = text.rpartition(")")[2].split()
            found.append(
                _Process(int(name), fields[19], int(fields[1]), int(fields[3]), fields[0] in ("Z", "X", "x"))
            )
    return found


def _with_descendants(roots: Iterable[int], everything: Iterable[_Process]) -> set[int]:
    children: dict[int, list[int]] = {}
    for each in everything:
        children.setdefault(each.parent, []).append(each.pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting.extend(children.get(pid, ()))
    return found


def _with_ancestors(pid: int, everything: Iterable[_Process]) -> set[int]:
    parents = {each.pid: each.parent for each in everything}
    found: set[int] = set()
    while pid in parents and pid not in found:
        found.add(pid)
        pid = parents[pid]
    return found


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # it has ended just now, or is somebody else's
        return []


def _group(leader: int) -> list[int]:
    """Return what stands for the group of a process, while there is anybody in it."""
    if not hasattr(os, "killpg"):
        return []
    try:
        os.killpg(leader, 0)
    except (ProcessLookupError, PermissionError):
        return []
    return [-leader]


def _send(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        # Less than 0: all that are in a group.
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
