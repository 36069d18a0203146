"""Which answers of Ray are there, at little cost.

To be called by Ray for an answer costs more than all else that is done for a small task here: one thread
wakes another for each. So young answers are looked for, many at a time, for as long as those of quick tasks
take; only for what takes longer is Ray asked to call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic, thread_time
from typing import Any, Generic, TypeVar

import ray

__all__ = ["Answers"]

T = TypeVar("T")

_YOUNG_SECONDS = 3.0
"""How long an answer is looked for before Ray is to call."""
_WAIT_SECONDS = 0.005
"""How long a look waits for the first: so late it may learn of answers that were asked for meanwhile."""
_REST = 100.0
"""A look is taken so many times as long after the last as that took: it takes longer the more there are."""


class Answers(Generic[T]):
    """What Ray is to answer.

    `add` may be called by any thread, all else by one.

    Args:
        call: Called by a thread of Ray's when an answer is there that has taken long.
    """

    def __init__(self, call: Callable[[T, Any], object]) -> None:
        self._call = call
        self._new: deque[tuple[Any, T]] = deque()
        self._young: dict[Any, tuple[T, float]] = {}
        self._next_at = 0.0
        self.has_late = False
        """Whether any has taken long."""

    def __bool__(self) -> bool:
        """Whether any is to be looked for."""
        return bool(self._new or self._young)

    def add(self, reference: Any, what: T) -> None:
        """Have an answer looked for.

        Args:
            reference: What Ray will have it by.
            what: What to tell it by.
        """
        self._new.append((reference, what))

    def due(self) -> float:
        """Return the seconds until the next look."""
        return max(0.0, self._next_at - monotonic())

    def put_off(self, seconds: float) -> None:
        """Have the next look taken later."""
        self._next_at = monotonic() + seconds

    def clear(self) -> None:
        """Look for nothing any more."""
        self._new.clear()
        self._young.clear()

    def look(self) -> list[tuple[T, Any]]:
        """Return whose answers are there, with their references; waits a little for the first.

        Raises:
            Exception: Ray cannot be asked: its connection is closed, say.
        """
        began = monotonic()
        if began < self._next_at:
            return []
        spent = thread_time()
        while self._new:
            reference, what = self._new.popleft()
            self._young[reference] = what, began
        asked = list(self._young)
        there: list[Any] = []
        if len(asked) > 1:
            there, _ = ray.wait(asked, num_returns=len(asked), timeout=0)
        self._next_at = began + (thread_time() - spent) * _REST
        if asked and not there:
            there, _ = ray.wait(asked, num_returns=1, timeout=_WAIT_SECONDS)
        found = [(self._young.pop(reference)[0], reference) for reference in there]
        self._let_grow(began - _YOUNG_SECONDS)
        return found

    def _let_grow(self, since: float) -> None:
        """Have Ray call for what was asked for before a time."""
        grown = []
        for reference, (_, at) in self._young.items():
            if at > since:
                break
            grown.append(reference)
        for reference in grown:
            self.has_late = True
            what, _ = self._young.pop(reference)
            reference.future().add_done_callback(lambda answered, what=what: self._call(what, answered))
