"""`LogEavesdropper`: keeps what is logged inside a `with` block."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Self

__all__ = ["LogEavesdropper"]


class LogEavesdropper(logging.Handler):
    """Collects what a logger logs inside `with`, without changing where it goes otherwise.

    Args:
        eavesdrop_on: The logger's name.
        level: The least level to collect.
    """

    def __init__(self, eavesdrop_on: str, level: int = logging.NOTSET) -> None:
        super().__init__(level=level)
        self.setFormatter(logging.Formatter("[%(levelname)s]: %(message)s"))
        self._logger = logging.getLogger(eavesdrop_on)
        self._level_before = self._logger.level
        self._lines: list[str] = []

    def __enter__(self) -> Self:
        self._level_before = self._logger.level
        if not self._logger.isEnabledFor(self.level):
            self._logger.setLevel(self.level)
        self._logger.addHandler(self)
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._logger.removeHandler(self)
        self._logger.setLevel(self._level_before)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self._lines.append(self.format(record))

    def text(self) -> str:
        """Return what was logged so far, a line a record."""
        return "\n".join(self._lines)
