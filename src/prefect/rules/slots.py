"""How many slots of a limit are taken, and how long to wait for one: pure arithmetic."""

from __future__ import annotations

from math import ceil

__all__ = ["LEAST_OCCUPANCY", "average_occupancy", "still_taken", "wait_for_slots", "whole_slots"]

LEAST_OCCUPANCY = 0.1
"""Seconds. Slots that come back faster are still not asked for more often."""
_WEIGHT = 0.2
"""How much one more occupancy counts against those before."""
_TINY = 1e-9


def still_taken(taken: float, seconds: float, decay: float) -> float:
    """Return how many of the slots that were taken without a lease have not come back yet.

    Args:
        taken: How many were taken.
        seconds: How long ago that was counted.
        decay: How many come back in each second.
    """
    left = taken - max(0.0, seconds) * decay
    return left if left > _TINY else 0.0


def whole_slots(taken: float) -> int:
    """Return a number of slots as people see it: one that has come back in part only is still taken."""
    return ceil(taken - _TINY)


def wait_for_slots(
    slots: int, *, free: float, limit: int, decay: float, occupancy: float, longest: float
) -> float:
    """Return after how many seconds it is worth asking for slots again.

    Args:
        slots: How many are wanted.
        free: How many are free now.
        limit: How many there are.
        decay: How many come back in each second by themselves; 0: they are given back.
        occupancy: For how many seconds a slot is held, on average.
        longest: The most seconds to wait.
    """
    missing = max(0.0, slots - free)
    seconds = missing / decay if decay > 0 else occupancy * missing / max(1, limit)
    # Not below, or those who wait would keep the limit busy with questions.
    return min(longest, max(LEAST_OCCUPANCY, seconds))


def average_occupancy(average: float, seconds: float) -> float:
    """Return the average occupancy after one more slot was given back.

    Args:
        average: The average until now.
        seconds: How long that slot was held.
    """
    return max(LEAST_OCCUPANCY, average + (seconds - average) * _WEIGHT)
