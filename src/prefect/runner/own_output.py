"""What becomes of what a run prints when the runner that keeps it is gone: the run's process keeps it itself.

Its pipes would break else, and whoever prints would fail, and the run with it. So the process holds them open
for reading too, and reads them once nobody else does. What was read already, and not kept, is lost with the
runner.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from contextvars import copy_context

from prefect.logging.captured import has_reader, is_captured
from prefect.runner.output import CapturedOutput
from prefect.schemas.objects import FlowRun
from prefect.types import call_in_forked_child

__all__ = ["kept_by_itself"]

_LOOK_SECONDS = 0.5
_LAST_LOOK_SECONDS = 0.01


@contextmanager
def kept_by_itself(run: FlowRun) -> Generator[None, None, None]:
    """Keep what this process prints in the logs of its run while the block runs, if its reader is gone.

    Args:
        run: The run.
    """
    ends = _ends()
    if ends is None:
        yield
        return
    stop = threading.Event()
    output = CapturedOutput(run, is_shown=False, ends=ends)

    def look() -> None:
        while not stop.wait(_LOOK_SECONDS):
            if not has_reader():
                output.read_on()
                return

    looking = threading.Thread(
        target=copy_context().run, args=(look,), name="prefect-own-output", daemon=True
    )
    looking.start()
    try:
        yield
    finally:
        stop.set()
        looking.join()
        if output.is_reading:
            for each in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):  # the user's code may have closed it
                    each.flush()
            while not output.is_complete():
                time.sleep(_LAST_LOOK_SECONDS)


def _ends() -> tuple[int, int] | None:
    """Open the pipes that this process prints to, to read what it prints; None where it prints elsewhere."""
    # Where the reader cannot be seen from the beginning, nothing would tell that it has gone.
    if not (is_captured(sys.stdout) and is_captured(sys.stderr) and has_reader()):
        return None
    out, err = sys.stdout.fileno(), sys.stderr.fileno()
    try:
        ends = os.open(f"/proc/self/fd/{out}", os.O_RDONLY), os.open(f"/proc/self/fd/{err}", os.O_RDONLY)
        known = [os.fstat(each) for each in ends]
    except OSError:  # pipes can be opened by their names on Linux only
        return None

    def close() -> None:
        # A process that is forked off may outlive this one, and would wait for a reader for ever.
        for end, status in zip(ends, known, strict=True):
            with suppress(OSError):
                if os.path.samestat(os.fstat(end), status):
                    os.close(end)

    call_in_forked_child(close)
    return ends
