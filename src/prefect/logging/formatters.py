"""What a log record looks like."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, TypeAlias

import msgspec

from prefect.logging.tracebacks import format_traceback
from prefect.schemas.base import encode_json

__all__ = ["JsonFormatter", "PrefectFormatter", "format_exception_info"]

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class PrefectFormatter(logging.Formatter):
    """Formats records of runs in ways of their own, and leaves the engine out of tracebacks.

    Args:
        format: The format of other records.
        datefmt: The format of `asctime`.
        style: How formats name fields: `%`, `{` or `$`.
        validate: Whether formats are checked.
        defaults: Values of fields that a record does not have.
        task_run_fmt: The format of records of `prefect.task_runs`.
        flow_run_fmt: The format of records of `prefect.flow_runs`.
    """

    def __init__(
        self,
        format: str | None = None,
        datefmt: str | None = None,
        style: Literal["%", "{", "$"] = "%",
        validate: bool = True,
        *,
        defaults: Mapping[str, Any] | None = None,
        task_run_fmt: str | None = None,
        flow_run_fmt: str | None = None,
    ) -> None:
        super().__init__(format, datefmt, style, validate, defaults=defaults)
        self._special: dict[str, logging.Formatter] = {}
        for name, special in (("prefect.flow_runs", flow_run_fmt), ("prefect.task_runs", task_run_fmt)):
            if special:
                self._special[name] = logging.Formatter(special, datefmt, style, validate, defaults=defaults)
        self._uses_time = self.usesTime() or any(other.usesTime() for other in self._special.values())

    def usesTime(self) -> bool:
        """Whether a format asks for `asctime`."""
        return getattr(self, "_uses_time", False) or super().usesTime()

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Format a record without its traceback."""
        special = self._special.get(record.name)
        if special is not None:
            try:
                return special.formatMessage(record)
            except ValueError:
                # Somebody logs to the logger of runs by hand, so that the run's name is not known.
                return super().formatMessage(record)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        """Format an exception, without the engine's frames."""
        return format_traceback(*ei)


class JsonFormatter(logging.Formatter):
    """Formats a record as JSON with all its fields.

    Args:
        fmt: `default` for a line a record, `pretty` for indented JSON.
        dmft: Accepted for the interface's sake.
        style: Accepted for the interface's sake.
    """

    def __init__(
        self, fmt: Literal["pretty", "default"] = "default", dmft: str | None = None, style: str = "%"
    ) -> None:
        super().__init__()
        if fmt not in ("pretty", "default"):
            raise ValueError(f"JsonFormatter knows the formats 'default' and 'pretty', not {fmt!r}.")
        self._indent = 2 if fmt == "pretty" else 0

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        fields: dict[str, Any] = {
            **record.__dict__,
            "args": _texts(record.args),
            "message": record.getMessage(),
            "severity": record.levelname,
        }
        if record.exc_info:
            fields["exc_info"] = format_exception_info(record.exc_info)
        encoded = encode_json(fields)
        return (msgspec.json.format(encoded, indent=self._indent) if self._indent else encoded).decode()


def _texts(args: Any) -> Any:
    """Return a record's arguments; those that are no plain values become texts, as they do in messages."""
    if isinstance(args, Mapping):
        return {str(key): _texts(value) for key, value in args.items()}
    if isinstance(args, tuple):
        return [_texts(value) for value in args]
    return args if args is None or isinstance(args, bool | int | float | str) else str(args)


def format_exception_info(exc_info: ExcInfo) -> dict[str, Any]:
    """Return an exception as plain values: its type's name, message and traceback.

    Args:
        exc_info: As `sys.exc_info()` gives it.
    """
    error_type, error, _ = exc_info
    if error_type is None:
        return {}
    return {"type": error_type.__name__, "message": str(error), "traceback": format_traceback(*exc_info)}
