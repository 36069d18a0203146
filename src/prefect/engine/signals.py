"""SIGTERM as an exception: a run that is told to end is written down as Crashed before its process ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from prefect.exceptions import TerminationSignal

__all__ = ["termination_as_exception"]


@contextmanager
def termination_as_exception() -> Generator[None, None, None]:
    """Raise `TerminationSignal` in the main thread on SIGTERM, while the block runs.

    A handler that the program has set itself is left alone; so is everything outside of the main thread,
    where Python allows no handlers.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def raise_termination(number: int, _frame: FrameType | None) -> None:
        # Once is enough: a second signal ends the process as it always would.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise TerminationSignal(number)

    signal.signal(signal.SIGTERM, raise_termination)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is raise_termination:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
