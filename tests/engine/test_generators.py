"""Runs of generator functions, sync and async."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from prefect import flow, task
from prefect.context import FlowRunContext, TaskRunContext
from prefect.runtime import flow_run, task_run

ENDED: list[tuple[str, str]] = []


def note_end(subject: Any, run: Any, state: Any) -> None:
    ENDED.append((subject.name, state.name))


HOOKS = {"on_completion": [note_end], "on_failure": [note_end]}


@pytest.fixture(autouse=True)
def ended() -> Iterator[list[tuple[str, str]]]:
    ENDED.clear()
    yield ENDED


def count(n: int) -> Iterator[int]:
    yield from range(n)


async def acount(n: int) -> AsyncIterator[int]:
    for i in range(n):
        await asyncio.sleep(0)
        yield i


async def collected(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


KINDS = [task(name="gen", **HOOKS), flow(name="gen", **HOOKS)]


@pytest.mark.parametrize("make", KINDS, ids=["task", "flow"])
def test_a_generator_yields_and_completes(make: Any) -> None:
    assert list(make(count)(3)) == [0, 1, 2]
    assert asyncio.run(collected(make(acount)(3))) == [0, 1, 2]
    assert ENDED == [("gen", "Completed")] * 2


@pytest.mark.parametrize("make", KINDS, ids=["task", "flow"])
def test_a_consumer_that_stops_early_completes_the_run(make: Any) -> None:
    items = make(count)(3)
    assert next(items) == 0
    items.close()
    assert ENDED == [("gen", "Completed")]
    for _ in make(count)(3):
        break
    gc.collect()
    assert len(ENDED) == 2

    async def closes() -> None:
        items = make(acount)(3)
        assert await anext(items) == 0
        await items.aclose()

    asyncio.run(closes())
    assert ENDED == [("gen", "Completed")] * 3


def test_the_users_generator_is_closed_with_it() -> None:
    closed = []

    @task
    def gen() -> Iterator[int]:
        try:
            yield 1
        finally:
            closed.append(task_run.name)

    @task
    async def agen() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            closed.append(task_run.name)

    items = gen()
    next(items)
    items.close()

    async def closes() -> None:
        items = agen()
        await anext(items)
        await items.aclose()

    asyncio.run(closes())
    assert [name and name.rpartition("-")[0] for name in closed] == ["gen", "agen"]


@pytest.mark.parametrize("retries", [0, 2])
def test_a_cleanup_that_raises_fails_or_completes_but_never_hangs(retries: int) -> None:
    @task(name="gen", retries=retries, **HOOKS)
    def gen() -> Iterator[int]:
        try:
            yield 1
        finally:
            raise ValueError("cleanup")

    items = gen()
    next(items)
    if retries:
        items.close()
        assert ENDED == [("gen", "Completed")]
    else:
        with pytest.raises(ValueError, match="cleanup"):
            items.close()
        assert ENDED == [("gen", "Failed")]


@pytest.mark.parametrize("make", KINDS, ids=["task", "flow"])
def test_an_exception_in_the_middle_reaches_the_consumer(make: Any) -> None:
    def breaks() -> Iterator[int]:
        yield 1
        raise ValueError("middle")

    async def abreaks() -> AsyncIterator[int]:
        yield 1
        raise ValueError("middle")

    got = []
    with pytest.raises(ValueError, match="middle"):
        got.extend(make(breaks)())
    with pytest.raises(ValueError, match="middle"):
        asyncio.run(collected(make(abreaks)()))
    assert ENDED == [("gen", "Failed")] * 2


def test_a_retried_generator_starts_over() -> None:
    @task(retries=1)
    def gen() -> Iterator[Any]:
        yield task_run.run_count
        if task_run.run_count == 1:
            raise ValueError("again")

    assert list(gen()) == [1, 2]


def test_values_are_sent_and_exceptions_thrown_into_it() -> None:
    @task
    def echo() -> Any:
        got: list[Any] = []
        while len(got) < 3:
            try:
                got.append((yield got))
            except KeyError as error:
                got.append(error.args[0])
        return got

    def consume() -> Any:
        items = echo()
        next(items)
        items.send(1)
        items.throw(KeyError("thrown"))
        try:
            items.send(3)
        except StopIteration as end:
            return end.value

    assert consume() == [1, "thrown", 3]

    @task
    async def aecho() -> Any:
        got: list[Any] = []
        while len(got) < 3:
            try:
                got.append((yield list(got)))
            except KeyError as error:
                got.append(error.args[0])

    async def aconsume() -> Any:
        items = aecho()
        await anext(items)
        await items.asend(1)
        last = await items.athrow(KeyError("thrown"))
        with pytest.raises(StopAsyncIteration):
            await items.asend(3)
        return last

    assert asyncio.run(aconsume()) == [1, "thrown"]


def test_a_runs_context_does_not_leak_to_its_consumer() -> None:
    @task
    def gen() -> Iterator[Any]:
        yield task_run.id
        yield task_run.id

    @task
    async def agen() -> AsyncIterator[Any]:
        yield task_run.id
        yield task_run.id

    @flow
    def around() -> None:
        before = flow_run.id
        for own in gen():
            assert own and TaskRunContext.get() is None and task_run.id is None
            assert flow_run.id == before
        a, b = gen(), gen()
        assert len({next(a), next(b)}) == 2

    @flow
    async def aaround() -> None:
        ids = set()
        async for own in agen():
            ids.add(own)
            assert own and TaskRunContext.get() is None
        assert len(ids) == 1

    around()
    asyncio.run(aaround())
    assert FlowRunContext.get() is None


def test_a_flow_generators_context_does_not_leak_either() -> None:
    @flow
    def gen() -> Iterator[Any]:
        yield flow_run.id
        yield flow_run.id

    first, second = gen(), gen()
    ids = [next(first), next(second), next(first), next(second)]
    assert ids[0] == ids[2] != ids[1] == ids[3]
    assert FlowRunContext.get() is None
    first.close()
    second.close()
    assert FlowRunContext.get() is None


def test_a_return_value_is_passed_on() -> None:
    @task
    def gen() -> Any:
        yield 1
        return 9

    def consume() -> Any:
        return (yield from gen())

    items = consume()
    assert next(items) == 1
    with pytest.raises(StopIteration) as end:
        next(items)
    assert end.value.value == 9


def test_a_submitted_generators_result_is_the_list_of_what_it_yields() -> None:
    assert task(count).submit(3).result() == [0, 1, 2]
    assert task(acount).submit(3).result() == [0, 1, 2]
    assert task(count).map([1, 2]).result() == [[0], [0, 1]]


def test_a_generator_may_be_finished_in_another_thread() -> None:
    from concurrent.futures import ThreadPoolExecutor

    items = task(name="gen", **HOOKS)(count)(3)
    assert next(items) == 0
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(list, items).result() == [1, 2]
    assert ENDED == [("gen", "Completed")]


@pytest.mark.parametrize("make", [flow, task])
def test_a_consumer_that_leaves_at_the_end_of_its_event_loop_completes_the_run(
    make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def leave() -> None:
        async for item in make(acount, **HOOKS)(10):
            if item == 3:
                return

    asyncio.run(leave())
    assert ENDED == [("acount", "Completed")]
    assert not [record for record in caplog.records if record.name == "asyncio"]
