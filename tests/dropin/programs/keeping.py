"""Results, caching and settings."""

from __future__ import annotations

import asyncio
import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic

from prefect import flow, task
from prefect.cache_policies import (
    DEFAULT,
    FLOW_PARAMETERS,
    INPUTS,
    NO_CACHE,
    RUN_ID,
    TASK_SOURCE,
    CacheKeyFnPolicy,
    CachePolicy,
)
from prefect.context import TaskRunContext
from prefect.serializers import JSONSerializer, PickleSerializer
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_LOGGING_LEVEL,
    PREFECT_RESULTS_PERSIST_BY_DEFAULT,
    PREFECT_TASK_DEFAULT_RETRIES,
    get_current_settings,
    temporary_settings,
)
from prefect.tasks import task_input_hash


def stored_in(directory: str) -> Any:
    """Results in a directory of this program's own."""
    return temporary_settings({PREFECT_LOCAL_STORAGE_PATH: Path(directory).resolve()})


def program_no_caching_by_default() -> None:
    calls: list[int] = []

    @task
    def work(x: int) -> int:
        calls.append(x)
        return x

    @flow
    def run() -> Any:
        return work(1), work(1)

    with stored_in("results"):
        print(run(), calls)


def program_caching_by_inputs() -> None:
    calls: list[int] = []

    @task(cache_policy=INPUTS)
    def work(x: int, y: Any = None) -> int:
        calls.append(x)
        return x * 10

    @flow
    def run() -> Any:
        states = [work(1, return_state=True), work(1, return_state=True), work(2, return_state=True)]
        return [state.name for state in states], [state.result() for state in states]

    with stored_in("results"):
        print(run(), calls)
        print(work(1), work(1, [1]), work(1, [1]), calls)


def program_caching_within_a_run() -> None:
    calls: list[int] = []

    @task(persist_result=True)
    def work(x: int) -> int:
        calls.append(x)
        return x

    @flow
    def run() -> Any:
        return work(1), work(1), work.submit(1).result()

    with stored_in("results"):
        print(run(), len(calls))
        print(run(), len(calls))


def program_cache_key_fn() -> None:
    calls: list[int] = []

    def key(context: TaskRunContext, parameters: dict[str, Any]) -> str:
        return f"{context.task.name}-{parameters['x'] % 2}"

    @task(cache_key_fn=key)
    def work(x: int) -> int:
        calls.append(x)
        return x

    @flow
    def run() -> Any:
        return [work(x) for x in range(4)]

    with stored_in("results"):
        print(run(), calls)


def program_task_input_hash_and_expiration() -> None:
    calls: list[Any] = []

    @task(cache_key_fn=task_input_hash, cache_expiration=datetime.timedelta(hours=1))
    def lasting(x: Any) -> Any:
        calls.append(x)
        return x

    @task(cache_key_fn=task_input_hash, cache_expiration=datetime.timedelta(seconds=-1))
    def expired(x: Any) -> Any:
        calls.append(x)
        return x

    @flow
    def run() -> Any:
        return lasting({"a": [1]}), lasting({"a": [1]}), expired(2), expired(2)

    with stored_in("results"):
        print(run(), calls)


def program_cache_policies_combined() -> None:
    calls: list[Any] = []

    @task(cache_policy=INPUTS - "noise")
    def ignoring(x: int, noise: object) -> int:
        calls.append("ignoring")
        return x

    @task(cache_policy=INPUTS + TASK_SOURCE)
    def both(x: int) -> int:
        calls.append("both")
        return x

    @task(cache_policy=NO_CACHE)
    def never(x: int) -> int:
        calls.append("never")
        return x

    @task(cache_policy=RUN_ID)
    def once_a_run(x: int) -> int:
        calls.append("once")
        return x

    @flow
    def run() -> None:
        ignoring(1, object())
        ignoring(1, object())
        for work in (both, never, once_a_run):
            work(1)
            work(1)

    with stored_in("results"):
        run()
        print(calls)


def program_refresh_cache() -> None:
    calls: list[int] = []

    @task(cache_policy=INPUTS)
    def work() -> int:
        calls.append(1)
        return len(calls)

    @flow
    def run() -> Any:
        return work(), work(), work.with_options(refresh_cache=True)(), work()

    with stored_in("results"):
        print(run())


def program_cached_failures_run_again() -> None:
    calls: list[int] = []

    @task(cache_policy=INPUTS)
    def work(x: int) -> int:
        calls.append(x)
        if len(calls) == 1:
            raise ValueError("first time")
        return x

    @flow
    def run() -> Any:
        return (
            work(1, return_state=True).name,
            work(1, return_state=True).name,
            work(1, return_state=True).name,
        )

    with stored_in("results"):
        print(run(), len(calls))


