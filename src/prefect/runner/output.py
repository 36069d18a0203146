"""What the process of a run prints, line by line, for the run's logs and for who watches.

The process writes to two pipes, whoever it is in it that writes: Python, a library in C, a program that it
has started. Its own console lines that are among the run's logs already are marked by it, see
`prefect.logging.captured`; they are shown and not kept a second time.

What is kept is bounded: a line as every log is, the whole by `MOST`. Beyond that the last lines are held back
for the end, since they are what tells why a process has died.
"""

from __future__ import annotations

import logging
import os
import selectors
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from contextvars import copy_context
from time import monotonic
from typing import NamedTuple

from prefect.logging.captured import END, START, captured_variable
from prefect.logging.handlers import cut_to_size
from prefect.recorder import get_recorder
from prefect.schemas.objects import FlowRun, Log
from prefect.settings import get_current_settings
from prefect.types import now

__all__ = ["CapturedOutput", "Lines"]

MOST = 50_000_000
"""Bytes of a process's output that are kept as they come."""
LAST_LINES = 100
"""Lines that are kept of what comes after these."""
LAST_SIZE = 2_000
"""Characters of such a line, at most."""
_CHUNK = 65_536
_LOOK_SECONDS = 0.5
_LOOK_AT_END_SECONDS = 0.05
_PATIENCE_SECONDS = 10.0
"""How long a run's end waits until its output is kept, at most."""


class Lines:
    """Cuts bytes into lines, whatever pieces they come in, and tells what is marked from what is not.

    Args:
        most: Bytes of a line that are kept; the rest is only counted.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._is_marked = False
        self._held = b""
        """The first half of what may be a mark."""
        self._line = bytearray()
        self._missing = 0
        self.shown = bytearray()
        """All of it, without the marks; who shows it takes it away."""

    def feed(self, data: bytes) -> Iterator[str]:
        """Give the lines that end with some more bytes.

        Args:
            data: The bytes.
        """
        data = self._held + data
        self._held = b""
        while data:
            mark = END if self._is_marked else START
            text, found, data = data.partition(mark)
            if not found and text.endswith(mark[:1]):
                self._held, text = mark[:1], text[:-1]
            self.shown += text
            if not self._is_marked:
                yield from self._add(text)
            if found:
                self._is_marked = not self._is_marked

    def end(self) -> Iterator[str]:
        """Give what came after the last line's end, if it is anything."""
        held, self._held = self._held, b""
        self.shown += held
        if not self._is_marked:
            yield from self._add(held)
        yield from self._finished()

    def _add(self, text: bytes) -> Iterator[str]:
        *ended, rest = text.split(b"\n")
        for each in ended:
            self._extend(each)
            yield from self._finished()
        self._extend(rest)

    def _extend(self, part: bytes) -> None:
        if not part:
            return
        if self._line.endswith(b"\r"):  # what is written over, as progress bars are, was not to stay
            self._restart()
        over = part.rfind(b"\r", 0, -1)
        if over >= 0:
            self._restart()
            part = part[over + 1 :]
        room = max(0, self._most + 1 - len(self._line))
        self._line += part[:room]
        self._missing += max(0, len(part) - room)

    def _restart(self) -> None:
        self._line.clear()
        self._missing = 0

    def _finished(self) -> Iterator[str]:
        size = len(self._line) + self._missing
        # NUL is a character that PostgreSQL does not take.
        text = bytes(self._line).decode(errors="replace").replace("\0", "\ufffd").rstrip("\r")
        self._restart()
        if text.strip():
            yield cut_to_size(text, self._most, size)


class _Stream(NamedTuple):
    lines: Lines
    name: str
    level: int


