"""Slots: a task runner's permissions to run one task at a time.

A task that waits for another run gives its slot up, so a task that waits for tasks it submitted itself can
never starve them, whatever the number of workers. Which slot code holds goes by its context and not by its
thread: a task may wait in threads of its own (`asyncio.to_thread`), and several of its coroutines may wait at
once.
"""

from __future__ import annotations

from _thread import allocate_lock
from contextvars import ContextVar
from typing import Protocol

__all__ = ["Hold", "Slot", "SlotGivenUp", "held_slot"]


class Slot(Protocol):
    """A task runner's permission to run one task at a time."""

    def give_up(self) -> None:
        """Let another task run."""

    def take_back(self) -> None:
        """Wait until one may run again."""


held_slot: ContextVar[Slot | None] = ContextVar("held_slot", default=None)
"""The slot that the code here holds."""


class Hold:
    """A slot in the hands of one piece of work, which may wait in several places at once, until it ends.

    Args:
        slot: The slot.
    """

    __slots__ = ("_is_over", "_lock", "_slot", "_waiting")

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._lock = allocate_lock()
        self._waiting = 0
        self._is_over = False

    def give_up(self) -> None:
        """Let another task run, from the first who waits on."""
        with self._lock:
            self._waiting += 1
            if self._is_over or self._waiting > 1:
                return
        self._slot.give_up()

    def take_back(self) -> None:
        """Wait until this work may run again, unless others of it still wait; after its end, just go on."""
        with self._lock:
            self._waiting -= 1
            if self._is_over or self._waiting:
                return
        self._slot.take_back()

    def end(self) -> None:
        """Give the slot back to who lent it: who still waits somewhere has it no more."""
        with self._lock:
            self._is_over = True
            if not self._waiting:
                return
        self._slot.take_back()


class SlotGivenUp:
    """Gives up the slot that the code here may hold, while a `with` block waits for other runs."""

    __slots__ = ("_slot",)

    def __enter__(self) -> None:
        self._slot = held_slot.get()
        if self._slot is not None:
            self._slot.give_up()

    def __exit__(self, *_: object) -> None:
        if self._slot is not None:
            self._slot.take_back()
