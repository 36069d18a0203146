"""How often a run is retried, and how long it waits before each retry. All delays are in seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, log

from prefect.schemas.base import LARGEST

__all__ = [
    "LONGEST_SECONDS",
    "MAX_DELAYS",
    "exponential_backoff",
    "jittered",
    "nth_delay",
    "retries_left",
    "settle_delays",
    "spread",
]

LONGEST_SECONDS = 30_000_000_000.0
"""Some 950 years: a longer delay would end in no year that a calendar has, and is cut to this."""
MAX_DELAYS = 50
"""A list of delays is stored with every run, so it is kept short; later retries wait like its last."""


def exponential_backoff(backoff_factor: float) -> Callable[[int], list[float]]:
    """Make delays that double: `@task(retries=4, retry_delay_seconds=exponential_backoff(10))`.

    Args:
        backoff_factor: The first delay, in seconds.

    Returns:
        A function from a number of retries to the delay before each of them, at most `MAX_DELAYS` of them.
    """

    def delays(retries: int) -> list[float]:
        return [backoff_factor * 2**retry for retry in range(min(retries, MAX_DELAYS))]

    return delays


def settle_delays(
    delay: float | Sequence[float] | Callable[[int], float | Sequence[float]] | None, retries: int
) -> float | list[float]:
    """Turn what a user gave as `retry_delay_seconds` into what is stored with a run.

    Args:
        delay: Seconds, a list of seconds (one for each retry), a function from the number of retries to
            either, or None for no delay.
        retries: How often the run may be retried.

    Returns:
        Seconds, or a list with the seconds before each retry.

    Raises:
        TypeError: It is none of these.
        ValueError: There are more than `MAX_DELAYS` delays, or one is no finite number.
    """
    if callable(delay):
        delay = delay(retries)
    if delay is None:
        return 0
    if isinstance(delay, int | float):
        _check_finite(delay)
        return delay
    if not isinstance(delay, list | tuple):
        raise TypeError(
            "Invalid `retry_delay_seconds` provided; must be an int, float, list or callable. "
            f"Received type {type(delay)}"
        )
    if len(delay) > MAX_DELAYS:
        raise ValueError(
            f"Can not configure more than {MAX_DELAYS} retry delays per task, but {len(delay)} were given. "
            "Shorten the list: retries after its end wait as long as its last one."
        )
    _check_finite(*delay)
    return list(delay)


def _check_finite(*delays: float) -> None:
    # They are kept as JSON, which has no other numbers: the run could not be read again.
    if not all(-LARGEST <= each <= LARGEST for each in delays):
        raise ValueError(f"Invalid `retry_delay_seconds` provided; must be finite, which {delays} is not.")


def retries_left(retries: int | None, run_count: int) -> int:
    """Return how many more attempts a run has.

    Args:
        retries: How often it may be retried; None is 0.
        run_count: How many attempts there were, the current one included.
    """
    return max(0, (retries or 0) + 1 - run_count)


def nth_delay(delays: float | Sequence[float] | None, n: int) -> float:
    """Return the seconds to wait before the n-th retry.

    Args:
        delays: Seconds, or a list of seconds; None is no delay.
        n: 1 for the first retry. A list's last delay serves all further retries.

    Returns:
        Seconds, from 0 to `LONGEST_SECONDS`.
    """
    if delays is None:
        return 0.0
    if not isinstance(delays, int | float):
        delays = delays[min(n, len(delays)) - 1] if delays else 0.0
    # Not only seconds: an integer may be too large to be made a float.
    return float(min(max(delays, 0), LONGEST_SECONDS))


def jittered(seconds: float, factor: float | None, uniform: float) -> float:
    """Spread a delay, so that many runs that failed together do not come back together.

    Delays are drawn from the times between events that happen independently (an exponential distribution),
    cut off above at `seconds * (1 + factor)` and below where the mean stays `seconds`.

    Args:
        seconds: The mean delay.
        factor: How much longer than the mean a delay may get, as a part of it; None or 0: as it is.
        uniform: A random number, 0 <= uniform < 1.
    """
    if not factor or factor < 0 or seconds <= 0:
        return seconds
    high = 1 + factor
    low = _lower_cut(high)
    # The inverse of the cut distribution's cumulative density, in units of the mean.
    tail_low, tail_high = exp(-low), exp(-high)
    drawn = -log(tail_low - uniform * (tail_low - tail_high))
    return min(seconds * min(max(drawn, low), high), LONGEST_SECONDS)


def spread(*key: int) -> float:
    """Return a number, 0 <= number < 1, that differs from key to key but is always the same for one.

    Seeding jitter with a run's id and attempt makes its delays repeatable without any state.
    """
    # The hash of a tuple of ints mixes their bits well and does not depend on the process.
    return (hash(key) & (1 << 53) - 1) / (1 << 53)


def _lower_cut(high: float) -> float:
    """Find the lower cut that keeps the mean of the exponential distribution, cut above at `high`, at 1.

    The mean of the distribution between a and b is 1 where a*exp(-a) = b*exp(-b). That function rises on
    [0, 1], so halving finds a.
    """
    target = high * exp(-high)
    below, above = 0.0, 1.0
    for _ in range(50):
        middle = (below + above) / 2
        if middle * exp(-middle) < target:
            below = middle
        else:
            above = middle
    return below
