"""`.map`: which arguments are spread over runs, and which go to each."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefect import flow, task
from prefect.exceptions import (
    MappingLengthMismatch,
    MappingMissingIterable,
    ParameterBindError,
    UpstreamTaskError,
)
from prefect.runtime import task_run
from prefect.types.annotations import allow_failure, quote, unmapped
from recorded import task_runs_of, upstream_of


@task
def same(x: Any) -> Any:
    return x


@task
def pair(x: Any, y: Any = (1, 2, 3)) -> Any:
    return x, y


@task
def odd_fails(x: int) -> int:
    if x % 2:
        raise ValueError(f"odd {x}")
    return x


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([1, 2], [1, 2]),
        ((1, 2), [1, 2]),
        (range(3), [0, 1, 2]),
        ({"a": 1, "b": 2}, ["a", "b"]),
        ({"a": 1}.items(), [("a", 1)]),
        ([], []),
        (["ab", "cd"], ["ab", "cd"]),
        ([[1, 2], [3]], [[1, 2], [3]]),
    ],
)
def test_iterables_are_spread(items: Any, expected: Any) -> None:
    assert same.map(items).result() == expected


def test_sets_generators_and_arrays_are_spread() -> None:
    numpy = pytest.importorskip("numpy")
    assert sorted(same.map({1, 2}).result()) == [1, 2]
    assert same.map(x * x for x in range(4)).result() == [0, 1, 4, 9]
    assert same.map(numpy.arange(3)).result() == [0, 1, 2]
    assert [row.tolist() for row in same.map(numpy.eye(2)).result()] == [[1, 0], [0, 1]]
    assert pair.map([1, 2], numpy.float64(3)).result() == [(1, 3), (2, 3)]


@pytest.mark.parametrize("value", ["abc", b"abc", 5, None, unmapped([1, 2]), int])
def test_texts_and_single_values_are_not(value: Any) -> None:
    with pytest.raises(MappingMissingIterable, match="No iterable parameters were received") as caught:
        same.map(value)
    assert f"Parameters: {{'x': {value!r}}}" in str(caught.value)
    assert pair.map([1, 2], value).result()[1][0] == 2


def test_no_arguments_at_all() -> None:
    with pytest.raises(MappingMissingIterable):
        task(lambda: 1).map()


def test_lengths_must_agree() -> None:
    with pytest.raises(MappingLengthMismatch, match=r"Got lengths: {'x': 2, 'y': 3}"):
        pair.map([1, 2], [1, 2, 3])


def test_arguments_that_do_not_fit() -> None:
    with pytest.raises(ParameterBindError):
        same.map([1], [2])
    with pytest.raises(ParameterBindError):
        task(lambda x, y: x).map([1])


def test_defaults_go_to_every_run() -> None:
    assert pair.map([1, 2]).result() == [(1, (1, 2, 3)), (2, (1, 2, 3))]
    assert pair.map(y=[1, 2], x="a").result() == [("a", 1), ("a", 2)]


def test_unmapped_goes_to_every_run_as_it_is() -> None:
    shared = [7]
    results = pair.map([1, 2], unmapped(shared)).result()
    assert results == [(1, [7]), (2, [7])]
    assert results[0][1] is shared


def test_quoted_iterables_are_spread_and_their_items_left_alone() -> None:
    futures = [same.submit(1), same.submit(2)]
    assert same.map(quote(futures)).result() == futures


def test_keyword_arguments_are_spread_one_by_one() -> None:
    @task
    def keywords(x: int, **kwargs: Any) -> Any:
        return x, kwargs

    assert keywords.map([1, 2], z=[5, 6], w=0).result() == [(1, {"z": 5, "w": 0}), (2, {"z": 6, "w": 0})]
    assert keywords.map(1, z=[5, 6]).result() == [(1, {"z": 5}), (1, {"z": 6})]
    assert keywords.map([1]).result() == [(1, {})]


def test_futures_of_iterables_are_waited_for_and_spread() -> None:
    assert same.map(same.submit([1, 2])).result() == [1, 2]
    assert same.map(same([3, 4], return_state=True)).result() == [3, 4]
    assert pair.map([1, 2], same.submit(5)).result() == [(1, 5), (2, 5)]


def test_lists_of_futures_are_spread() -> None:
    assert same.map(same.map([1, 2])).result() == [1, 2]
    assert same.map([same.submit(1), 2]).result() == [1, 2]


def test_a_failed_run_has_no_items() -> None:
    failed = odd_fails.submit(1)
    with pytest.raises(UpstreamTaskError, match=f"'{failed.task_run_id}' did not reach a 'COMPLETED' state"):
        same.map(failed)


def test_failed_items_keep_only_their_own_run_from_beginning() -> None:
    states = same.map(odd_fails.map([1, 2]), return_state=True)
    assert [state.name for state in states] == ["NotReady", "Completed"]


def test_allow_failure_is_for_each_item() -> None:
    results = same.map(allow_failure(odd_fails.map([1, 2]))).result()
    assert [type(result) for result in results] == [ValueError, int]
    assert same.map(allow_failure([1, 2])).result() == [1, 2]
    assert same.map(allow_failure(same.submit([1, 2]))).result() == [1, 2]


def test_wait_for_is_for_each_run() -> None:
    @flow
    def around() -> Any:
        before = same.submit(0)
        futures = same.map([1, 2], wait_for=iter([before]))
        return before.task_run_id, futures.result()

    state = around(return_state=True)
    before, results = state.result()
    assert results == [1, 2]
    assert [upstream_of(run).get("wait_for") for run in task_runs_of(state)[1:]] == [{before}] * 2


def test_each_run_has_its_own_name_and_parameters() -> None:
    @task(task_run_name="item-{x}")
    def named(x: int) -> Any:
        return task_run.name, task_run.parameters

    assert named.map([1, 2]).result() == [("item-1", {"x": 1}), ("item-2", {"x": 2})]


def test_async_tasks_are_mapped_in_threads() -> None:
    @task
    async def adouble(x: int) -> int:
        return 2 * x

    assert adouble.map([1, 2, 3]).result() == [2, 4, 6]


@settings(max_examples=30, deadline=None)
@given(items=st.lists(st.integers() | st.text() | st.none(), max_size=8), fixed=st.integers())
def test_results_are_in_the_order_of_the_items(items: list[Any], fixed: int) -> None:
    assert pair.map(items, fixed).result() == [(item, fixed) for item in items]
