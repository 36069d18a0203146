"""Locks of results: who may compute and write the one of a key, where several want to at once."""

from __future__ import annotations

import os
import socket
import threading
from typing import Any

from prefect.exceptions import ConfigurationError
from prefect.locking.protocol import LockManager
from prefect.schemas.base import Schema

__all__ = ["LockingStore"]


class LockingStore(Schema):
    """What a result store can do with a lock manager.

    Every method takes a `holder`, a text that names who asks; left out, it is the calling thread.
    """

    lock_manager: Any = None
    """Hands out the locks; None for a store without them."""

    @staticmethod
    def generate_default_holder() -> str:
        """Return the text that names the calling thread."""
        thread = threading.current_thread()
        return f"{socket.gethostname()}:{os.getpid()}:{thread.ident}:{thread.name}"

    def supports_isolation_level(self, level: Any) -> bool:
        """Whether transactions over this store can be isolated so; `SERIALIZABLE` needs a lock manager.

        Raises:
            ValueError: There is no such level.
        """
        text = getattr(level, "value", level)
        if text not in ("READ_COMMITTED", "SERIALIZABLE"):
            raise ValueError(f"isolation_level is READ_COMMITTED or SERIALIZABLE, not {level!r}.")
        return text == "READ_COMMITTED" or self.lock_manager is not None

    def acquire_lock(self, key: str, holder: str | None = None, timeout: float | None = None) -> bool:
        """Take the lock of a result, and wait for it while another holds it.

        Args:
            key: The result's key.
            holder: For whom.
            timeout: Seconds to wait at most; None for as long as it takes.

        Returns:
            Whether the holder has it.

        Raises:
            prefect.exceptions.ConfigurationError: The store has no lock manager.
        """
        return self._locks().acquire_lock(key, holder or self.generate_default_holder(), timeout)

    async def aacquire_lock(self, key: str, holder: str | None = None, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - the interface's own
        """Take the lock of a result; `acquire_lock` for async code."""
        return await self._locks().aacquire_lock(key, holder or self.generate_default_holder(), timeout)

    def release_lock(self, key: str, holder: str | None = None) -> None:
        """Give the lock of a result back.

        Raises:
            ValueError: This holder does not hold it.
            prefect.exceptions.ConfigurationError: The store has no lock manager.
        """
        self._locks().release_lock(key, holder or self.generate_default_holder())

    def is_locked(self, key: str) -> bool:
        """Whether anybody holds the lock of that key; errors as for `acquire_lock`."""
        return self._locks().is_locked(key)

    def is_lock_holder(self, key: str, holder: str | None = None) -> bool:
        """Whether this holder holds the lock of that key; errors as for `acquire_lock`."""
        return self._locks().is_lock_holder(key, holder or self.generate_default_holder())

    def wait_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait until nobody holds the lock of that key; arguments and errors as for `acquire_lock`."""
        return self._locks().wait_for_lock(key, timeout)

    async def await_for_lock(self, key: str, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - the interface's own
        """Wait until nobody holds the lock of that key; `wait_for_lock` for async code."""
        return await self._locks().await_for_lock(key, timeout)

    def _locks(self) -> LockManager:
        if self.lock_manager is None:
            raise ConfigurationError(
                "Result store is not configured with a lock manager. Please set a lock manager when creating "
                "the result store to enable locking."
            )
        manager: LockManager = self.lock_manager
        return manager

    def _is_anothers(self, key: str, holder: str | None) -> bool:
        return self.lock_manager is not None and not self.is_lock_holder(key, holder) and self.is_locked(key)
