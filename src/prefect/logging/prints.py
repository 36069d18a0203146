"""`log_prints`: what runs print becomes log lines.

`builtins.print` is replaced once in a process, when the first run that wants it begins, and stays replaced:
the replacement looks at the context of each call. To put a print function in and take it out again around
each run would let concurrent runs undo each other's work.
"""

from __future__ import annotations

import builtins
import io
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from prefect.context import FlowRunContext, TaskRunContext
from prefect.context.runs import carries_prints, set_print_installer
from prefect.logging.run_loggers import get_run_logger

__all__ = ["install_print", "patch_print", "print_as_log"]

_first = _original = builtins.print
_passing_on = threading.local()


def print_as_log(*args: Any, **kwargs: Any) -> None:
    """Print, or log, if this is inside a run that logs what it prints.

    Text for other files than standard output and standard error is printed in any case.

    Args:
        *args: As for `print`.
        **kwargs: As for `print`.
    """
    context = TaskRunContext.get() or FlowRunContext.get()
    is_logged = context.log_prints if context is not None else carries_prints()
    if not is_logged or kwargs.get("file") not in (None, sys.stdout, sys.stderr):
        _pass_on(*args, **kwargs)
        return
    logger = get_run_logger()
    with io.StringIO() as written:
        _pass_on(*args, **{**kwargs, "file": written})
        logger.info("%s", written.getvalue().removesuffix("\n"))


def _pass_on(*args: Any, **kwargs: Any) -> None:
    """Print as it was before.

    Another library may have replaced `print` after this one did, as Ray does: then each holds the other's for
    the original, and what comes back here is printed as it was before both.
    """
    if getattr(_passing_on, "is_under_way", False):
        _first(*args, **kwargs)
        return
    _passing_on.is_under_way = True
    try:
        _original(*args, **kwargs)
    finally:
        _passing_on.is_under_way = False


def install_print() -> None:
    """See to it that `print` logs in runs that want it, from now on."""
    global _original
    if builtins.print is not print_as_log:
        _original, builtins.print = builtins.print, print_as_log


@contextmanager
def patch_print() -> Generator[None]:
    """See to it that `print` logs in runs that want it. It goes on to do so after the `with` block."""
    install_print()
    yield


set_print_installer(install_print)
