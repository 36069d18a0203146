"""The pool of threads under stress: nothing is lost, nobody waits for ever, the limit holds."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import setting
from prefect import flow, task
from prefect.engine.future import PrefectConcurrentFuture
from prefect.engine.slots import SlotGivenUp
from prefect.states import Completed
from prefect.task_runners.pool import Pool
from prefect.types import uuid7


class Gauge:
    """Counts works that hold a slot, and works done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = self.most = self.done = 0

    def begin(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def pause(self) -> None:
        with self._lock:
            self.now -= 1

    def end(self) -> None:
        with self._lock:
            self.now -= 1
            self.done += 1


def tree(
    pool: Pool, gauge: Gauge, shape: list[int], choose: Callable[[], float]
) -> PrefectConcurrentFuture[None]:
    """Put work into a pool that puts further work into it and waits for some of that."""
    future: PrefectConcurrentFuture[None] = PrefectConcurrentFuture(uuid7())

    def work() -> None:
        gauge.begin()
        if shape:
            gauge.pause()
            children = [tree(pool, gauge, shape[1:], choose) for _ in range(shape[0])]
            for child in children:
                if choose() < 0.7:
                    child.wait()
                elif choose() < 0.5:
                    child.wait(timeout=0.0001)
            gauge.begin()
        gauge.end()
        future.complete(Completed())

    pool.put(work)
    return future


@settings(max_examples=25, deadline=None)
@given(
    workers=st.integers(1, 4),
    backlog=st.integers(1, 30),
    shape=st.lists(st.integers(0, 4), max_size=4),
    seed=st.integers(0, 1000),
)
def test_trees_of_work_complete(workers: int, backlog: int, shape: list[int], seed: int) -> None:
    """Whatever the numbers of workers and of queued works, and whoever waits for whom."""
    pool, gauge = Pool(workers, backlog, "stress"), Gauge()
    chance = random.Random(seed).random
    roots = [tree(pool, gauge, shape, chance) for _ in range(5)]
    for root in roots:
        root.wait()
    pool.join()
    expected, layer = 5, 5
    for width in shape:
        layer *= width
        expected += layer
    assert gauge.done == expected
    assert gauge.now == 0


def test_never_more_at_work_than_workers() -> None:
    pool, gauge = Pool(3, 50, "stress"), Gauge()

    def work() -> None:
        gauge.begin()
        gauge.pause()
        with SlotGivenUp():
            pass
        gauge.begin()
        gauge.end()

    def produce() -> None:
        for _ in range(300):
            pool.put(work)

    producers = [threading.Thread(target=produce) for _ in range(6)]
    for producer in producers:
        producer.start()
    for producer in producers:
        producer.join()
    pool.join()
    assert gauge.done == 1_800
    assert gauge.most <= 3


def test_joining_from_several_threads() -> None:
    pool, gate = Pool(1, 10, "stress"), threading.Event()
    pool.put(lambda: gate.wait(50) and None)
    joined: list[int] = []
    threads = [threading.Thread(target=lambda: (pool.join(), joined.append(1))) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert not joined
    gate.set()
    for thread in threads:
        thread.join(50)
    assert len(joined) == 5
    pool.join()


def test_abandoned_work_is_waited_for_by_nobody() -> None:
    pool, begun, gate = Pool(1, 10, "stress"), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        gate.wait(50)

    pool.put(work)
    joins = threading.Thread(target=pool.join)
    joins.start()
    assert begun.wait(50)
    pool.abandon()
    while joins.is_alive():
        pool.abandon()  # in case it had not begun to wait
        joins.join(0.01)
    gate.set()


def test_taking_queued_work_back_wakes_who_waits() -> None:
    pool, gate, done = Pool(1, 2, "stress"), threading.Event(), []
    pool.put(lambda: gate.wait(50) and None)

    def produce() -> None:
        for x in range(6):
            pool.put(lambda x=x: done.append(x))  # type: ignore[misc]

    producer = threading.Thread(target=produce)
    producer.start()
    taken = 0
    while producer.is_alive():
        taken += len(pool.take_queued())
        producer.join(0.001)
    taken += len(pool.take_queued())
    gate.set()
    pool.join()
    assert taken + len(done) == 6


def test_idle_threads_are_used_again() -> None:
    pool, names = Pool(4, 10, "again"), set()
    for _ in range(50):
        future: PrefectConcurrentFuture[None] = PrefectConcurrentFuture(uuid7())
        pool.put(
            lambda future=future: (names.add(threading.current_thread().name), future.complete(Completed()))
        )  # type: ignore[misc]
        future.wait()
    assert len(names) <= 4


def test_the_threads_of_a_closed_pool_end_and_late_work_is_done() -> None:
    pool, gate = Pool(4, 10, "closed"), threading.Event()

    def threads() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name.startswith("closed-")]

    for _ in range(4):
        pool.put(gate.wait)  # type: ignore[arg-type]
    gate.set()
    pool.join()
    pool.close()
    for thread in threads():
        thread.join(50)
    assert not threads()
    done: list[int] = []
    for number in range(20):
        pool.put(lambda number=number: done.append(number))  # type: ignore[misc]
    pool.join()
    assert sorted(done) == list(range(20))
    for thread in threads():
        thread.join(50)
    assert not threads()


def test_flow_runs_leave_no_threads_behind() -> None:
    @task
    def wait(_: int) -> None:
        barrier.wait(50)

    @flow
    def eight() -> None:
        wait.map(range(8)).wait()

    barrier = threading.Barrier(8)
    before = threading.active_count()
    for _ in range(setting.sized(20, peer=10)):
        eight()
    deadline = time.monotonic() + 50
    while threading.active_count() >= before + 60:
        assert time.monotonic() < deadline, threading.enumerate()
        time.sleep(0.01)  # those of a pool that is closed end by themselves


def test_a_system_that_gives_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool, done = Pool(4, 10, "few"), []
    gate = threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            pool.put(lambda: done.append("refused"))
    pool.join()
    pool.put(gate.wait)  # type: ignore[arg-type]
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        for number in range(3):
            pool.put(lambda number=number: done.append(number))  # type: ignore[misc]
        gate.set()
        pool.join()
    assert done == [0, 1, 2]
