"""Gets log records to pytest's `caplog`.

The `prefect` logger does not propagate, or programs with a handler of their own on the root logger would show
each record twice. pytest listens at the root logger.
"""

from __future__ import annotations

import logging

__all__ = ["CaplogBridge"]


class CaplogBridge(logging.Handler):
    """Hands records of the `prefect` logger to the handlers that pytest has on the root logger."""

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record on, unless it gets there by itself."""
        logger = logging.getLogger("prefect")
        if logger.propagate:
            return
        for handler in logging.getLogger().handlers:
            # From 9.2 on, pytest listens at loggers that do not propagate too, if they are set up by then.
            is_pytests = type(handler).__module__ == "_pytest.logging" and handler not in logger.handlers
            if is_pytests and record.levelno >= handler.level:
                handler.handle(record)
