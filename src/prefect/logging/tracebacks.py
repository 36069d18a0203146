"""Tracebacks as users want to see them: their own frames, without those of the engine that called them."""

from __future__ import annotations

import os
from itertools import pairwise
from traceback import StackSummary, TracebackException
from types import TracebackType
from typing import TypeVar

from prefect.settings import get_current_settings

__all__ = ["drop_own_frames", "format_traceback"]

ErrorT = TypeVar("ErrorT", bound=BaseException)

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def format_traceback(
    error_type: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
) -> str:
    """Format an exception the way the interpreter does, less the frames of this package.

    In debug mode all frames are shown. So are they where there are no others.

    Args:
        error_type: The exception's type.
        error: The exception.
        where: Its traceback.

    Returns:
        Lines without a line end after the last.
    """
    if error_type is None or error is None:
        return "NoneType: None"
    found = TracebackException(error_type, error, where, compact=True)
    if not get_current_settings().debug_mode:
        _leave_out_own_frames(found, set())
    return "".join(found.format()).rstrip("\n")


def drop_own_frames(error: ErrorT) -> ErrorT:
    """Take this package's frames out of the traceback of an exception that a user's function raised.

    Those that come after the user's last one stay: what is raised in them is raised by them. In debug mode
    all frames stay.

    Args:
        error: The exception; changed in place.

    Returns:
        The same exception.
    """
    frames: list[TracebackType] = []
    found = error.__traceback__
    while found is not None:
        frames.append(found)
        found = found.tb_next
    is_own = [frame.tb_frame.f_code.co_filename.startswith(_PACKAGE) for frame in frames]
    if all(is_own) or not any(is_own) or get_current_settings().debug_mode:
        return error
    last = len(is_own) - is_own[::-1].index(False) - 1
    kept = [frame for index, frame in enumerate(frames) if index > last or not is_own[index]]
    for frame, below in pairwise(kept):
        frame.tb_next = below
    return error.with_traceback(kept[0])


def _leave_out_own_frames(found: TracebackException, seen: set[int]) -> None:
    if id(found) in seen:
        return
    seen.add(id(found))
    users = [frame for frame in found.stack if not frame.filename.startswith(_PACKAGE)]
    if users:
        found.stack = StackSummary.from_list(users)
    nested = list(getattr(found, "exceptions", None) or ())
    for other in (found.__cause__, found.__context__, *nested):
        if other is not None:
            _leave_out_own_frames(other, seen)
