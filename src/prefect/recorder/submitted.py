"""Runs that were only submitted: they can wait to be written, since most have ended soon after."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from prefect.schemas.objects import Log, TaskRunRecord
from prefect.schemas.states import StateType
from prefect.types import now

__all__ = ["Submitted"]


class Submitted:
    """Runs that wait for what becomes of them; used by one thread at a time.

    Args:
        patience: Seconds that they wait; 0: not at all.
    """

    __slots__ = ("_waiting", "patience")

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self._waiting: dict[int, TaskRunRecord] = {}

    def __bool__(self) -> bool:
        """Whether any wait."""
        return bool(self._waiting)

    def __iter__(self) -> Iterator[TaskRunRecord]:
        """Give those that wait."""
        return iter(list(self._waiting.values()))

    def keep(self, records: dict[int, TaskRunRecord]) -> None:
        """Keep those that can wait, and take them out of what is to be written.

        Args:
            records: By identity.
        """
        for key, record in list(records.items()):
            if self._can_wait(record):
                self._waiting.setdefault(key, records.pop(key))
            else:
                self._waiting.pop(key, None)

    def give_back(self, queue: deque[TaskRunRecord | Log], *, everything: bool) -> None:
        """Put runs back into the queue; each leaves here only then, so that it always is in one of the two.

        Args:
            queue: The queue.
            everything: Those too that can wait. Otherwise only those that have waited long enough, and are
                as they were: what changes is told of again.
        """
        for key, record in list(self._waiting.items()):  # the oldest are the first
            if not everything and self._can_wait(record):
                break
            if everything or _is_pending(record):
                queue.append(record)
            del self._waiting[key]

    def _can_wait(self, record: TaskRunRecord) -> bool:
        state = record.run.state
        if state is None or not _is_pending(record):
            return False
        # Less than 0: the clock was set back.
        return 0 <= (now() - state.timestamp).total_seconds() < self.patience


def _is_pending(record: TaskRunRecord) -> bool:
    return record.run.state_type is StateType.PENDING
