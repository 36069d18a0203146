"""Locks between the threads and asyncio tasks of one process."""

from __future__ import annotations

import threading
import time
from typing import ClassVar, NamedTuple, Self

from prefect.locking.waiting import wait_until_async
from prefect.types import call_in_forked_child

__all__ = ["MemoryLockManager"]


class _Lock(NamedTuple):
    holder: str
    until: float | None
    """When it is free again whatever its holder does, by `time.monotonic`."""


class MemoryLockManager:
    """Locks in memory. There is one such manager in a process, however often it is made."""

    _only: ClassVar[MemoryLockManager | None] = None

    _changed: threading.Condition
    _locks: dict[str, _Lock]

    def __new__(cls) -> Self:
        """Return the process's manager."""
        if cls._only is None or type(cls._only) is not cls:
            made = super().__new__(cls)
            made._forget()
            cls._only = made
            call_in_forked_child(made._forget)
        return cls._only

    def __reduce__(self) -> tuple[type[MemoryLockManager], tuple[()]]:
        """Be the manager of the process that this is sent to."""
        return type(self), ()

    def _forget(self) -> None:
        # A forked child has none of the holders.
        self._changed, self._locks = threading.Condition(), {}

    def acquire_lock(
        self,
        key: str,
        holder: str,
        acquire_timeout: float | None = None,
        hold_timeout: float | None = None,
    ) -> bool:
        """Take a lock, and wait for it while another holds it; see `LockManager`."""
        ends = None if acquire_timeout is None else time.monotonic() + acquire_timeout
        with self._changed:
            while not self._take(key, holder, hold_timeout):
                if not self._wait(key, ends):
                    return False
            return True

    async def aacquire_lock(
        self,
        key: str,
        holder: str,
        acquire_timeout: float | None = None,
        hold_timeout: float | None = None,
    ) -> bool:
        """Take a lock; `acquire_lock` for async code."""

        def take() -> bool:
            with self._changed:
                return self._take(key, holder, hold_timeout)

        return await wait_until_async(take, acquire_timeout)

    def release_lock(self, key: str, holder: str) -> None:
        """Give a lock back; see `LockManager`.

        Raises:
            ValueError: This holder does not hold it.
        """
        with self._changed:
            lock = self._held(key)
            if lock is None or lock.holder != holder:
                raise ValueError(f"No lock held by {holder} for transaction with key {key}")
            del self._locks[key]
            self._changed.notify_all()

    def is_locked(self, key: str) -> bool:
        """Whether anybody holds the lock of that key."""
        with self._changed:
            return self._held(key) is not None

    def is_lock_holder(self, key: str, holder: str) -> bool:
        """Whether this holder holds the lock of that key."""
        with self._changed:
            lock = self._held(key)
            return lock is not None and lock.holder == holder

    def wait_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait until nobody holds a lock, without taking it; see `LockManager`."""
        ends = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while self._held(key) is not None:
                if not self._wait(key, ends):
                    return False
            return True

    async def await_for_lock(self, key: str, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - the interface's own
        """Wait until nobody holds a lock; `wait_for_lock` for async code."""
        return await wait_until_async(lambda: not self.is_locked(key), timeout)

    def _take(self, key: str, holder: str, hold_timeout: float | None) -> bool:
        lock = self._held(key)
        if lock is None:
            until = None if hold_timeout is None else time.monotonic() + hold_timeout
            self._locks[key] = _Lock(holder, until)
            return True
        return lock.holder == holder

    def _held(self, key: str) -> _Lock | None:
        lock = self._locks.get(key)
        if lock is not None and lock.until is not None and lock.until <= time.monotonic():
            del self._locks[key]
            return None
        return lock

    def _wait(self, key: str, ends: float | None) -> bool:
        """Wait for a change, while the lock is held and time is left; tells whether there was time."""
        now = time.monotonic()
        if ends is not None and ends <= now:
            return False
        until = self._locks[key].until
        times = [time for time in (ends, until) if time is not None]
        self._changed.wait(min(times) - now if times else None)
        return True
