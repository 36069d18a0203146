"""What blocks can do for code that does not know which blocks they are."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from pydantic import PrivateAttr

from prefect.blocks.core import Block

__all__ = ["NotificationBlock", "NotificationError"]


class NotificationError(Exception):
    """A notification could not be sent."""


class NotificationBlock(Block, ABC):
    """A block that sends messages to people."""

    _block_schema_capabilities: ClassVar[list[str] | None] = ["notify"]

    _raise_on_failure: bool = PrivateAttr(False)

    @property
    def logger(self) -> logging.Logger:
        """What a block tells about itself by."""
        return logging.getLogger("prefect.blocks")

    @abstractmethod
    async def notify(self, body: str, subject: str | None = None) -> None:
        """Send a message.

        Args:
            body: The text.
            subject: The subject, if it has one.
        """

    @contextmanager
    def raise_on_failure(self) -> Iterator[None]:
        """Have messages that cannot be sent raise `NotificationError`, within the block of the `with`."""
        had, self._raise_on_failure = self._raise_on_failure, True
        try:
            yield
        finally:
            self._raise_on_failure = had

    def _failed(self, reason: Any) -> None:
        """Tell that a message was not sent: what a flow does is worth more than what it tells."""
        if self._raise_on_failure:
            raise NotificationError(str(reason)) from None
        self.logger.warning("A message by %s was not sent: %s", self.get_block_type_name(), reason)
