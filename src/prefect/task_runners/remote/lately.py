"""Runs that ended a moment ago, for the case that their worker is lost.

A worker tells a server of its runs in batches, a little later. If it is killed before, the server would take
a run to be under way for ever whose end is known here. Then it is told from here: what comes twice changes
nothing, since a state is known by its id.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from prefect.task_runners.remote.records import read_message, without_end

if TYPE_CHECKING:
    from prefect.engine.journal import Journal
    from prefect.task_runners.remote.sending import RemoteRun

__all__ = ["LatelyEnded"]

_SECONDS = 5.0
"""How much of what a worker has done last may not have been told: many times what it puts off."""
_MOST = 5_000
"""Of how many runs it is known: some megabytes."""
_LARGE = 2_000
"""Bytes of a message that is kept without the result or error in it."""


class _Run(NamedTuple):
    place: str
    at: float
    message: bytes
    journal: Journal


class LatelyEnded:
    """The last runs that workers say they have told a server of."""

    def __init__(self) -> None:
        self._runs: deque[_Run] = deque(maxlen=_MOST)

    def add(self, run: RemoteRun, place: str, message: bytes) -> None:
        """Remember a run that has ended, if its worker tells a server of it.

        Args:
            run: The run, which has taken the message.
            place: The worker.
            message: Its last one of the run.
        """
        if run.is_told_there:
            kept = message if len(message) <= _LARGE else without_end(message)
            self._runs.append(_Run(place, monotonic(), kept, run.journal))

    def forget(self, places: Collection[str]) -> None:
        """Take it that these workers have told all."""
        self._take(places.__contains__)

    def tell_again(self, places: Collection[str] | None = None) -> None:
        """Have the server told from here what workers did last that are lost.

        Args:
            places: The workers; None: all.
        """
        taken = self._take(lambda place: places is None or place in places)
        # A machine that is gone may be missed much later: what counts is when it was last heard.
        heard_at = {one.place: one.at for one in taken}
        for one in taken:
            if one.at >= heard_at[one.place] - _SECONDS:
                for record in read_message(one.message).records:
                    one.journal.note(record)

    def _take(self, is_meant: Callable[[str], bool]) -> list[_Run]:
        runs = list(self._runs)
        self._runs = deque((one for one in runs if not is_meant(one.place)), maxlen=_MOST)
        return [one for one in runs if is_meant(one.place)]
