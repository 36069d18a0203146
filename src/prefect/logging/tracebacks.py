"""Tracebacks as users want to see them: their own frames, without those of the engine that called them."""

from __future__ import annotations

import os
from traceback import StackSummary, TracebackException
from types import TracebackType

from prefect.settings import get_current_settings

__all__ = ["format_traceback"]

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
