"""Retries, timeouts and hooks."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.runtime import flow_run, task_run
from prefect.tasks import exponential_backoff


class Flaky:
    """Fails a few times, then works."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.calls, self.failures = 0, failures
        self.error = error or ConnectionError("try again")

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return f"worked on call {self.calls}"


def program_task_retries() -> None:
    api = Flaky(2)
    counts: list[int] = []

    @task(retries=3)
    def call() -> str:
        counts.append(task_run.run_count)
        return api()

    @flow
    def run() -> str:
        return call()

    print(run(), counts)


def program_task_retries_exhausted() -> None:
    api = Flaky(9)

    @task(retries=2, retry_delay_seconds=0)
    def call() -> str:
        return api()

    @flow
    def run() -> str:
        return call()

    state = run(return_state=True)
    print(state.name, state.message, api.calls)


def program_flow_retries() -> None:
    api = Flaky(2)
    counts: list[int] = []

    @flow(retries=2)
    def run() -> str:
        counts.append(flow_run.run_count)
        return api()

    print(run(), counts)


def program_flow_retry_runs_child_tasks_again() -> None:
    calls: list[str] = []

    @task
    def first() -> str:
        calls.append("first")
        return "1"

    @task
    def second() -> str:
        calls.append("second")
        if calls.count("second") < 2:
            raise ValueError("second failed")
        return "2"

    @flow(retries=1)
    def run() -> str:
        return first() + second()

    print(run(), calls)


def program_flow_retry_with_child_flow() -> None:
    calls: list[str] = []

    @flow
    def child() -> str:
        calls.append("child")
        return "c"

    @flow(retries=1)
    def parent() -> str:
        got = child()
        if flow_run.run_count == 1:
            raise ValueError("parent fails once")
        return got

    print(parent(), calls)


def program_retry_delays() -> None:
    api = Flaky(3)

    @task(retries=3, retry_delay_seconds=[0.01, 0, 0.02], retry_jitter_factor=0.1)
    def call() -> str:
        return api()

    @flow
    def run() -> str:
        return call()

    print(run())
    backing_off = call.with_options(retries=4, retry_delay_seconds=exponential_backoff(backoff_factor=2))
    print(backing_off.retry_delay_seconds, call.retry_delay_seconds, call.retry_jitter_factor)
    print(exponential_backoff(10)(3))
    print(task(lambda: 1, retries=2, retry_delay_seconds=lambda retries: [0.5] * retries).retry_delay_seconds)


def program_retry_condition() -> None:
    asked: list[str] = []

    def only_connection_errors(task: Any, run: Any, state: Any) -> bool:
        asked.append(f"{task.name} {type(run).__name__} {state.name}")
        try:
            state.result()
        except ConnectionError:
            return True
        except Exception:
            return False
        return False

    good, bad = Flaky(1), Flaky(5, TypeError("a bug"))

    @task(retries=3, retry_condition_fn=only_connection_errors)
    def call(api: Flaky) -> str:
        return api()

    @flow
    def run() -> Any:
        return call(good), call(bad, return_state=True).name

    print(run(), good.calls, bad.calls)
    print(asked)


def program_async_retries() -> None:
    api = Flaky(1)

    @task(retries=1)
    async def call() -> str:
        return api()

    @flow(retries=1)
    async def run() -> str:
        got = await call()
        if flow_run.run_count == 1:
            raise ValueError("again")
        return f"{got}, run {flow_run.run_count}"

    print(asyncio.run(run()))


def program_task_timeout() -> None:
    @task(timeout_seconds=0.1)
    def slow() -> None:
        time.sleep(1)

    @flow
    def run() -> Any:
        state = slow(return_state=True)
        print(state.name, state.type.value, state.message)
        try:
            slow()
        except TimeoutError as error:
            print(type(error).__name__, isinstance(error, TimeoutError))
        return "over"

    print(run())


def program_flow_timeout() -> None:
    @flow(timeout_seconds=0.1)
    def slow() -> None:
        for _ in range(200):
            time.sleep(0.01)

    state = slow(return_state=True)
    print(state.name, state.type.value, state.message)


def program_async_timeouts() -> None:
    @task(timeout_seconds=0.05)
    async def slow() -> None:
        await asyncio.sleep(5)

    @flow(timeout_seconds=0.3)
    async def run() -> None:
        state = await slow(return_state=True)
        print(state.name, state.message)
        await asyncio.sleep(5)

    state = asyncio.run(run(return_state=True))
    print(state.name, state.message)


