"""Where log records go: to the console, and to the recorder with the run that they belong to."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO
from uuid import UUID

from prefect.context import current_flow_run, current_task_run
from prefect.exceptions import MissingContextError
from prefect.logging import progress
from prefect.logging.captured import is_captured, marked
from prefect.logging.formatters import PrefectFormatter
from prefect.logging.highlighters import Highlighter, PrefectConsoleHighlighter
from prefect.logging.styles import render_markup
from prefect.recorder import get_recorder, recorder_of
from prefect.schemas.objects import Log
from prefect.settings import get_current_settings
from prefect.settings.terminal import terminal_has_colors

__all__ = ["APILogHandler", "APILogWorker", "PrefectConsoleHandler", "cut_to_size"]

_IN_RUN_LOGS = "_in_run_logs"
"""Marks a record on its way to the console that is not to become a log a second time."""

_plain = PrefectFormatter("%(message)s")
_uuid = lru_cache(maxsize=1024)(UUID)


class APILogHandler(logging.Handler):
    """Hands records that belong to a run to the recorder, which stores them with the run."""

    def emit(self, record: logging.LogRecord) -> None:
        """Record a log record.

        Raises:
            prefect.exceptions.MissingContextError: No run is known, and the setting
                PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW is `error`.
        """
        try:
            settings = get_current_settings().logging.to_api
            if not settings.enabled or not getattr(record, "send_to_api", True):
                setattr(record, _IN_RUN_LOGS, True)  # nor is it to become one by the console
                return
            log = self.prepare(record)
        except MissingContextError:
            raise
        except Exception:  # noqa: BLE001 - logging must not raise
            self.handleError(record)
        else:
            if log is not None:
                recorder = recorder_of(log.flow_run_id)
                # What the store logs while records are written would keep the recorder busy for ever.
                if not recorder.is_writing:
                    recorder.log(log)
                    setattr(record, _IN_RUN_LOGS, True)

    def prepare(self, record: logging.LogRecord) -> Log | None:
        """Make what is stored from a record; None where it belongs to no run.

        Args:
            record: A record. `extra` may name the run: `flow_run_id`, `task_run_id`.

        Raises:
            prefect.exceptions.MissingContextError: No run is known, and the settings want an error then.
        """
        values = record.__dict__
        flow_run_id, task_run_id = values.get("flow_run_id"), values.get("task_run_id")
        if flow_run_id is None and task_run_id is None:
            flow_run, task_run = current_flow_run(), current_task_run()
            if flow_run is None and task_run is None:
                _tell_missing_run(record)
                return None
            flow_run_id = task_run.flow_run_id if task_run is not None else flow_run and flow_run.id
            task_run_id = task_run.id if task_run is not None else None
        has_more = record.exc_info or record.exc_text or record.stack_info or self.formatter is not None
        return Log(
            name=record.name,
            level=record.levelno,
            message=_cut(self.format(record) if has_more else record.getMessage()),
            timestamp=datetime.fromtimestamp(record.created, UTC),
            flow_run_id=_uuid(str(flow_run_id)) if flow_run_id is not None else None,
            task_run_id=_uuid(str(task_run_id)) if task_run_id is not None else None,
        )

    def format(self, record: logging.LogRecord) -> str:
        """Format a record: the message and the traceback, unless another formatter was set."""
        return (self.formatter or _plain).format(record)

    def flush(self) -> None:
        """Write everything that was recorded."""
        get_recorder().flush()

    @classmethod
    async def aflush(cls) -> None:
        """Write everything that was recorded."""
        get_recorder().flush()


def _tell_missing_run(record: logging.LogRecord) -> None:
    """Tell that a record belongs to no run, as the settings want it; those of other libraries may."""
    when_missing = get_current_settings().logging.to_api.when_missing_flow
    if when_missing == "ignore" or not record.name.startswith("prefect."):
        return
    text = (
        f"Logger {record.name!r} attempted to send logs to the API without a flow run id. The API log "
        "handler can only send logs within flow run contexts unless the flow run id is manually provided."
    )
    if when_missing == "error":
        raise MissingContextError(text)
    hint = " Set PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW=ignore to suppress this warning."
    warnings.warn(text + hint, stacklevel=9)


def _cut(message: str) -> str:
    return cut_to_size(message, get_current_settings().logging.to_api.max_log_size)


def cut_to_size(message: str, most: int, size: int = 0) -> str:
    """Cut a message that is too long, with a mark that says how much is missing.

    Args:
        message: The message.
        most: The bytes that it may have.
        size: The bytes that it had, where some of them are cut already.
    """
    if max(len(message) * 4, size) <= most:
        return message
    encoded = message.encode("utf-8", "backslashreplace")
    size = max(len(encoded), size)
    if size <= most:
        return message
    mark = f"… [{size:,} bytes, cut to {most:,}]"
    kept = encoded[: max(0, most - len(mark.encode()))].decode("utf-8", "ignore")
    return kept + mark


class PrefectConsoleHandler(logging.StreamHandler[TextIO]):
    """Writes records to the console, in colour where it is a terminal.

    Args:
        stream: Where to write; standard error, whatever it is at the time, by default.
        highlighter: What is coloured.
        styles: The styles of what is coloured, by name, where they are to differ from the usual.
        level: The least level to write.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        highlighter: type[Highlighter] = PrefectConsoleHighlighter,
        styles: Mapping[str, str] | None = None,
        level: int | str = logging.NOTSET,
    ) -> None:
        super().__init__(stream)
        self._fixed_stream = stream
        self._highlight = highlighter(styles)
        self.setLevel(level)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        stream = self._fixed_stream if self._fixed_stream is not None else sys.stderr
        if stream is None:  # a process without a console
            return
        is_in_run_logs = record.__dict__.pop(_IN_RUN_LOGS, False)
        try:
            text = self._render(record, stream) + self.terminator
            if is_in_run_logs and is_captured(stream):
                text = marked(text)
            with progress.without_progress():
                _write(stream, text)
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001 - logging must not raise
            self.handleError(record)

    def _render(self, record: logging.LogRecord, stream: TextIO) -> str:
        settings = get_current_settings().logging
        colors = settings.colors and terminal_has_colors(stream)
        text = self.format(record)
        if colors:
            text = self._highlight(text)
        return render_markup(text, colors=colors) if settings.markup else text


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


class APILogWorker:
    """What sends logs, as the interface knows it; it is the recorder."""

    @classmethod
    def instance(cls, *_: Any) -> APILogWorker:
        """Return the worker."""
        return cls()

    def send(self, item: Mapping[str, Any]) -> None:
        """Record a log given as a mapping."""
        get_recorder().log(Log.model_validate(dict(item)))

    @classmethod
    def drain_all(cls, timeout: float | None = None) -> bool:
        """Write everything that was recorded.

        Args:
            timeout: Seconds to wait at most.
        """
        return get_recorder().flush(timeout)
