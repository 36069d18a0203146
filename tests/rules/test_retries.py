"""How long a run waits before it is tried again."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect.rules.retries import (
    LONGEST_SECONDS,
    exponential_backoff,
    jittered,
    nth_delay,
    retries_left,
    settle_delays,
    spread,
)


def test_backoff_doubles() -> None:
    assert exponential_backoff(10)(5) == [10, 20, 40, 80, 160]
    assert exponential_backoff(0.5)(0) == []


def test_backoff_keeps_its_list_short() -> None:
    assert len(exponential_backoff(0.5)(1000)) == 50
    assert settle_delays(exponential_backoff(1), 1000) == [2.0**n for n in range(50)]


@pytest.mark.parametrize(
    ("given_delay", "settled"),
    [
        (None, 0),
        (3, 3),
        (0.5, 0.5),
        ([1, 2], [1, 2]),
        ((1, 2), [1, 2]),
        (lambda retries: [retries], [4]),
        ([], []),
    ],
)
def test_delays_settle_to_what_is_stored(given_delay: object, settled: object) -> None:
    assert settle_delays(given_delay, 4) == settled  # type: ignore[arg-type]


def test_too_many_delays_are_refused() -> None:
    with pytest.raises(
        ValueError, match="Can not configure more than 50 retry delays per task, but 51 were given"
    ):
        settle_delays([1.0] * 51, 60)


@pytest.mark.parametrize("delay", [float("nan"), float("inf"), [1.0, float("-inf")], lambda n: [10**400]])
def test_delays_that_are_no_finite_numbers_are_refused(delay: Any) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        settle_delays(delay, 4)


@pytest.mark.parametrize(
    ("delays", "n", "seconds"),
    [
        (None, 1, 0),
        (7, 3, 7),
        ([1, 2], 1, 1),
        ([1, 2], 2, 2),
        ([1, 2], 9, 2),
        ([], 1, 0),
        (-5, 1, 0),
        (1e308, 1, LONGEST_SECONDS),
        ([10**400], 1, LONGEST_SECONDS),
    ],
)
def test_the_last_delay_serves_all_further_retries(
    delays: float | list[float] | None, n: int, seconds: float
) -> None:
    assert nth_delay(delays, n) == seconds


@pytest.mark.parametrize(
    ("retries", "run_count", "left"), [(None, 1, 0), (0, 1, 0), (2, 1, 2), (2, 3, 0), (2, 9, 0)]
)
def test_retries_left(retries: int | None, run_count: int, left: int) -> None:
    assert retries_left(retries, run_count) == left


@given(seconds=st.floats(0.001, 1e6), factor=st.floats(0.001, 20), uniform=st.floats(0, 1, exclude_max=True))
def test_jitter_stays_in_its_bounds(seconds: float, factor: float, uniform: float) -> None:
    assert 0 < jittered(seconds, factor, uniform) <= seconds * (1 + factor)


@pytest.mark.parametrize("factor", [0.1, 0.3, 0.5, 1, 2, 5])
def test_jitter_keeps_the_mean(factor: float) -> None:
    delays = [jittered(100, factor, (n + 0.5) / 10_000) for n in range(10_000)]
    assert fmean(delays) == pytest.approx(100, rel=0.001)
    assert delays == sorted(delays)


@pytest.mark.parametrize("factor", [None, 0])
def test_no_jitter_without_a_factor(factor: float | None) -> None:
    assert jittered(5, factor, 0.3) == 5


def test_spread_is_even_and_repeatable() -> None:
    numbers = [spread(run, 1) for run in range(10_000)]
    assert numbers == [spread(run, 1) for run in range(10_000)]
    assert all(0 <= number < 1 for number in numbers)
    assert fmean(numbers) == pytest.approx(0.5, abs=0.02)
