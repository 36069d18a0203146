"""Types and small value makers that every floor uses: UTC times and time-ordered ids."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, SafeUUID
from weakref import WeakSet

__all__ = [
    "DateTime",
    "GivenLabels",
    "KeyValueLabels",
    "aware",
    "call_in_forked_child",
    "fork_safe",
    "format_utc",
    "now",
    "process_mark",
    "parse_utc",
    "uuid7",
]

L = TypeVar("L")

DateTime = datetime
"""A timezone-aware point in time. Everything that Proconsul makes itself is in UTC."""

KeyValueLabels = dict[str, Any]
"""Labels of an object: text keys, values of any JSON scalar type."""

GivenLabels = dict[str, bool | int | float | str]
"""Labels as an object is made with them: what else is refused, which no client of Prefect could read."""

_VERSION_AND_VARIANT = (7 << 76) | (2 << 62)
_RANDOM_BITS = (1 << 62) - 1
_MILLISECONDS = 0xFFFF_FFFF_FFFF << 12
_new_uuid = UUID.__new__
_set = object.__setattr__
_UNKNOWN = SafeUUID.unknown
_GOLDEN = 0x9E37_79B9_7F4A_7C15

# An id needs random bits that no other process draws, not bits that nobody can guess, and a system call for
# each would cost more than a task does. So a process draws one random number, and walks from it in steps of
# the golden ratio (a Weyl sequence): each value comes once, and neighbours look nothing alike. A forked child
# draws its own.
_steps = itertools.count()
_start = int.from_bytes(os.urandom(8), "big")


def _draw_again() -> None:
    global _start
    _start = int.from_bytes(os.urandom(8), "big")


def call_in_forked_child(fn: Callable[[], object]) -> None:
    """Have a function called in each child process that is forked from now on, where there are any."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=fn)


call_in_forked_child(_draw_again)

process_mark: list[object] = [object()]
"""Its one item is another object in each process: code that sees it change has become a forked child's."""
_locks: WeakSet[Any] = WeakSet()


def fork_safe(lock: L) -> L:
    """Return a lock, which in a forked child is free: the thread that may hold it is the parent's.

    Args:
        lock: A lock that guards what is sound at every moment, for a reader at least.
    """
    _locks.add(lock)
    return lock


def _become_another_process() -> None:
    process_mark[0] = object()
    for lock in list(_locks):
        lock._at_fork_reinit()


call_in_forked_child(_become_another_process)


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def uuid7() -> UUID:
    """Return a new time-ordered UUID.

    The layout is RFC 9562's version 7 with its method 3: 48 bits of Unix milliseconds, 12 bits of
    sub-millisecond fraction, 62 random bits. The bytes are assembled by hand, because `UUID()` spends more
    time validating its arguments than the rest of a no-op task costs.

    Returns:
        A UUID that sorts after those made earlier, to about a quarter of a microsecond.
    """
    # Whole milliseconds above, 4,096ths of one in the low 12 bits: one division gives both.
    ticks = (time.time_ns() << 9) // 125_000
    value = (
        (ticks & _MILLISECONDS) << 68
        | (ticks & 0xFFF) << 64
        | _VERSION_AND_VARIANT
        | (_start + next(_steps) * _GOLDEN) & _RANDOM_BITS
    )
    made = _new_uuid(UUID)
    _set(made, "int", value)
    _set(made, "is_safe", _UNKNOWN)
    return made


def aware(moment: datetime) -> datetime:
    """Return a time in UTC; one without a zone is taken to be in UTC.

    Args:
        moment: Any time.
    """
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def format_utc(moment: datetime) -> str:
    """Write a time the way the embedded store keeps it: UTC, microseconds, sortable as text.

    Args:
        moment: A timezone-aware time; a naive one is taken to be UTC.

    Returns:
        Text such as `2026-01-31 08:15:00.000250`.
    """
    if moment.tzinfo is not None and moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(" ", "microseconds")[:26]


def parse_utc(text: str) -> datetime:
    """Read a time that `format_utc` wrote.

    Args:
        text: ISO 8601 text without an offset, in UTC.

    Returns:
        The timezone-aware time.

    Raises:
        ValueError: The text is no ISO 8601 time.
    """
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def __getattr__(name: str) -> Any:
    """Load `SecretDict` when it is asked for: it needs pydantic."""
    if name == "SecretDict":
        from prefect.types.secret_dict import SecretDict  # noqa: PLC0415 - pydantic

        return SecretDict
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
