"""Many runs at once: in threads, on event loops, in trees."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from typing import Any

from prefect import flow, tags, task, unmapped
from prefect.context import get_run_context
from prefect.futures import PrefectFuture, as_completed, wait
from prefect.runtime import flow_run, task_run
from prefect.task_runners import ThreadPoolTaskRunner


@task
def square(x: int) -> int:
    return x * x


@task
def add(*numbers: int) -> int:
    return sum(numbers)


def program_trees_of_tasks() -> None:
    @task
    def merge(left: list[int], right: list[int]) -> list[int]:
        return sorted([*left, *right])

    @task
    def leaf(xs: list[int]) -> list[int]:
        return xs

    def sort(xs: list[int]) -> PrefectFuture[list[int]]:
        if len(xs) <= 2:
            return leaf.submit(sorted(xs))
        half = len(xs) // 2
        return merge.submit(sort(xs[:half]), sort(xs[half:]))

    @flow
    def run() -> list[int]:
        return sort(random.Random(1).sample(range(100), 9)).result()

    print(run())


def program_diamonds() -> None:
    @flow
    def run() -> int:
        top = square.submit(3)
        left, right = square.submit(top), add.submit(top, 1)
        return add.submit(left, right).result()

    print(run())


def program_dynamic_work() -> None:
    @task
    def children(n: int) -> list[int]:
        return [n - 1, n - 2] if n > 1 else []

    @flow
    def run() -> Counter[int]:
        seen: Counter[int] = Counter()
        waiting = [children.submit(4)]
        while waiting:
            future = waiting.pop()
            for n in future.result():
                seen[n] += 1
                waiting.append(children.submit(n))
        return seen

    print(sorted(run().items()))


def program_values_of_threads() -> None:
    @task
    def where() -> Any:
        return threading.current_thread() is threading.main_thread(), flow_run.name, task_run.task_name

    @flow(flow_run_name="threads")
    def run() -> None:
        print(where(), where.submit().result())

    run()


def program_context_variables_reach_tasks() -> None:
    import contextvars

    user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")

    @task
    def who() -> str:
        return user.get()

    @flow
    def run() -> Any:
        user.set("ann")
        return who(), who.submit().result()

    print(run(), user.get())


def program_task_runs_know_their_flows() -> None:
    @task
    def which(i: int) -> Any:
        return i, flow_run.parameters["n"], get_run_context().task_run.name.split("-")[0]

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=4))
    def run(n: int) -> Any:
        return which.map(range(3)).result()

    async def both() -> Any:
        return await asyncio.gather(asyncio.to_thread(run, 1), asyncio.to_thread(run, 2))

    print(asyncio.run(both()))


def program_nested_submits() -> None:
    @task
    def outer(n: int) -> int:
        return sum(square.map(range(n)).result())

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=8))
    def run() -> Any:
        return outer.map([1, 2, 3]).result(), outer.submit(4).result()

    print(run())


def program_results_in_order_of_completion() -> None:
    @task
    def nap(seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    @flow
    def run() -> Any:
        futures = [nap.submit(seconds) for seconds in (0.3, 0.02, 0.15)]
        first = next(as_completed(futures)).result()
        done, not_done = wait(futures)
        return first, len(done), len(not_done), [future.result() for future in futures]

    print(run())


def program_failures_among_many() -> None:
    @task
    def picky(x: int) -> int:
        if x % 2:
            raise ValueError(f"{x} is odd")
        return x

    @flow
    def run() -> Any:
        futures = picky.map(range(6))
        wait(futures)
        good = [future.result() for future in futures if future.state.is_completed()]
        bad = [str(future.result(raise_on_failure=False)) for future in futures if future.state.is_failed()]
        return good, bad

    print(run())


def program_flows_wait_for_forgotten_tasks() -> None:
    done: list[int] = []

    @task
    def slow(i: int) -> None:
        time.sleep(0.05)
        done.append(i)

    @flow
    def run() -> str:
        for i in range(3):
            slow.submit(i)
        return "returned"

    print(run(), sorted(done))


def program_async_limits() -> None:
    running, most = 0, 0

    @task
    async def work(i: int, limit: asyncio.Semaphore) -> int:
        nonlocal running, most
        async with limit:
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1
        return i

    @flow
    async def run() -> list[int]:
        limit = asyncio.Semaphore(2)
        return await asyncio.gather(*[work(i, limit) for i in range(6)])

    print(asyncio.run(run()), most)


def program_async_queues() -> None:
    @task
    async def produce(queue: asyncio.Queue[int | None], n: int) -> None:
        for i in range(n):
            await queue.put(i)
        await queue.put(None)

    @task
    async def consume(queue: asyncio.Queue[int | None]) -> int:
        total = 0
        while (item := await queue.get()) is not None:
            total += item
        return total

    @flow
    async def run() -> int:
        queue: asyncio.Queue[int | None] = asyncio.Queue()
        _, total = await asyncio.gather(produce(queue, 5), consume(queue))
        return total

    print(asyncio.run(run()))


def program_async_as_completed() -> None:
    @task
    async def nap(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    @flow
    async def run() -> list[float]:
        return [await each for each in asyncio.as_completed([nap(0.3), nap(0.01), nap(0.15)])]

    print(asyncio.run(run()))


def program_async_contexts_stay_apart() -> None:
    @task(task_run_name="t-{i}")
    async def look(i: int) -> Any:
        before = task_run.name
        await asyncio.sleep(0.002 * (3 - i))
        return before == task_run.name, task_run.name, sorted(task_run.tags)

    async def tagged(i: int) -> Any:
        with tags(f"tag-{i}"):
            return await look(i)

    @flow
    async def run() -> Any:
        return await asyncio.gather(*[tagged(i) for i in range(3)])

    print(asyncio.run(run()))


def program_async_failures_in_gather() -> None:
    @task
    async def picky(x: int) -> int:
        if x == 1:
            raise ValueError("one")
        await asyncio.sleep(0.001)
        return x

    @flow
    async def run() -> Any:
        return await asyncio.gather(*[picky(i) for i in range(3)])

    try:
        asyncio.run(run())
    except ValueError as error:
        print("raised", error)


def program_sync_tasks_in_async_flows() -> None:
    @flow
    async def run() -> Any:
        direct = square(2)
        futures = square.map([3, 4])
        return direct, [future.result() for future in futures], square.submit(5).result()

    print(asyncio.run(run()))


def program_subflows_side_by_side() -> None:
    @flow(flow_run_name="child-{x}")
    async def child(x: int) -> Any:
        await asyncio.sleep(0.001)
        return flow_run.name, square(x)

    @flow
    async def parent() -> Any:
        return await asyncio.gather(*[child(i) for i in range(3)])

    print(asyncio.run(parent()))


def program_sequential_batches() -> None:
    @task
    def load(batch: list[int], index: int) -> Any:
        return index, sum(batch)

    @flow
    def run(items: list[int], size: int) -> Any:
        batches = [items[i : i + size] for i in range(0, len(items), size)]
        return load.map(batches, range(len(batches))).result(), load.map(batches, unmapped(0)).result()

    print(run(list(range(7)), 3))


def program_hundreds_of_tasks() -> None:
    @flow(task_runner=ThreadPoolTaskRunner(max_workers=5))
    def run() -> Any:
        mapped = square.map(range(100)).result()
        return sum(mapped), add.submit(*square.map(range(10))).result()

    print(run())


def program_locks_shared_by_tasks() -> None:
    total, lock = 0, threading.Lock()

    @task
    def bump(lock: Any) -> None:
        nonlocal total
        with lock:
            total += 1

    @flow
    def run() -> None:
        bump.map([lock] * 20).wait()

    run()
    print(total)
