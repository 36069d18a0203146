"""What a lock manager can do."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

__all__ = ["LockManager"]


@runtime_checkable
class LockManager(Protocol):
    """Hands out locks by key, each to one holder at a time.

    A holder is named by a text. Who holds a lock already and asks for it again has it.
    """

    def acquire_lock(
        self,
        key: str,
        holder: str,
        acquire_timeout: float | None = None,
        hold_timeout: float | None = None,
    ) -> bool:
        """Take a lock, and wait for it while another holds it.

        Args:
            key: What is locked.
            holder: For whom.
            acquire_timeout: Seconds to wait at most; None for as long as it takes.
            hold_timeout: Seconds after which the lock is free again whatever its holder does; None for never.

        Returns:
            Whether the holder has the lock.
        """
        ...

    async def aacquire_lock(
        self,
        key: str,
        holder: str,
        acquire_timeout: float | None = None,
        hold_timeout: float | None = None,
    ) -> bool:
        """Take a lock; `acquire_lock` for async code."""
        ...

    def release_lock(self, key: str, holder: str) -> None:
        """Give a lock back.

        Args:
            key: What is locked.
            holder: Who holds it.

        Raises:
            ValueError: This holder does not hold it.
        """
        ...

    def is_locked(self, key: str) -> bool:
        """Whether anybody holds the lock of that key."""
        ...

    def is_lock_holder(self, key: str, holder: str) -> bool:
        """Whether this holder holds the lock of that key."""
        ...

    def wait_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait until nobody holds a lock, without taking it.

        Args:
            key: What is locked.
            timeout: Seconds to wait at most; None for as long as it takes.

        Returns:
            Whether the lock is free.
        """
        ...

    async def await_for_lock(self, key: str, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - the interface's own
        """Wait until nobody holds a lock; `wait_for_lock` for async code."""
        ...
