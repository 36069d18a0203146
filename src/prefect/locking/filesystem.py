"""Locks between processes that share a directory."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from prefect.exceptions import StoreUnavailable
from prefect.locking.waiting import wait_until, wait_until_async
from prefect.types import fork_safe, now
from prefect.types.processes import host_id, is_running, started

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["FileSystemLockManager"]

_LONGEST_NAME = 200
_GUARD = ".guard"
_threads = fork_safe(threading.Lock())


class FileSystemLockManager:
    """Locks as files of a directory, for all processes that reach it, on one machine or on several.

    A file names the holder, and the process it was taken in: the lock of a process of this machine that is
    gone is free. That of a process of another machine is, when its `hold_timeout` is over; without one,
    when somebody deletes the file.

    Args:
        lock_files_directory: The directory; it is made when it is first needed.
    """

    def __init__(self, lock_files_directory: Path) -> None:
        self.lock_files_directory = Path(lock_files_directory).expanduser().resolve()

    def acquire_lock(
        self,
        key: str,
        holder: str,
        acquire_timeout: float | None = None,
        hold_timeout: float | None = None,
    ) -> bool:
        """Take a lock, and wait for it while another holds it; see `LockManager`.

        Raises:
            prefect.exceptions.StoreUnavailable: The directory cannot be written.
        """
        return wait_until(lambda: self._take(key, holder, hold_timeout), acquire_timeout)

    async def aacquire_lock(
        self,
        key: str,
        holder: str,
        acquire_timeout: float | None = None,
        hold_timeout: float | None = None,
    ) -> bool:
        """Take a lock; `acquire_lock` for async code."""
        return await wait_until_async(lambda: self._take(key, holder, hold_timeout), acquire_timeout)

    def release_lock(self, key: str, holder: str) -> None:
        """Give a lock back; see `LockManager`.

        Raises:
            ValueError: This holder does not hold it.
        """
        with self._guarded():
            if not self.is_lock_holder(key, holder):
                raise ValueError(f"No lock held by {holder} for transaction with key {key}")
            self._path(key).unlink(missing_ok=True)

    def is_locked(self, key: str) -> bool:
        """Whether anybody holds the lock of that key."""
        return self._holder(key) is not None

    def is_lock_holder(self, key: str, holder: str) -> bool:
        """Whether this holder holds the lock of that key."""
        return self._holder(key) == holder

    def wait_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait until nobody holds a lock, without taking it; see `LockManager`."""
        return wait_until(lambda: not self.is_locked(key), timeout)

    async def await_for_lock(self, key: str, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - the interface's own
        """Wait until nobody holds a lock; `wait_for_lock` for async code."""
        return await wait_until_async(lambda: not self.is_locked(key), timeout)

    def _path(self, key: str) -> Path:
        name = quote(key, safe="")
        if len(name) > _LONGEST_NAME or name.startswith("."):
            name = sha256(key.encode()).hexdigest()
        return self.lock_files_directory / f"{name}.lock"

    def _take(self, key: str, holder: str, hold_timeout: float | None) -> bool:
        if (held_by := self._holder(key)) is not None:  # mostly, whoever waits has nothing to guard
            return held_by == holder
        with self._guarded():
            if (held_by := self._holder(key)) is not None:
                return held_by == holder
            path = self._path(key)
            path.unlink(missing_ok=True)
            return self._write(path, _description(holder, hold_timeout))

    def _write(self, path: Path, content: dict[str, Any]) -> bool:
        # Complete before it has its name, and never over a file of an implementation without guard.
        draft = path.with_name(f".{os.getpid()}-{threading.get_ident()}.draft")
        draft.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        return True

    def _holder(self, key: str) -> str | None:
        """Return who holds a lock; None, where the file is gone, its time is over, or its process is."""
        try:
            content = self._path(key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unavailable(error) from error
        try:
            lock = json.loads(content)
            holder = str(lock["holder"])
            expiration = lock.get("expiration")
            if expiration is not None and datetime.fromisoformat(expiration) <= now():
                return None
        except (ValueError, KeyError, TypeError, AttributeError):
            return ""  # another implementation is just writing it: it is nobody's that asks here
        process = lock.get("process")
        if process is not None and process["host"] == host_id():
            return holder if is_running(process["id"], process["started"]) else None
        return holder

    @contextmanager
    def _guarded(self) -> Generator[None, None, None]:
        """Let one thread of all processes at a time decide who holds what."""
        try:
            self.lock_files_directory.mkdir(parents=True, exist_ok=True)
            with _threads, (self.lock_files_directory / _GUARD).open("ab") as guard:
                if fcntl is not None:
                    fcntl.flock(guard, fcntl.LOCK_EX)  # until the file is closed
                yield
        except OSError as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(
            f"Cannot use the directory of locks {str(self.lock_files_directory)!r}: {error}."
        )


def _description(holder: str, hold_timeout: float | None) -> dict[str, Any]:
    expiration = None if hold_timeout is None else (now() + timedelta(seconds=hold_timeout)).isoformat()
    pid = os.getpid()
    process = {"host": host_id(), "id": pid, "started": started(pid) or ""}
    return {"holder": holder, "expiration": expiration, "process": process}
