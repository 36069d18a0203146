"""Processes of this machine: who is running, and whether somebody still is."""

from __future__ import annotations

import os
from pathlib import Path
from platform import node

__all__ = ["host_id", "is_running", "started"]


def host_id() -> str:
    """Return what names the place in which a process id means this process and no other.

    That is the machine's name, its boot, and on Linux the process namespace: containers share a
    machine but not their process ids.
    """
    return ":".join((node(), _boot(), _namespace()))


def started(pid: int) -> str | None:
    """Return when a process was started, which tells it from a later one with its id.

    Args:
        pid: A process id of this machine.

    Returns:
        None where the process is gone (or dead and waiting for its parent); an empty text where the system
        does not say.
    """
    try:
        # The second field is the program's name in parentheses, which may hold anything.
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except FileNotFoundError:
        return None if _has_proc() or not _answers(pid) else ""
    except (ProcessLookupError, PermissionError, OSError):
        return None if not _answers(pid) else ""
    return None if fields[0] in "ZXx" else fields[19]


def is_running(pid: int, started_at: str) -> bool:
    """Whether a process of this machine is still there.

    Args:
        pid: Its id.
        started_at: What `started` returned for it.
    """
    now = started(pid)
    return now is not None and (not now or not started_at or now == started_at)


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _has_proc() -> bool:
    return Path("/proc/self/stat").exists()


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
