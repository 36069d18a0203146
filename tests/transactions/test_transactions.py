"""Transactions, beside what `tests/dropin/programs/transactions.py` shows."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any
from uuid import UUID

import pytest

from prefect import flow, get_client, task
from prefect.states import Failed
from prefect.transactions import (
    AsyncTransaction,
    CommitMode,
    Transaction,
    TransactionState,
    atransaction,
    get_transaction,
    transaction,
)

Events = list[str]


@pytest.fixture
def events() -> Events:
    return []


def telling(events: Events, name: str, **options: Any) -> Any:
    """Make a task that notes its runs and those of its hooks."""

    @task(
        name=name,
        on_rollback=[lambda _: events.append(f"undo {name}")],
        on_commit=[lambda _: events.append(f"commit {name}")],
        **options,
    )
    def work() -> str:
        events.append(name)
        return name

    return work


def test_most_tasks_have_no_transaction_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    opened = Transaction.open
    monkeypatch.setattr(
        Transaction, "open", lambda self, parent: (made.append(self), opened(self, parent))[1]
    )

    @task(persist_result=True)
    def kept() -> int:
        return 1

    @task
    def asks() -> bool:
        return get_transaction() is get_transaction() is made[-1]

    @flow
    def around() -> bool:
        task(lambda: 1, name="plain")()
        kept()
        assert not made
        return asks()

    assert around() and len(made) == 1


UNUSED = """
import sys
from prefect import flow, task
flow(lambda: task(lambda: 1)(), name="plain")()
print([name for name in sys.modules if "transaction" in name or "prefect.locking" in name])
"""


@pytest.mark.processes
def test_runs_that_need_no_transaction_load_nothing_of_them(run_python: Any) -> None:
    assert run_python("-c", UNUSED).stdout == "[]\n"


def test_a_retry_undoes_what_its_attempt_did_and_nothing_else(events: Events) -> None:
    before, inner = telling(events, "before"), telling(events, "inner")
    attempts: list[Any] = []

    @task(retries=1)
    def flaky() -> None:
        txn = get_transaction()
        assert txn is not None
        attempts.append(txn.get("n", None))
        txn.set("n", 1)
        inner()
        if len(attempts) == 1:
            raise ValueError("first")

    @flow
    def around() -> TransactionState:
        with transaction() as txn:
            before()
            flaky()
        return txn.state

    assert around() is TransactionState.COMMITTED and attempts == [None, None]
    assert events == ["before", "inner", "undo inner", "inner", "commit before", "commit inner"]


def test_a_returned_failure_undoes_too(events: Events) -> None:
    first = telling(events, "first")

    @task
    def fails() -> Any:
        return Failed(message="no")

    @flow
    def around() -> TransactionState:
        with transaction() as txn:
            first()
            fails(return_state=True)
        return txn.state

    assert around() is TransactionState.ROLLED_BACK and events == ["first", "undo first"]


def test_what_comes_after_a_rollback_is_undone_as_well(events: Events) -> None:
    late = telling(events, "late")

    @flow
    def around() -> None:
        with transaction() as txn:
            txn.rollback()
            late()

    around()
    assert events == ["late", "undo late"]


def test_a_failed_rollback_hook_does_not_keep_the_others_from_running(
    events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: Transaction) -> None:
        raise RuntimeError("broken hook")

    with pytest.raises(KeyError), transaction() as txn:
        txn.stage(1, on_rollback_hooks=[lambda _: events.append("first"), fails])
        raise KeyError("x")
    assert events == ["first"] and txn.is_rolled_back()
    assert "An error was encountered while running rollback hook 'fails'" in caplog.text


def test_a_task_that_ends_after_its_transaction_shares_its_outcome(events: Events) -> None:
    for fails in [False, True]:
        ready, go = threading.Event(), threading.Event()
        events.clear()

        @task(on_rollback=[lambda _: events.append("undo")], on_commit=[lambda _: events.append("commit")])
        def late(ready: threading.Event = ready, go: threading.Event = go) -> None:
            ready.set()
            assert go.wait(30)

        @flow
        def around(
            fails: bool = fails, ready: threading.Event = ready, go: threading.Event = go, late: Any = late
        ) -> None:
            try:
                with transaction():
                    future = late.submit()
                    assert ready.wait(30)
                    if fails:
                        raise KeyError("x")
            except KeyError:
                pass
            assert not events
            go.set()
            future.wait()

        around()
        assert events == (["undo"] if fails else ["commit"])


def test_the_store_says_which_task_runs_were_undone(events: Events) -> None:
    work = telling(events, "work")
    ids: list[UUID] = []

    @flow
    def around() -> None:
        try:
            with transaction():
                ids.append(work(return_state=True).state_details.task_run_id)
                raise KeyError("x")
        except KeyError:
            pass
        ids.append(work(return_state=True).state_details.task_run_id)

    around()
    with get_client(sync_client=True) as client:
        runs = [client.read_task_run(each) for each in ids]
    assert [(run.state_name, run.state_type.value) for run in runs if run.state_type] == [
        ("RolledBack", "COMPLETED"),
        ("Completed", "COMPLETED"),
    ]


def test_a_transaction_around_a_flow_undoes_its_tasks(events: Events) -> None:
    work = telling(events, "work")
    ids: list[UUID] = []

    @flow
    def inner() -> None:
        ids.append(work(return_state=True).state_details.task_run_id)

    with pytest.raises(KeyError), transaction():
        inner()
        raise KeyError("x")
    assert events == ["work", "undo work"]

    @flow
    def later() -> None:  # what is recorded after a run is there when the next one has ended
        pass

    later()
    with get_client(sync_client=True) as client:
        assert client.read_task_run(ids[0]).state_name == "RolledBack"


def test_a_cancelled_asyncio_task_undoes(events: Events) -> None:
    async def undo(txn: AsyncTransaction) -> None:
        await asyncio.sleep(0)
        events.append(f"undo {txn.state.value}")

    async def work(staged: asyncio.Event) -> None:
        async with atransaction() as txn:
            txn.stage(1, on_rollback_hooks=[undo])
            staged.set()
            await asyncio.sleep(600)

    async def main() -> None:
        staged = asyncio.Event()
        working = asyncio.create_task(work(staged))
        await staged.wait()
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working

    asyncio.run(main())
    assert events == ["undo STAGED"]


def test_hooks_of_a_task_travel_with_its_options(events: Events) -> None:
    renamed = telling(events, "work").with_options(name="other")
    assert len(renamed.on_rollback_hooks) == len(renamed.on_commit_hooks) == 1
    with pytest.raises(TypeError, match="Expected iterable for 'on_rollback'"):
        task(on_rollback=5)(lambda: 1)  # type: ignore[call-overload]


def test_hooks_are_told_of_in_the_log(events: Events, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        telling(events, "work")()
    assert "Running commit hook '<lambda>'" in caplog.text
    assert "Commit hook '<lambda>' finished running successfully" in caplog.text


def test_a_value_that_cannot_be_copied_is_given_as_it_is() -> None:
    with transaction() as txn:
        txn.set("lock", lock := threading.Lock())
        assert txn.get("lock") is lock


def test_modes_are_checked() -> None:
    with pytest.raises(ValueError, match="commit_mode is one of EAGER, LAZY, OFF, not 'NEVER'"):
        Transaction(commit_mode="NEVER")
    assert Transaction(commit_mode="OFF").commit_mode is CommitMode.OFF
