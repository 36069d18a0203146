"""Marks on the console, where what a process prints becomes logs of its run.

A runner may keep what the process of a run prints. Among it are log records that the process has kept itself
before it showed them: they are put between marks, so that who reads knows them, whatever they look like. The
variable says which pipes are read so, and by whom; a process whose output goes elsewhere meanwhile sets no
marks.
"""

from __future__ import annotations

import os
from typing import Any, TextIO

from prefect.settings.runtime_variables import CAPTURED_OUTPUT, run_variable
from prefect.types.processes import is_running, started

__all__ = ["END", "START", "captured_variable", "has_reader", "is_captured", "marked"]

START, END = b"\x1e\x02", b"\x03\x1e"
"""Control characters that no text has."""


def captured_variable(*pipes: int) -> dict[str, str]:
    """Return the variable that tells a process, and what it starts, that pipes are read by this one.

    Args:
        *pipes: Their file descriptors, here.
    """
    reader = f"{os.getpid()}@{started(os.getpid()) or ''}"
    return {CAPTURED_OUTPUT: ",".join([*(_identity(each) for each in pipes), reader])}


def has_reader() -> bool:
    """Whether the process is there that reads what this one prints."""
    pid, _, started_at = (run_variable(CAPTURED_OUTPUT) or "").rpartition(",")[2].partition("@")
    return pid.isdecimal() and is_running(int(pid), started_at)


def is_captured(stream: TextIO | Any) -> bool:
    """Whether what is written to a stream becomes logs of the run.

    Args:
        stream: The stream.
    """
    pipes = run_variable(CAPTURED_OUTPUT)
    if pipes is None:
        return False
    try:
        return _identity(stream.fileno()) in pipes.split(",")
    except (OSError, ValueError, AttributeError):  # it is no file, or is closed
        return False


def marked(text: str) -> str:
    """Put a text between marks.

    Args:
        text: The text.
    """
    start, end = START.decode(), END.decode()
    return f"{start}{text.replace(start[0], '')}{end}"


def _identity(descriptor: int) -> str:
    found = os.fstat(descriptor)
    return f"{found.st_dev}:{found.st_ino}"
