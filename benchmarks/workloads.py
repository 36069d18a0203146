"""The work that is measured: the same file runs, unchanged, under either interpreter.

`python workloads.py NAME [COUNT]` runs one workload and prints its figures as one line of JSON. Times are
seconds, memory is in bytes. Only what both sides offer is used, with default settings.
"""

from __future__ import annotations

import sys
import time

clock = time.perf_counter


def import_cost(_count: int) -> dict[str, float]:
    """Import what every script imports."""
    start = clock()
    from prefect import flow, task

    seconds = clock() - start
    assert flow is not task
    return {"seconds": seconds, "modules": len(sys.modules)}


def hello(_count: int) -> dict[str, float]:
    """Run a flow with one task; the caller times the whole process."""
    from prefect import flow, task

    @task
    def greet() -> str:
        return "Hello, world!"

    @flow
    def greeting() -> str:
        return greet()

    assert greeting() == "Hello, world!"
    return {}


def call(count: int) -> dict[str, float]:
    """Call a task that does nothing; `durable` counts the whole flow, until all is recorded."""
    from prefect import flow, task

    @task
    def nothing() -> None:
        pass

    @flow
    def calls(count: int) -> float:
        start = clock()
        for _ in range(count):
            nothing()
        return clock() - start

    calls(10)
    start = clock()
    seconds = calls(count)
    return {"seconds": seconds / count, "durable": (clock() - start) / count}


def submit(count: int) -> dict[str, float]:
    """Submit tasks to the thread runner, then collect every result."""
    from prefect import flow, task

    @task
    def same(value: int) -> int:
        return value

    @flow
    def submits(count: int) -> float:
        start = clock()
        futures = [same.submit(value) for value in range(count)]
        assert [future.result() for future in futures] == list(range(count))
        return (clock() - start) / count

    submits(10)
    return {"seconds": submits(count)}


def mapped(count: int) -> dict[str, float]:
    """Map a task over numbers and collect every result."""
    from prefect import flow, task

    @task
    def same(value: int) -> int:
        return value

    @flow
    def maps(count: int) -> float:
        start = clock()
        assert same.map(list(range(count))).result() == list(range(count))
        return (clock() - start) / count

    maps(10)
    return {"seconds": maps(count)}


def gather(count: int) -> dict[str, float]:
    """Await async tasks side by side."""
    import asyncio

    from prefect import flow, task

    @task
    async def same(value: int) -> int:
        return value

    @flow
    async def gathers(count: int) -> float:
        start = clock()
        assert await asyncio.gather(*(same(value) for value in range(count))) == list(range(count))
        return (clock() - start) / count

    async def main() -> float:
        await gathers(10)
        return await gathers(count)

    return {"seconds": asyncio.run(main())}


def subflow(count: int) -> dict[str, float]:
    """Call a flow that does nothing from a flow."""
    from prefect import flow

    @flow
    def nothing() -> int:
        return 1

    @flow
    def parent(count: int) -> float:
        start = clock()
        for _ in range(count):
            nothing()
        return (clock() - start) / count

    parent(1)
    return {"seconds": parent(count)}


def runtime(count: int) -> dict[str, float]:
    """Read attributes of the runtime context inside a task: one of the task run's, one of the flow run's."""
    from prefect import flow, task
    from prefect.runtime import flow_run, task_run

    @task
    def reads(count: int) -> float:
        assert task_run.name
        assert flow_run.name
        start = clock()
        for _ in range(count):
            task_run.name  # noqa: B018 - the read is what is measured
            flow_run.name  # noqa: B018
        return (clock() - start) / count / 2

    @flow
    def reading(count: int) -> float:
        return reads(count)

    return {"seconds": reading(count)}


def resident_bytes() -> int:
    """Give the memory this process holds now."""
    from pathlib import Path

    statm = Path("/proc/self/statm")
    if statm.exists():
        import os

        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def memory(count: int) -> dict[str, float]:
    """Hold memory: run tasks in a flow, then weigh the process; `growth` is from the first tenth on."""
    from prefect import flow, task

    @task
    def nothing() -> None:
        pass

    @flow
    def calls(count: int) -> tuple[int, int]:
        for _ in range(count // 10):
            nothing()
        early = resident_bytes()
        for _ in range(count - count // 10):
            nothing()
        return early, resident_bytes()

    start = clock()
    early, late = calls(count)
    return {"seconds": clock() - start, "resident": late, "growth": max(late - early, 0)}


WORKLOADS = {
    "import": import_cost,
    "hello": hello,
    "call": call,
    "submit": submit,
    "map": mapped,
    "gather": gather,
    "subflow": subflow,
    "runtime": runtime,
    "memory": memory,
}

if __name__ == "__main__":
    figures = WORKLOADS[sys.argv[1]](int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    import json

    print(json.dumps(figures), flush=True)
