"""A run that is told to stop leaves its state alone, and no `except Exception` holds it up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from prefect import flow, task
from prefect.exceptions import Abort, PrefectSignal
from prefect.schemas.states import State
from prefect.states import Pending
from prefect.transactions import transaction
from recorded import flow_run_of, task_run_of


@flow
def refused() -> Any:
    return Pending()  # which no run that is Running may enter


@flow
async def refused_later() -> Any:
    return Pending()


@task
def gives_up() -> None:
    raise Abort("given up")


def test_no_except_exception_holds_up_a_run_that_is_told_to_stop() -> None:
    caught: list[Exception] = []

    @flow
    def around() -> None:
        try:
            refused()
        except Exception as error:  # noqa: BLE001 - what must not happen
            caught.append(error)

    with pytest.raises(PrefectSignal, match="cannot transition to a PENDING state"):
        around()

    assert not caught


def test_a_run_around_one_that_is_told_to_stop_fails_by_it() -> None:
    @flow
    def around() -> None:
        refused()

    @flow
    async def around_async() -> None:
        await refused_later()

    for state in (around(return_state=True), asyncio.run(ended(around_async))):
        assert flow_run_of(state).state_name == "Failed"
        with pytest.raises(Abort, match="cannot transition to a PENDING state"):
            state.result()


async def ended(of: Any) -> State[Any]:
    return await of(return_state=True)  # type: ignore[no-any-return]


def test_a_run_around_one_that_is_told_to_stop_is_retried() -> None:
    attempts: list[int] = []

    @flow(retries=1)
    def around() -> int:
        attempts.append(1)
        if len(attempts) == 1:
            raise Abort("given up")
        return len(attempts)

    assert around() == 2


def test_a_task_that_raises_it_fails_by_it() -> None:
    @flow
    def calls() -> None:
        gives_up()

    @flow
    def submits() -> str:
        future = gives_up.submit()
        future.wait()
        assert task_run_of(future.state).state_name == "Failed"
        with pytest.raises(Abort, match="given up"):
            future.result()
        return "goes on"

    with pytest.raises(Abort, match="given up"):
        calls()
    assert calls(return_state=True).name == "Failed"
    assert submits() == "goes on"


def test_a_hook_that_raises_it_holds_up_neither_the_others_nor_the_run() -> None:
    seen: list[str] = []

    def refuses(*_: Any) -> None:
        refused()

    @task(on_completion=[refuses, lambda *_: seen.append("task")])
    def adds() -> int:
        return 1

    @flow(on_completion=[refuses, lambda *_: seen.append("flow")])
    def ends() -> int:
        return adds() + 1

    assert ends() == 2
    assert seen == ["task", "flow"]


def test_a_rollback_hook_that_raises_it_holds_up_no_other() -> None:
    seen: list[str] = []

    def refuses(*_: Any) -> None:
        refused()

    with pytest.raises(ValueError, match="undo"), transaction() as made:
        made.stage("a", on_rollback_hooks=[lambda *_: seen.append("undone"), refuses])
        raise ValueError("undo")

    assert seen == ["undone"]