class CapturedOutput:
    """Takes what the process of a run prints.

    Args:
        run: The run.
        is_shown: Whether it is printed here too.
        ends: Where it is read; None: two pipes are made.
    """

    def __init__(self, run: FlowRun, is_shown: bool, ends: tuple[int, int] | None = None) -> None:
        self._run = run
        self._is_shown = is_shown
        self._most = get_current_settings().logging.to_api.max_log_size
        if ends is None:
            self._out, self.stdout = os.pipe()
            self._err, self.stderr = os.pipe()
        else:
            self._out, self._err = ends
        self._kept = self._left_out = 0
        self._last: deque[tuple[_Stream, str]] = deque(maxlen=LAST_LINES)
        self._is_over = self._is_reading = False
        self._waits_until = 0.0
        self._is_drained = threading.Event()

    @property
    def variables(self) -> dict[str, str]:
        """What the process's environment says of it."""
        # What is printed shortly before a process is killed must not be in its memory still.
        return {**captured_variable(self.stdout, self.stderr), "PYTHONUNBUFFERED": "1"}

    def begin(self) -> None:
        """Read, from now on: the process is there."""
        os.close(self.stdout)
        os.close(self.stderr)
        self.read_on()

    @property
    def is_reading(self) -> bool:
        """Whether it reads, or has read all there was."""
        return self._is_reading

    def read_on(self) -> None:
        """Read, from now on."""
        self._is_reading = True
        run = copy_context().run
        threading.Thread(target=run, args=(self._read,), name="prefect-output", daemon=True).start()

    def give_up(self) -> None:
        """Close everything: there is no process."""
        for end in (self.stdout, self.stderr, self._out, self._err):
            os.close(end)

    def is_complete(self) -> bool:
        """Return whether all is kept that the process has printed, which has ended; it waits for nothing.

        What programs print that outlive it is kept too, as long as this process is there.
        """
        if not self._is_over:
            self._waits_until = monotonic() + _PATIENCE_SECONDS
            self._is_over = True
        return self._is_drained.is_set() or monotonic() >= self._waits_until

    def _read(self) -> None:
        streams = {
            self._out: _Stream(Lines(self._most), "stdout", logging.INFO),
            self._err: _Stream(Lines(self._most), "stderr", logging.WARNING),
        }
        try:
            with selectors.DefaultSelector() as selector:
                for end in streams:
                    selector.register(end, selectors.EVENT_READ)
                while selector.get_map():
                    ready = selector.select(_LOOK_AT_END_SECONDS if self._is_over else _LOOK_SECONDS)
                    if not ready and self._is_over and not self._is_drained.is_set():
                        self._finish(list(streams.values()))
                    for key, _ in ready:
                        data = os.read(key.fd, _CHUNK)
                        if data:
                            self._take(streams[key.fd], data)
                        else:
                            selector.unregister(key.fd)
        finally:
            self._finish(list(streams.values()))
            for end in streams:
                os.close(end)

    def _take(self, stream: _Stream, data: bytes) -> None:
        for text in stream.lines.feed(data):
            self._keep(stream, text)
        self._show(stream, is_all=False)

    def _finish(self, streams: list[_Stream]) -> None:
        """Keep what is unfinished, and say what was left out."""
        for stream in streams:
            for text in stream.lines.end():
                self._keep(stream, text)
            self._show(stream, is_all=True)
        if self._left_out:
            text = (
                f"… {self._left_out:,} bytes of output are left out here: it is more than {MOST:,}. Its end:"
            )
            self._log(streams[-1], text)
        for stream, text in self._last:
            self._log(stream, text)
        self._left_out = 0
        self._last.clear()
        get_recorder().flush()
        self._is_drained.set()

    def _keep(self, stream: _Stream, text: str) -> None:
        if self._kept < MOST:
            self._kept += len(text)
            self._log(stream, text)
            return
        if len(self._last) == LAST_LINES:
            self._left_out += len(self._last[0][1])
        self._left_out += max(0, len(text) - LAST_SIZE)
        self._last.append((stream, text[:LAST_SIZE]))

    def _log(self, stream: _Stream, text: str) -> None:
        get_recorder().log(
            Log(
                name=f"prefect.flow_runs.{stream.name}",
                level=stream.level,
                message=text,
                timestamp=now(),
                flow_run_id=self._run.id,
            )
        )

    def _show(self, stream: _Stream, is_all: bool) -> None:
        """Print what came, in whole lines where they are not very long."""
        waiting = stream.lines.shown
        end = len(waiting) if is_all or len(waiting) > _CHUNK else waiting.rfind(b"\n") + 1
        data = bytes(waiting[:end])
        del waiting[:end]
        target = getattr(sys, stream.name)
        if not self._is_shown or not data or target is None:
            return
        # Who watches may have gone, which does not concern the run.
        with suppress(OSError, ValueError):
            if hasattr(target, "buffer"):
                target.flush()
                target.buffer.write(data)
                target.buffer.flush()
            else:
                target.write(data.decode(errors="replace"))