def program_persisted_results() -> None:
    @task(
        persist_result=True,
        result_storage_key="{parameters[name]}-{flow_run.flow_name}.json",
        result_serializer="json",
    )
    def work(name: str) -> dict[str, Any]:
        return {"name": name, "n": [1, 2]}

    @flow
    def run() -> Any:
        return work("a"), work("b"), work("a", return_state=True).name

    with stored_in("results"):
        print(run())
        print(sorted(path.name for path in Path("results").rglob("*.json")))


def program_flow_results_persist() -> None:
    @flow(persist_result=True, result_serializer=PickleSerializer())
    def run() -> Any:
        return {"answer": 42}

    with stored_in("results"):
        state = run(return_state=True)
        print(state.result(), len([path for path in Path("results").rglob("*") if path.is_file()]))


def program_serializers() -> None:
    for serializer in (JSONSerializer(), PickleSerializer()):
        for value in ({"a": [1, 2.5, None, True]}, "text", [1]):
            print(serializer.type, serializer.loads(serializer.dumps(value)) == value)
    print(JSONSerializer().loads(b'{"a": 1}'))


def program_results_that_cannot_be_kept() -> None:
    @task(persist_result=True, result_serializer="json", cache_policy=NO_CACHE)
    def work() -> Any:
        return {1, 2}

    @task(persist_result=True, cache_policy=INPUTS)
    def unhashable_input(x: Any) -> str:
        return "ran"

    @flow
    def run() -> Any:
        lock = __import__("threading").Lock()
        return unhashable_input(lock)

    with stored_in("results"):
        print(run())


def program_default_policy() -> None:
    print(
        task(lambda: 1).cache_policy == DEFAULT,
        task(lambda: 1, cache_policy=NO_CACHE).cache_policy == NO_CACHE,
    )
    print(type(task(lambda: 1, cache_key_fn=lambda c, p: "k").cache_policy) is CacheKeyFnPolicy)
    print(type(INPUTS + RUN_ID).__name__, INPUTS == INPUTS + NO_CACHE)


def program_cache_shared_by_mapped_runs() -> None:
    calls: list[int] = []

    @task(cache_policy=INPUTS)
    def work(x: int) -> int:
        calls.append(x)
        return x

    @flow
    def run() -> Any:
        work.map([1, 2, 3]).wait()
        return work.map([3, 2, 1]).result()

    with stored_in("results"):
        print(run(), sorted(calls))


def program_in_memory_results_only() -> None:
    @task(cache_result_in_memory=False, persist_result=True)
    def work() -> list[int]:
        return [1]

    @flow
    def run() -> Any:
        state = work(return_state=True)
        return state.result()

    with stored_in("results"):
        print(run())


def program_temporary_settings() -> None:
    print(PREFECT_TASK_DEFAULT_RETRIES.value(), PREFECT_API_URL.name)
    calls: list[int] = []

    @task
    def work() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise ValueError("again")
        return len(calls)

    with temporary_settings({PREFECT_TASK_DEFAULT_RETRIES: 2, PREFECT_LOGGING_LEVEL: "WARNING"}):
        print(PREFECT_TASK_DEFAULT_RETRIES.value(), PREFECT_LOGGING_LEVEL.value())
        print(get_current_settings().tasks.default_retries, get_current_settings().logging.level)
        print(task(lambda: 1).retries)
        with temporary_settings(restore_defaults={PREFECT_TASK_DEFAULT_RETRIES}):
            print(PREFECT_TASK_DEFAULT_RETRIES.value())
    print(PREFECT_TASK_DEFAULT_RETRIES.value())


def program_settings_of_results() -> None:
    @task
    def work() -> int:
        return 1

    with stored_in("results"), temporary_settings({PREFECT_RESULTS_PERSIST_BY_DEFAULT: True}):
        print(PREFECT_RESULTS_PERSIST_BY_DEFAULT.value())
        work()
        print(len([path for path in Path("results").rglob("*") if path.is_file()]))


def program_current_settings() -> None:
    settings = get_current_settings()
    print(type(settings).__name__, settings.results.persist_by_default, settings.flows.default_retries)
    print(
        settings.logging.log_prints, settings.tasks.default_retry_delay_seconds, settings.runner.process_limit
    )
    changed = settings.model_copy(update={"debug_mode": True}) if hasattr(settings, "model_copy") else None
    print(changed.debug_mode if changed is not None else None, settings.debug_mode)


