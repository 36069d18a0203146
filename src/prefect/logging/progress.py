"""A line at the bottom of a terminal that says how far many tasks are."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import Self, TextIO

from prefect.settings.terminal import is_terminal
from prefect.types import call_in_forked_child

__all__ = ["Progress", "without_progress"]

INTERVAL = 0.1
"""Seconds between two updates, at least."""

_shown: Progress | None = None
_lock = threading.RLock()


class Progress:
    """A progress line; where standard error is no terminal it does nothing.

    Args:
        total: How many there are to do.
        label: What they are.
        stream: Where to write, standard error by default.

    Use it as a context manager, so that the line is taken away at the end.
    """

    __slots__ = ("_label", "_next", "_started", "_stream", "_visible", "done", "total")

    def __init__(self, total: int, label: str, *, stream: TextIO | None = None) -> None:
        self.done = 0
        self.total = total
        self._label = label
        self._stream = stream if stream is not None else sys.stderr
        self._visible = is_terminal(self._stream)
        self._started = monotonic()
        self._next = self._started + INTERVAL

    @property
    def is_visible(self) -> bool:
        """Whether somebody can see it."""
        return self._visible

    def __enter__(self) -> Self:
        global _shown
        with _lock:
            if self._visible and _shown is None:
                _shown = self
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        global _shown
        with _lock:
            if _shown is self:
                self._clear()
                _shown = None

    def advance(self, by: int = 1) -> None:
        """Note that some more are done."""
        self.done += by
        if self._visible and (self.done >= self.total or monotonic() >= self._next):
            with _lock:
                if _shown is self:
                    self._next = monotonic() + INTERVAL
                    self._draw()

    def _draw(self) -> None:
        seconds = monotonic() - self._started
        filled = 30 * self.done // max(self.total, 1)
        bar = "█" * filled + "░" * (30 - filled)
        speed = self.done / max(seconds, 0.001)
        self._write(f"\r\x1b[2K{self._label} {bar} {self.done:,}/{self.total:,} {speed:,.0f}/s")

    def _clear(self) -> None:
        self._write("\r\x1b[2K")

    def _write(self, text: str) -> None:
        if self._visible:
            try:
                self._stream.write(text)
                self._stream.flush()
            except (
                OSError,
                ValueError,
            ):  # the terminal is gone, or cannot show the bar
                self._visible = False


@contextmanager
def without_progress() -> Generator[None]:
    """Take the progress line away inside `with`, so that something else can be written."""
    if _shown is None:
        yield
        return
    with _lock:
        shown = _shown
        if shown is not None:
            shown._clear()
        try:
            yield
        finally:
            if shown is not None:
                shown._draw()


def _after_fork() -> None:
    global _shown, _lock
    _shown, _lock = None, threading.RLock()


call_in_forked_child(_after_fork)
