"""Side by side: submit, map, waiting, and what runs depend on."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

from prefect import allow_failure, flow, tags, task, unmapped
from prefect.futures import as_completed, wait
from prefect.task_runners import ConcurrentTaskRunner, ThreadPoolTaskRunner


@task
def add(a: int, b: int = 1) -> int:
    return a + b


@task
def fail() -> int:
    raise ValueError("failed task")


def program_submit() -> None:
    @flow
    def run() -> Any:
        future = add.submit(1, b=2)
        print(type(future).__name__, future.result(), future.result(), future.state.name, future.wait())
        chained = add.submit(future, future)
        return chained.result()

    print(run())


def program_map() -> None:
    @flow
    def run() -> Any:
        futures = add.map([1, 2, 3], [10, 20, 30])
        print(type(futures).__name__, len(futures), [future.result() for future in futures])
        print(add.map([1, 2, 3], b=5).result(), add.map(a=[1, 2], b=unmapped(7)).result())
        print(add.map(range(3)).result(), add.map((1, 2)).result(), add.map([]).result())
        return add.map(add.map([1, 2])).result()

    print(run())


def program_map_unmapped_list() -> None:
    @task
    def within(x: int, known: list[int], *, label: str) -> str:
        return f"{label}{x in known}"

    @flow
    def run() -> Any:
        return within.map([1, 5], known=unmapped([1, 2]), label="is ").result()

    print(run())


def program_map_keyword_arguments() -> None:
    @task
    def text(s: str, n: int) -> str:
        return s * n

    @flow
    def run() -> Any:
        return text.map(s=["a", "b"], n=[1, 2]).result(), text.map(["a", "b"], n=2).result()

    print(run())


def program_map_errors() -> None:
    @flow
    def uneven() -> Any:
        return add.map([1, 2], [1])

    @flow
    def single() -> Any:
        return add.map(1)

    for wrong in (uneven, single):
        try:
            wrong()
        except Exception as error:
            print(type(error).__name__)


def program_map_of_failures() -> None:
    @task
    def inverse(x: float) -> float:
        return 1 / x

    @flow
    def run() -> Any:
        futures = inverse.map([1, 0, 2])
        print([future.state.name for future in futures if future.wait() is None])
        good = [future.result() for future in futures if future.state.is_completed()]
        print(good, type(futures.result(raise_on_failure=False)[1]).__name__)
        try:
            futures.result()
        except ZeroDivisionError as error:
            print("raised", error)
        return "ok"

    print(run())


def program_map_states() -> None:
    @flow
    def run() -> Any:
        states = add.map([1, 2], return_state=True)
        print(type(states).__name__, [state.name for state in states])
        return [state.result() for state in states]

    print(run())


def program_allow_failure() -> None:
    @task
    def look(x: Any) -> str:
        return f"{type(x).__name__}: {x}"

    @flow
    def run() -> Any:
        failed = fail.submit()
        print(look.submit(allow_failure(failed)).result())
        print(look(allow_failure(failed)))
        print(look.submit(3, wait_for=[allow_failure(failed)]).result())
        return "end"

    print(run())


def program_wait_for() -> None:
    order: list[str] = []

    @task
    def note(what: str, delay: float = 0) -> str:
        time.sleep(delay)
        order.append(what)
        return what

    @flow
    def run() -> None:
        slow = note.submit("slow", 0.05)
        after = note.submit("after", wait_for=[slow])
        note("last", wait_for=[after])

    run()
    print(order)


def program_wait_for_failed() -> None:
    @flow
    def run() -> Any:
        failed = fail.submit()
        state = add.submit(1, wait_for=[failed], return_state=True)
        print(state.name, state.type.value)
        return 1

    print(run())


def program_as_completed() -> None:
    @task
    def sleep(seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    @flow
    def run() -> Any:
        futures = sleep.map([0.4, 0.01, 0.2])
        return [future.result() for future in as_completed(futures)]

    print(run())


def program_wait_and_timeouts() -> None:
    release = threading.Event()

    @task
    def hold() -> str:
        release.wait(20)
        return "released"

    @flow
    def run() -> Any:
        quick, held = add.submit(1), hold.submit()
        quick.wait()
        done, not_done = wait([quick, held], timeout=0.2)
        print(len(done), len(not_done), quick in done)
        for call in (lambda: held.result(timeout=0.01), lambda: list(as_completed([held], timeout=0.01))):
            try:
                call()
            except TimeoutError:
                print("not yet")
        print(held.wait(timeout=0.01), held.state.is_final())
        release.set()
        held.wait()
        return held.result(timeout=10)

    print(run())


def program_done_callbacks() -> None:
    got: list[Any] = []

    @flow
    def run() -> None:
        future = add.submit(2)
        future.add_done_callback(lambda done: got.append(done.result()))
        future.wait()
        future.add_done_callback(lambda done: got.append("late"))

    run()
    print(sorted(map(str, got)))


def program_nested_containers() -> None:
    @task
    def total(data: dict[str, Any]) -> int:
        return sum(data["numbers"]) + data["more"]["x"]

    @flow
    def run() -> int:
        first, second = add.submit(1), add.submit(2)
        return total.submit({"numbers": [first, second, 5], "more": {"x": first}}).result()

    print(run())


def program_futures_into_subflows() -> None:
    @flow
    def child(x: int, items: list[int]) -> int:
        return x + sum(items)

    @flow
    def parent() -> int:
        future = add.submit(1)
        return child(future, [future, 10])  # type: ignore[arg-type, list-item]

    print(parent())


def program_task_runners() -> None:
    @flow(task_runner=ThreadPoolTaskRunner(max_workers=2))
    def pooled() -> Any:
        return add.map([1, 2, 3]).result()

    @flow(task_runner=ThreadPoolTaskRunner)
    def by_class() -> Any:
        return add.submit(1).result()

    @flow(task_runner=ConcurrentTaskRunner())
    def concurrent() -> Any:
        return add.submit(1).result()

    print(pooled(), by_class(), concurrent(), pooled.task_runner._max_workers)


def program_bounded_workers() -> None:
    running, most, lock = 0, 0, threading.Lock()

    @task
    def count() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=2))
    def run() -> None:
        wait([count.submit() for _ in range(6)])

    run()
    print(most <= 2)


def program_async_submit() -> None:
    @task
    async def fetch(x: int) -> int:
        await asyncio.sleep(0.01)
        return x * 10

    @flow
    async def run() -> Any:
        futures = [fetch.submit(i) for i in range(3)]
        results = [future.result() for future in futures]
        mapped = fetch.map([5, 6])
        return results, [future.result() for future in mapped], add.submit(1).result()

    print(asyncio.run(run()))


def program_tags_on_submitted() -> None:
    from prefect.runtime import task_run

    @task(tags=["own"])
    def which() -> list[str]:
        return sorted(task_run.tags)

    @flow
    def run() -> Any:
        with tags("outer", "x"):
            future = which.submit()
            with tags("inner"):
                return future.result(), which.submit().result(), which()

    print(run())


def program_tasks_outside_of_flows() -> None:
    state = add(5, return_state=True)
    print(state.name, state.result())


def program_results_keep_identity() -> None:
    class Frame:
        """Compares like a data frame: item by item, with no truth of its own."""

        def __init__(self, rows: list[int]) -> None:
            self.rows = rows

        def __eq__(self, other: object) -> Any:
            return Frame([1])

        def __bool__(self) -> bool:
            raise ValueError("The truth value of a Frame is ambiguous.")

        __hash__ = None  # type: ignore[assignment]

    @task
    def load() -> Frame:
        return Frame([1, 2, 3])

    @task
    def head(frame: Frame, n: int = 2) -> Frame:
        return Frame(frame.rows[:n])

    @flow
    def run() -> Any:
        frame = load()
        print(head(frame).rows, head.submit(frame, 1).result().rows)
        future = load.submit()
        print([part.rows for part in head.map([future, frame, load()]).result()])
        return head(frame)

    print(run().rows)


def program_dependent_chain() -> None:
    @task
    def step(n: int) -> int:
        return n + 1

    @flow
    def run() -> int:
        future: Any = step.submit(0)
        for _ in range(10):
            future = step.submit(future)
        return int(future.result())

    print(run())


def program_fan_out_fan_in() -> None:
    @task
    def collect(parts: list[int]) -> int:
        return sum(parts)

    @flow
    def run() -> int:
        parts = add.map(range(10), unmapped(1))
        return collect.submit(parts).result() + collect(parts)  # type: ignore[arg-type]

    print(run())


def program_threads_of_the_users() -> None:
    from concurrent.futures import ThreadPoolExecutor
    from contextvars import copy_context

    @flow
    def run() -> list[int]:
        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(copy_context().run, add, i) for i in range(3)]
        return [job.result() for job in jobs]

    print(run())