def program_policies_of_the_users() -> None:
    calls: list[str] = []

    @dataclass
    class ByFirstLetter(CachePolicy):
        def compute_key(
            self, task_ctx: Any, inputs: dict[str, Any], flow_parameters: dict[str, Any], **_: Any
        ) -> str | None:
            return f"letter-{inputs['name'][0]}-{task_ctx.task.name}"

    @task(cache_policy=ByFirstLetter())
    def work(name: str) -> str:
        calls.append(name)
        return name

    @flow
    def run() -> Any:
        return [work(name) for name in ("ann", "abe", "bob")]

    with stored_in("results"):
        print(run(), calls)


def program_cache_keys_that_are_none() -> None:
    calls: list[int] = []

    @task(cache_key_fn=lambda context, parameters: "even" if parameters["x"] % 2 == 0 else None)
    def work(x: int) -> int:
        calls.append(x)
        return x

    @flow
    def run() -> Any:
        return [work(x) for x in (1, 1, 2, 4)]

    with stored_in("results"):
        print(run(), calls)


def program_caching_by_flow_parameters() -> None:
    calls: list[Any] = []

    @task(cache_policy=FLOW_PARAMETERS + TASK_SOURCE)
    def work(x: int) -> int:
        calls.append(x)
        return x

    @flow
    def run(day: str) -> Any:
        return work(1), work(2)

    with stored_in("results"):
        print(run("monday"), run("monday"), run("tuesday"), calls)


def program_policies_subtract_several_names() -> None:
    calls: list[int] = []

    @task(cache_policy=INPUTS - "a" - "b")
    def work(a: int, b: int, c: int) -> int:
        calls.append(c)
        return c

    @flow
    def run() -> Any:
        return work(1, 2, 3), work(4, 5, 3), work(1, 2, 6)

    with stored_in("results"):
        print(run(), calls)


def program_caching_with_options() -> None:
    calls: list[int] = []

    @task
    def work(x: int) -> int:
        calls.append(x)
        return x

    cached = work.with_options(cache_policy=INPUTS)
    with stored_in("results"):
        print([cached(1), cached(1), work(1), cached.with_options(cache_policy=NO_CACHE)(1)], calls)
        print([cached.with_options(persist_result=False)(1, return_state=True).name], calls)


def program_caching_in_threads_and_retries() -> None:
    calls: list[int] = []

    @task(cache_policy=INPUTS, retries=2)
    def work(x: int) -> int:
        calls.append(x)
        if len(calls) == 1:
            raise ConnectionError("once")
        return x

    @flow
    def run() -> Any:
        return work.submit(1).result(), work.submit(1, return_state=True).name

    with stored_in("results"):
        print(run(), calls)


def program_caching_of_async_tasks() -> None:
    calls: list[int] = []

    @task(cache_policy=INPUTS)
    async def work(x: int) -> int:
        calls.append(x)
        return x

    @flow
    async def run() -> Any:
        return await work(1), await work(1), (await work(2, return_state=True)).name

    with stored_in("results"):
        print(asyncio.run(run()), calls)


def program_caching_of_none_and_models() -> None:
    calls: list[Any] = []

    class Model(pydantic.BaseModel):
        n: int

    @task(cache_policy=INPUTS)
    def work(x: Any) -> Any:
        calls.append(x)
        return None

    @flow
    def run() -> Any:
        for x in (None, None, Model(n=1), Model(n=1), Model(n=2), [1, 2], {1, 2}, {2, 1}):
            work(x)
        return len(calls)

    with stored_in("results"):
        print(run())


def program_caching_sees_changed_arguments() -> None:
    @task(cache_policy=INPUTS)
    def total(xs: list[int]) -> int:
        return sum(xs)

    @flow
    def run() -> Any:
        xs = [1]
        first = total(xs)
        xs.append(2)
        return first, total(xs), total([1])

    with stored_in("results"):
        print(run())


def program_results_of_cached_runs_are_equal() -> None:
    @task(cache_policy=INPUTS)
    def make(n: int) -> dict[str, Any]:
        return {"n": n, "items": [1, (2, 3)], "at": datetime.date(2024, 1, 2)}

    @flow
    def run() -> Any:
        first, second = make(1), make(1)
        return first == second, second["items"], second["at"]

    with stored_in("results"):
        print(run())


def program_large_results() -> None:
    @task(persist_result=True, result_serializer="compressed/pickle")
    def make() -> bytes:
        return b"x" * 1_000_000

    @flow
    def run() -> Any:
        return len(make()), make(return_state=True).name

    with stored_in("results"):
        print(
            run(), max(path.stat().st_size for path in Path("results").rglob("*") if path.is_file()) < 100_000
        )