def program_timeout_is_retried() -> None:
    calls: list[int] = []

    @task(timeout_seconds=0.1, retries=1)
    def sometimes_slow() -> str:
        calls.append(1)
        if len(calls) == 1:
            time.sleep(1)
        return "in time"

    @flow
    def run() -> str:
        return sometimes_slow()

    print(run(), len(calls))


def program_hooks_write_files() -> None:
    def write(name: str) -> Any:
        def hook(flow: Any, flow_run: Any, state: Any) -> None:
            with Path("log.txt").open("a") as file:
                file.write(f"{name} {flow.name} {type(flow_run).__name__} {state.type.value} {state.name}\n")

        hook.__name__ = name
        return hook

    options: Any = {
        f"on_{event}": [write(event)] for event in ("running", "completion", "failure", "crashed")
    }

    @flow(**options)
    def good() -> None: ...

    @flow(**options)
    def bad() -> None:
        raise ValueError("bad")

    good()
    bad(return_state=True)
    print(Path("log.txt").read_text())


def program_task_hooks() -> None:
    seen: list[str] = []

    def told(task: Any, run: Any, state: Any) -> None:
        seen.append(f"{task.name} {run.name} {state.name} {state.message}")

    @task(on_completion=[told], on_failure=[told], on_running=[told], task_run_name="named", retries=1)
    def work(fail: bool) -> str:
        if fail:
            raise ValueError("told you")
        return "x"

    @flow
    def run() -> None:
        work(False)
        work.submit(True).wait()

    run()
    print("\n".join(seen))


def program_hook_decorators() -> None:
    seen: list[str] = []

    @flow(retries=1)
    def work() -> None:
        raise ValueError("always")

    @work.on_failure
    def failed(flow: Any, run: Any, state: Any) -> None:
        seen.append(f"failed after {run.run_count}: {state.message}")

    @work.on_completion
    def completed(flow: Any, run: Any, state: Any) -> None:
        seen.append("completed")

    @task
    def step() -> int:
        return 1

    @step.on_completion
    def stepped(task: Any, run: Any, state: Any) -> None:
        seen.append(f"{task.name} {state.name} {state.result()}")

    work(return_state=True)
    step()
    print(seen, failed.__name__)


def program_async_hooks() -> None:
    seen: list[str] = []

    async def hook(flow: Any, run: Any, state: Any) -> None:
        await asyncio.sleep(0)
        seen.append(state.name)

    @flow(on_completion=[hook])
    async def run() -> None: ...

    @flow(on_completion=[hook])
    def sync_run() -> None: ...

    asyncio.run(run())
    sync_run()
    print(seen)


def program_failing_hooks() -> None:
    seen: list[str] = []

    def broken(flow: Any, run: Any, state: Any) -> None:
        raise RuntimeError("hook broke")

    def fine(flow: Any, run: Any, state: Any) -> None:
        seen.append("fine")

    @flow(on_completion=[broken, fine])
    def run() -> int:
        return 1

    print(run(), seen)


def program_hook_sees_results_and_parameters() -> None:
    seen: list[Any] = []

    def hook(flow: Any, run: Any, state: Any) -> None:
        seen.append((run.parameters, state.result(raise_on_failure=False), run.state.name, run.state_name))

    @flow(on_completion=[hook], on_failure=[hook])
    def run(x: int, y: str = "d") -> int:
        return 10 // x

    run(2)
    run(0, return_state=True)
    print(seen[0], seen[1][0], type(seen[1][1]).__name__)


def program_runtime_in_hooks() -> None:
    seen: list[Any] = []

    def hook(flow: Any, run: Any, state: Any) -> None:
        seen.append((flow_run.name, flow_run.flow_name, flow_run.parameters, str(run.id) == flow_run.id))

    @flow(flow_run_name="run-{x}", on_completion=[hook])
    def work(x: int) -> None: ...

    work(5)
    print(seen)


def program_retry_with_state_returned() -> None:
    from prefect.states import Completed, Failed

    calls: list[int] = []

    @task(retries=2)
    def work() -> Any:
        calls.append(1)
        return Failed(message="not yet") if len(calls) < 3 else Completed(message="now")

    @flow
    def run() -> str:
        state = work(return_state=True)
        return f"{state.name} {state.message}"

    print(run(), len(calls))


def program_retry_after_submit() -> None:
    api = Flaky(1)

    @task(retries=1, retry_delay_seconds=0.01)
    def call() -> str:
        return api()

    @flow
    def run() -> Any:
        return call.submit().result(), [f.result() for f in call.map(unmapped_call_arguments())]

    def unmapped_call_arguments() -> list[Any]:
        return []

    try:
        print(run())
    except Exception as error:
        print(type(error).__name__)
