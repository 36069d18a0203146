"""How far ahead the runs of a schedule are planned."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from prefect.rules.schedules import dates_of
from prefect.schemas.schedules import AnySchedule

__all__ = ["Horizon", "Planned", "is_planned", "times_to_plan"]

_TICK = timedelta(microseconds=1)


class Horizon(NamedTuple):
    """How far ahead to plan."""

    min_runs: int
    max_runs: int
    min_time: timedelta
    max_time: timedelta

    def bounded(self, max_runs: int | None) -> Horizon:
        """Return the horizon of a schedule with a bound of its own."""
        if max_runs is None:
            return self
        return self._replace(min_runs=min(self.min_runs, max_runs), max_runs=max_runs)


class Planned(NamedTuple):
    """What is planned of a schedule already."""

    runs: int
    last: datetime | None


def is_planned(planned: Planned, at: datetime, horizon: Horizon) -> bool:
    """Return whether enough is planned of a schedule, so that its times need not be asked for.

    Args:
        planned: What is planned.
        at: The current time.
        horizon: How far ahead to plan.
    """
    if planned.runs >= horizon.max_runs:
        return True
    reaches = planned.last is not None and planned.last >= at + horizon.min_time
    return reaches and planned.runs >= horizon.min_runs


def times_to_plan(schedule: AnySchedule, planned: Planned, at: datetime, horizon: Horizon) -> list[datetime]:
    """Return the times for which runs of a schedule are missing.

    Planning goes on behind what is planned: what somebody deleted of it is not planned again.

    Args:
        schedule: The schedule.
        planned: What is planned of it.
        at: The current time.
        horizon: How far ahead to plan.
    """
    if is_planned(planned, at, horizon):
        return []
    start = at if planned.last is None else max(at, planned.last + _TICK)
    wanted: list[datetime] = []
    for moment in dates_of(schedule, start):
        if moment > at + horizon.max_time:
            break
        wanted.append(moment)
        if is_planned(Planned(planned.runs + len(wanted), moment), at, horizon):
            break
    return wanted
