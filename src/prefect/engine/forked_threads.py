"""How a child ends that was forked in a thread of ours."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from typing import NoReturn

from prefect.recorder.registry import _recorders

__all__ = ["end_child"]


def end_child(error: BaseException | None = None) -> NoReturn:
    """End this process, a child that was forked in a thread which has nothing more to do.

    The interpreter would end it as it is, without a word about an exception, and with all that was recorded
    still to be written.

    Args:
        error: What was raised, if anything was.
    """
    status = 0
    if isinstance(error, SystemExit):
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        status = 1
        with suppress(Exception):
            traceback.print_exception(error)
    for recorder in list(_recorders.values()):
        recorder.close()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(status)
