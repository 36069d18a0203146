"""What the end of a process says of the flow run that it carried out."""

from __future__ import annotations

import signal
from typing import Any
from uuid import UUID

from prefect.schemas.states import State, StateType

__all__ = ["KILLED_EXITS", "LEFT_EXIT", "STOPPED_EXIT", "UNKNOWN_EXIT", "exit_text", "state_of_exit"]

STOPPED_EXIT = 3
"""The exit code of a process whose run was cancelled, or took too long: it came to no end of its own."""
LEFT_EXIT = 190
"""The exit code of a process that leaves its run to another one: see `prefect.rules.beginning`."""
KILLED_EXITS = (-9, 137)
"""The exit codes of a process that SIGKILL has ended, as the system gives it and as shells do."""

UNKNOWN_EXIT = 256
"""In place of the exit code of a process that has ended where nobody could tell how; no process has it."""

_ADVICE = {
    "SIGKILL": (
        "Nothing can stop that signal; mostly the system sends it to a process that uses more memory than "
        "there is. Give the run more memory, or have it use less."
    ),
    "SIGTERM": "Somebody asked the process to end.",
    "SIGINT": "Somebody pressed Ctrl-C.",
    "SIGSEGV": "A library with code in C did what it must not do, such as touch memory that is not its own.",
    "SIGABRT": "A library gave up, or memory ran out.",
}
_CODES = {
    125: "The container could not be started.",
    126: "The command is there, but cannot be run: see its permissions.",
    127: "The command was not found: see the image, or the PATH.",
    0xC0000005: "A library touched memory that is not its own (access violation).",
    0xC000013A: "Somebody pressed Ctrl-C.",
}


def exit_text(code: int, ran_out: str | None = None) -> str:
    """Return how a process ended, and what that mostly means.

    Args:
        code: Its exit code; a negative one, or one above 128 as shells give it, tells of a signal.
        ran_out: What is known of it, where the system has ended it for want of memory.
    """
    if ran_out is not None:
        return (
            f"The process of this run was ended by the system (SIGKILL), because {ran_out}. Give it more, "
            "have the run use less, or have fewer runs at a time (--limit)."
        )
    if code == UNKNOWN_EXIT:
        return (
            "The process of this run is gone. "
            "How it ended is not known: the process that had started it is gone too."
        )
    name = _signal_name(-code if code < 0 else code - 128)
    if name is not None:
        return f"The process of this run was ended by {name}. {_ADVICE.get(name, '')}".rstrip()
    text = f"The process of this run ended with exit code {code}."
    return f"{text} {_CODES[code]}" if code in _CODES else text


def state_of_exit(
    code: int, state: State[Any] | None, claim: UUID | None = None, ran_out: str | None = None
) -> State[Any] | None:
    """Return the state that a run must be given, since its process has ended.

    Args:
        code: The exit code of the process.
        state: The state that the run was left in.
        claim: The id of the state by which the run was taken for the process, where that is known.
        ran_out: As in `exit_text`.

    Returns:
        Cancelled, for a run that was being cancelled; Crashed, for one that nobody carries on. None, for one
        that has ended, or that waits to be run again.
    """
    if state is None or state.is_final() or state.is_paused() or state.is_scheduled():
        return None
    if state.is_cancelling():
        return State(type=StateType.CANCELLED, message="The flow run was cancelled, and its process ended.")
    text = exit_text(code, ran_out)
    if code == 0 and state.is_pending():
        if state.id != claim:
            return None  # the process left it to the one that has taken it since
        text = f"{text} It did not begin the run, which is what the command of a job is there for."
    elif code == 0:
        text = f"{text} The run had not: its last state could not be written, or the flow ended the process."
    return State(type=StateType.CRASHED, message=text)


def _signal_name(number: int) -> str | None:
    try:
        return signal.Signals(number).name
    except ValueError:
        return None
