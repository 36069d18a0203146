"""Flow runs that are cancelled while their code runs: it is interrupted, where Python can be."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Iterator
from uuid import UUID

import pytest

from prefect import flow, task
from prefect.client.current import get_caller
from prefect.engine import signals
from prefect.exceptions import CancelledRun
from prefect.operations import read_flow_run, read_flow_run_states, read_task_runs, set_flow_run_state
from prefect.runtime import flow_run as this_run
from prefect.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.schemas.queries import TaskRunQuery
from prefect.states import Cancelled, Cancelling
from prefect.testing import prefect_test_harness

FOR_EVER = 600


@pytest.fixture(autouse=True)
def harness(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("LOOK_AFTER", "LOOK_AT_SERVER_AFTER", "_PAUSE"):
        monkeypatch.setattr(signals, name, 0.05)
    with prefect_test_harness():
        yield


class Canceller:
    """Cancels a run once it has said which it is, and is Running."""

    def __init__(self, state: object = None) -> None:
        self.run_id: UUID | None = None
        self.state = state or Cancelling()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def begin(self, run_id: UUID | None = None) -> None:
        """Cancel this run, or the one of this ID, from now on."""
        self.run_id = run_id or UUID(str(this_run.id))
        self._begun.set()

    def _work(self) -> None:
        if self._begun.wait(30) and self.run_id is not None:
            get_caller().call(set_flow_run_state, self.run_id, self.state)

    def states(self) -> list[str | None]:
        assert self.run_id is not None
        self._thread.join(30)
        return [each.name for each in get_caller().call(read_flow_run_states, self.run_id)]


@pytest.mark.parametrize("state", [Cancelling, Cancelled])
def test_a_flow_that_sleeps_in_the_main_thread_is_interrupted(state) -> None:
    canceller, hooked = Canceller(state()), []

    @flow(on_cancellation=[lambda _flow, _run, state: hooked.append(state.name)])
    def main() -> None:
        canceller.begin()
        time.sleep(FOR_EVER)

    with pytest.raises(CancelledRun):
        main()
    assert canceller.states()[-1] == "Cancelled"
    assert hooked == ["Cancelled"]
    assert signal.getsignal(signal.SIGURG) is signal.SIG_DFL


def test_a_signal_that_comes_just_before_a_sleep_begins_is_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # It does not end the sleep, and no test can choose such a moment: here it is not sent at all.
    canceller, sent = Canceller(), []
    send = signals._signal_main

    def lose_the_first() -> None:
        sent.append(1)
        if len(sent) > 1:
            send()

    monkeypatch.setattr(signals, "_signal_main", lose_the_first)

    @flow
    def main() -> None:
        canceller.begin()
        time.sleep(FOR_EVER)

    assert main(return_state=True).is_cancelled()
    assert canceller.states()[-1] == "Cancelled"
    assert len(sent) > 1


def test_a_task_that_sleeps_is_interrupted_and_what_catches_errors_does_not_catch_it() -> None:
    canceller, after = Canceller(), []

    @task(retries=3)
    def work() -> None:
        try:
            canceller.begin()
            time.sleep(FOR_EVER)
        except Exception:  # noqa: BLE001 - what users write
            after.append("caught")

    @flow
    def main() -> None:
        work()
        after.append("went on")

    assert main(return_state=True).is_cancelled()
    assert after == []
    assert canceller.states()[-1] == "Cancelled"
    filter = FlowRunFilter(id=FlowRunFilterId(any_=[canceller.run_id]))
    (run,) = get_caller().call(read_task_runs, TaskRunQuery(flow_runs=filter))
    assert (run.state_name, run.run_count) == ("Cancelled", 1)


def test_a_nested_flow_ends_with_the_run_around_it() -> None:
    canceller, inner_ids = Canceller(), []

    @flow
    def inner(outer: UUID) -> None:
        inner_ids.append(UUID(str(this_run.id)))
        canceller.begin(outer)
        time.sleep(FOR_EVER)

    @flow
    def main() -> None:
        inner(UUID(str(this_run.id)))

    assert main(return_state=True).is_cancelled()
    assert get_caller().call(read_flow_run, inner_ids[0]).state_name == "Cancelled"


def test_a_flow_that_waits_for_tasks_in_threads_is_interrupted() -> None:
    canceller, go_on = Canceller(), threading.Event()

    @task
    def work() -> None:
        go_on.wait(FOR_EVER)

    @flow
    def main() -> None:
        canceller.begin()
        work.submit().wait()

    try:
        assert main(return_state=True).is_cancelled()
    finally:
        go_on.set()


def test_a_coroutine_is_cancelled_and_its_caller_goes_on() -> None:
    canceller, hooked = Canceller(), []

    @flow(on_cancellation=[lambda _flow, _run, state: hooked.append(state.name)])
    async def main() -> None:
        canceller.begin()
        await asyncio.sleep(FOR_EVER)

    @flow
    async def other() -> int:
        await asyncio.sleep(0.3)
        return 3

    async def program() -> int:
        with pytest.raises(CancelledRun):
            await main()
        await asyncio.sleep(0)
        current = asyncio.current_task()
        assert current is not None and not current.cancelling()
        return await other()

    assert asyncio.run(program()) == 3
    assert canceller.states()[-1] == "Cancelled"
    assert hooked == ["Cancelled"]


def test_runs_beside_a_cancelled_one_go_on() -> None:
    canceller = Canceller()

    @flow
    async def main() -> None:
        canceller.begin()
        await asyncio.sleep(FOR_EVER)

    @flow
    async def other() -> int:
        await asyncio.sleep(0.5)
        return 3

    async def program() -> list[object]:
        return await asyncio.gather(main(), other(), return_exceptions=True)

    ended, result = asyncio.run(program())
    assert isinstance(ended, CancelledRun)
    assert result == 3


def test_a_handler_of_the_programs_own_stays() -> None:
    def own(_number: int, _frame: object) -> None: ...

    @flow
    def main() -> object:
        return signal.getsignal(signal.SIGURG)

    had = signal.signal(signal.SIGURG, own)
    try:
        assert main() is own
    finally:
        signal.signal(signal.SIGURG, had)


def test_a_run_in_another_thread_ends_at_its_next_task() -> None:
    canceller = Canceller()
    begun: list[int] = []

    @task
    def work(number: int) -> None:
        begun.append(number)

    @flow
    def main() -> None:
        canceller.begin()
        for number in range(10_000):
            work(number)
            time.sleep(0.01)

    ended: list[bool] = []
    thread = threading.Thread(target=lambda: ended.append(main(return_state=True).is_cancelled()))
    thread.start()
    thread.join(50)
    assert ended == [True]
    assert len(begun) < 10_000
