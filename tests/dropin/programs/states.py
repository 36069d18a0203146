"""Final states: how they come about, and what is read from them."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import State, flow, task
from prefect.client.schemas.objects import StateType
from prefect.states import Cancelled, Completed, Failed, get_state_exception, raise_state_exception


@task
def one() -> int:
    return 1


@task
def boom(message: str = "boom") -> None:
    raise ValueError(message)


def show(state: State[Any]) -> None:
    print(type(state).__name__, state.type.value, state.name, "|", state.message)


def program_return_state() -> None:
    @flow
    def good() -> int:
        return 42

    @flow
    def bad() -> None:
        raise RuntimeError("no good")

    state = good(return_state=True)
    show(state)
    print(
        state.result(), state.is_completed(), state.is_final(), state.is_failed(), str(state), state == state
    )
    state = bad(return_state=True)
    show(state)
    print(repr(state.result(raise_on_failure=False)), state.is_failed(), str(state))
    try:
        state.result()
    except RuntimeError as error:
        print("raised", error)


def program_task_states() -> None:
    @flow
    def run() -> str:
        state = one(return_state=True)
        show(state)
        print(state.result(), str(state))
        failed = boom(return_state=True)
        show(failed)
        print(repr(failed.result(raise_on_failure=False)))
        submitted = one.submit(return_state=True)
        show(submitted)
        return "done"

    print(run())


def program_flow_fails_by_returned_state() -> None:
    @flow
    def run() -> Any:
        return boom(return_state=True)

    state = run(return_state=True)
    show(state)
    print(type(state.result(raise_on_failure=False)).__name__, state.result(raise_on_failure=False))
    try:
        run()
    except ValueError as error:
        print("raised", error)


def program_flow_of_several_states() -> None:
    @flow
    def mixed() -> Any:
        return [one(return_state=True), boom(return_state=True), boom(return_state=True)]

    @flow
    def fine() -> Any:
        return one(return_state=True), one(return_state=True)

    state = mixed(return_state=True)
    show(state)
    result = state.result(raise_on_failure=False)
    print(type(result).__name__)
    try:
        mixed()
    except Exception as error:
        print(type(error).__name__, error)
    state = fine(return_state=True)
    show(state)
    print([inner.result() for inner in state.result()])
    print(type(fine()).__name__)


def program_flow_returns_futures() -> None:
    @flow
    def single() -> Any:
        return one.submit()

    @flow
    def several() -> Any:
        return [one.submit(), one.submit()]

    @flow
    def failing() -> Any:
        return [one.submit(), boom.submit()]

    @flow
    def ignored() -> str:
        boom.submit()
        return "fine anyway"

    show(single(return_state=True))
    print(single())
    show(several(return_state=True))
    show(failing(return_state=True))
    show(ignored(return_state=True))


def program_manual_states() -> None:
    @flow
    def completed() -> Any:
        return Completed(message="I am happy", data=5)

    @flow
    def failed() -> Any:
        return Failed(message="not today")

    @flow
    def cancelled() -> Any:
        return Cancelled(message="never mind")

    @flow
    def named() -> Any:
        return Completed(name="Skipped", message="nothing to do")

    show(completed(return_state=True))
    print(repr(completed()))
    show(failed(return_state=True))
    for wrong in (failed, cancelled):
        try:
            wrong()
        except Exception as error:
            print(type(error).__name__, error)
    show(named(return_state=True))
    show(cancelled(return_state=True))


def program_task_returns_state() -> None:
    @task
    def skipped() -> Any:
        return Completed(name="Skipped", message="no rows", data=0)

    @task
    def refused() -> Any:
        return Failed(message="refused")

    @flow
    def run() -> str:
        show(skipped(return_state=True))
        print(skipped())
        show(refused(return_state=True))
        try:
            refused()
        except Exception as error:
            print(type(error).__name__, error)
        return "end"

    print(run())


def program_state_predicates() -> None:
    for state in (Completed(), Failed(), Cancelled(), Completed(name="Cached"), Failed(name="TimedOut")):
        print(
            state.name,
            state.is_completed(),
            state.is_failed(),
            state.is_cancelled(),
            state.is_final(),
            state.is_running(),
            state.is_pending(),
            state.is_scheduled(),
            state.is_crashed(),
        )
    print(StateType.COMPLETED, StateType.FAILED.value, Completed().type == StateType.COMPLETED)
    print(Completed().type == "COMPLETED", str(Completed(message="hi")), repr(Failed(message="why")))


def program_state_data() -> None:
    state = Completed(data={"a": 1}, message="x")
    print(state.data, state.message, state.name, state.state_details.flow_run_id)
    dumped = state.model_dump(mode="json")
    print(
        dumped["type"], dumped["name"], dumped["message"], dumped["data"], str(dumped["id"]) == str(state.id)
    )
    copied = state.model_copy(update={"message": "y"})
    print(copied.message, state.message, copied.type)


def program_state_exceptions() -> None:
    @flow
    def bad() -> None:
        raise KeyError("gone")

    state = bad(return_state=True)
    raised = asyncio.run(_exception_of(state))
    print(type(raised).__name__, raised)
    try:
        raise_state_exception(state)
    except KeyError as error:
        print("raised", error)
    try:
        raise_state_exception(Failed(message="plain"))
    except Exception as error:
        print(type(error).__name__, error)


async def _exception_of(state: State[Any]) -> BaseException:
    found = get_state_exception(state)
    return await found if asyncio.iscoroutine(found) else found  # type: ignore[return-value]


def program_result_of_unfinished() -> None:
    from prefect.exceptions import UnfinishedRun
    from prefect.states import Pending, Running

    for state in (Pending(), Running()):
        try:
            state.result()
        except UnfinishedRun as error:
            print(type(error).__name__, error)


def program_upstream_failure() -> None:
    @task
    def after(x: Any) -> str:
        return f"after {x}"

    @flow
    def run() -> Any:
        failed = boom.submit()
        not_ready = after.submit(failed, return_state=True)
        show(not_ready)
        print(not_ready.is_pending(), not_ready.name)
        ran = after.submit(1, wait_for=[failed], return_state=True)
        print(ran.name)
        return "flow decides"

    show(run(return_state=True))

    @flow
    def returns_not_ready() -> Any:
        failed = boom.submit()
        return after.submit(failed)

    show(returns_not_ready(return_state=True))


def program_subflow_states() -> None:
    @flow
    def child(fail: bool) -> str:
        if fail:
            raise ValueError("child failed")
        return "fine"

    @flow
    def parent() -> str:
        state = child(True, return_state=True)
        show(state)
        try:
            child(True)
        except ValueError as error:
            print("caught", error)
        return child(False)

    show(parent(return_state=True))

    @flow
    def careless() -> str:
        child(True)
        return "unreached"

    show(careless(return_state=True))


def program_async_states() -> None:
    @flow
    async def good() -> int:
        return 1

    @flow
    async def bad() -> int:
        raise ValueError("async bad")

    @task
    async def atask() -> int:
        raise TypeError("async task")

    @flow
    async def run() -> str:
        show(await good(return_state=True))
        show(await bad(return_state=True))
        show(await atask(return_state=True))
        return "end"

    print(asyncio.run(run()))


def program_state_in_flow_parameters() -> None:
    @task
    def take(x: Any) -> Any:
        return x

    @flow
    def run() -> Any:
        state = one(return_state=True)
        nested = take({"a": [state, 5]})
        return take(state), nested

    print(run())


def program_crash() -> None:
    @flow
    def interrupted() -> None:
        raise KeyboardInterrupt

    @flow
    def exits() -> None:
        raise SystemExit(3)

    for wrong in (interrupted, exits):
        try:
            show(wrong(return_state=True))
        except BaseException as error:
            print("out came", type(error).__name__, error)


def program_results_of_failures() -> None:
    failed, cancelled = one.with_options(name="f"), one.with_options(name="c")

    def ended_as(value: Any) -> State[Any]:
        @flow
        def run() -> Any:
            return value() if callable(value) else value

        return run(return_state=True)

    for name, value in {
        "plain": Failed(message="plain"),
        "text": Failed(data="a text"),
        "error": Failed(message="m", data=KeyError("k")),
        "cancelled": Cancelled(message="c"),
        "list": lambda: [boom(return_state=True), one(return_state=True)],
        "tuple": lambda: (boom(return_state=True), Cancelled()),
    }.items():
        state = ended_as(value)
        result = state.result(raise_on_failure=False)
        print(name, state.name, state.message, type(result).__name__, end=" ")
        try:
            state.result()
        except Exception as error:
            print(type(error).__name__, error)
    print(failed(), cancelled())


def program_states_without_data() -> None:
    @task
    def skip() -> Any:
        return Completed(message="nothing to do")

    @flow
    def child() -> Any:
        return Completed(name="Skipped")

    @flow
    def run() -> str:
        print(child())
        print(skip())
        return skip(return_state=True).name

    print(run())
    print(child())


def program_text_of_types() -> None:
    state = Completed()
    print(
        state.type,
        f"{state.type}",
        str(StateType.FAILED),
        StateType("FAILED").name,
        state.type == "COMPLETED",
    )
    print(state.type in {StateType.COMPLETED}, state.type in {"COMPLETED"}, f"{state.type.value:>12}")


def program_results_in_async_code() -> None:
    @task
    async def work(x: int) -> float:
        return 1 / x

    @flow
    async def run() -> Any:
        good, bad = await work(1, return_state=True), await work(0, return_state=True)
        print(await good.result(), repr(await bad.result(raise_on_failure=False)))
        try:
            await bad.result()
        except ZeroDivisionError as error:
            print("raised", error)
        try:
            await raise_state_exception(bad)  # type: ignore[func-returns-value]
        except ZeroDivisionError:
            print("raised again")
        future = work.submit(2)
        return future.result(), type(await get_state_exception(bad)).__name__, await future.state.result()

    async def main() -> Any:
        return await (await run(return_state=True)).result()

    print(asyncio.run(main()))


def program_where_results_are_awaited() -> None:
    state = Completed(data=1)

    def look(where: str) -> None:
        result = state.result()
        is_awaited = asyncio.iscoroutine(result)
        if is_awaited:
            result.close()
        print(where, is_awaited)

    @task
    def sync_task() -> None:
        look("sync task")

    @task
    async def async_task() -> None:
        look("async task")

    @flow
    async def async_flow() -> None:
        look("async flow")
        sync_task()
        await async_task()
        await asyncio.to_thread(look, "thread of an async flow")

    @flow
    def sync_flow() -> None:
        look("sync flow")
        async_task.submit().wait()

    async def main() -> None:
        look("event loop")
        sync_flow()

    look("module")
    sync_flow()
    asyncio.run(async_flow())
    asyncio.run(main())
