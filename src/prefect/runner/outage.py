"""An outage of the server or the database, as those see it who look for runs: two lines, however long."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any

from prefect.client.patience import is_away

__all__ = ["Outage"]

_SAY_AGAIN_SECONDS = 60.0
"""How long a failure that comes again and again is not told again."""


class Outage:
    """Says that nobody answers, and that somebody does again.

    Args:
        logger: Where it says so.
    """

    def __init__(self, logger: logging.Logger | logging.LoggerAdapter[Any]) -> None:
        self._logger = logger
        self._is_there = False
        self._told: dict[str, float] = {}
        """When a failure was told last, by its message."""

    def failed(self, error: Exception) -> bool:
        """Note that something failed.

        Args:
            error: What was raised.

        Returns:
            Whether the reason is an outage: to try again helps.
        """
        if not is_away(error):
            self._tell(str(error))
            return False
        if not self._is_there:
            self._is_there = True
            self._logger.warning("No answer, so it is tried again; what runs goes on: %s", error)
        return True

    def _tell(self, message: str) -> None:
        at = monotonic()
        self._told = {each: told for each, told in self._told.items() if at - told < _SAY_AGAIN_SECONDS}
        if message not in self._told:
            self._told[message] = at
            self._logger.warning("It did not work, and is tried again: %s", message)

    def succeeded(self) -> None:
        """Note that somebody answers."""
        if self._is_there:
            self._is_there = False
            self._logger.info("There are answers again")
