"""A run that is told to stop leaves its state alone, and no `except Exception` holds it up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from prefect import flow, task
from prefect.exceptions import Abort, PrefectSignal
from prefect.schemas.states import State
from prefect.states import Pending
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
