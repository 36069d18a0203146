"""Flow runs that are paused, suspended, resumed, answered and cancelled, while they run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pydantic
import pytest

from prefect import flow, pause_flow_run, resume_flow_run, suspend_flow_run, task
from prefect.client.current import get_caller
from prefect.context import FlowRunContext
from prefect.engine.notes import notes_of
from prefect.exceptions import CancelledRun, FlowPauseTimeout, FlowRunWaitTimeout, NotPausedError
from prefect.flow_runs import await_flow_run
from prefect.input import RunInput, receive_input, send_input
from prefect.operations import read_flow_run, read_flow_run_states, set_flow_run_state
from prefect.operations.flow_run_inputs import filter_flow_run_inputs, read_flow_run_input
from prefect.runtime import flow_run as this_run
from prefect.states import Cancelling, Running
from prefect.testing import prefect_test_harness


@pytest.fixture(autouse=True)
def harness() -> Iterator[None]:
    with prefect_test_harness():
        yield


class Helper:
    """Does something to a flow run as soon as it is in a state."""

    def __init__(self) -> None:
        self.run_id: UUID | None = None
        self._begun = threading.Event()
        self._thread: threading.Thread | None = None
        self.error: BaseException | None = None

    def begin(self) -> None:
        """Called by the flow: this is the run."""
        self.run_id = UUID(str(this_run.id))
        self._begun.set()

    def when(self, name: str, act: Callable[[UUID], Any]) -> None:
        def work() -> None:
            try:
                assert self._begun.wait(50)
                assert self.run_id is not None
                pause = threading.Event()
                while self.state() != name:
                    pause.wait(0.005)
                act(self.run_id)
            except BaseException as error:  # noqa: BLE001 - raised by `join`
                self.error = error

        self._thread = threading.Thread(target=work)
        self._thread.start()

    def state(self) -> str | None:
        assert self.run_id is not None
        return get_caller().call(read_flow_run, self.run_id).state_name

    def states(self) -> list[str | None]:
        assert self.run_id is not None
        return [each.name for each in get_caller().call(read_flow_run_states, self.run_id)]

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join(50)
        assert self.error is None


@pytest.fixture
def helper() -> Iterator[Helper]:
    made = Helper()
    yield made
    made.join()


class Answer(RunInput):
    name: str
    times: int = 2


def test_a_paused_run_goes_on_when_it_is_resumed(helper: Helper) -> None:
    @flow
    def main() -> int:
        helper.begin()
        pause_flow_run(timeout=50)
        return this_run.run_count

    helper.when("Paused", resume_flow_run)
    assert main() == 1
    assert helper.states() == ["Pending", "Running", "Paused", "Running", "Completed"]


def test_async_flows_pause_too(helper: Helper) -> None:
    @flow
    async def main() -> str:
        helper.begin()
        answer = await pause_flow_run(wait_for_input=Answer, timeout=50)
        return str(answer.name * answer.times)

    helper.when("Paused", lambda run_id: resume_flow_run(run_id, run_input={"name": "ab"}))
    assert asyncio.run(main()) == "abab"


def test_a_nested_flow_pauses_for_itself(helper: Helper) -> None:
    @flow
    def inner() -> str:
        helper.begin()
        pause_flow_run(timeout=50)
        return "inner"

    @flow
    def outer() -> str:
        return inner()

    helper.when("Paused", resume_flow_run)
    assert outer() == "inner"


def test_a_pause_that_nobody_ends_fails_the_run(helper: Helper) -> None:
    @flow
    def main() -> None:
        helper.begin()
        pause_flow_run(timeout=0)

    with pytest.raises(FlowPauseTimeout):
        main()
    assert helper.states() == ["Pending", "Running", "Paused", "Failed"]


@pytest.mark.parametrize(
    ("wanted", "given", "expected"),
    [
        (Answer, {"name": "a", "times": 3}, ("a", 3)),
        (int, {"value": 3}, 3),
        (list[str], {"value": ["x"]}, ["x"]),
    ],
)
def test_a_run_waits_for_an_input(helper: Helper, wanted: Any, given: dict[str, Any], expected: Any) -> None:
    @flow
    def main() -> Any:
        helper.begin()
        answer = pause_flow_run(wait_for_input=wanted, timeout=50)
        return (answer.name, answer.times) if isinstance(answer, Answer) else answer

    def act(run_id: UUID) -> None:
        with pytest.raises(RuntimeError, match="Cannot resume this run: Reason: Validation failed"):
            resume_flow_run(run_id, run_input={"zzz": 1})
        resume_flow_run(run_id, run_input=given)

    helper.when("Paused", act)
    assert main() == expected


def test_what_is_asked_has_a_description_and_defaults(helper: Helper) -> None:
    @flow
    def main() -> Any:
        helper.begin()
        return pause_flow_run(
            wait_for_input=Answer.with_initial_data(description="Who?", name="bob"), timeout=50
        ).name

    seen: dict[str, Any] = {}

    def act(run_id: UUID) -> None:
        for each in get_caller().call(filter_flow_run_inputs, run_id, prefix="paused-1", limit=5):
            seen[each.key] = get_caller().call(read_flow_run_input, run_id, each.key)
        resume_flow_run(run_id, run_input={})

    helper.when("Paused", act)
    assert main() == "bob"
    assert seen["paused-1-description"] == "Who?"
    assert seen["paused-1-schema"]["properties"]["name"]["default"] == "bob"


def test_only_what_is_paused_is_resumed(helper: Helper) -> None:
    @flow
    def main() -> None:
        helper.begin()

    main()
    assert helper.run_id is not None
    with pytest.raises(NotPausedError):
        resume_flow_run(helper.run_id)


def test_without_a_deployment_a_run_cannot_be_suspended() -> None:
    @flow
    def main() -> None:
        suspend_flow_run()

    with pytest.raises(RuntimeError, match="Cannot suspend flows without a deployment"):
        main()


def test_tasks_and_plain_code_cannot_pause() -> None:
    @task
    def work() -> None:
        pause_flow_run()

    @flow
    def main() -> None:
        work()

    with pytest.raises(RuntimeError, match="Cannot pause task runs"):
        main()
    with pytest.raises(RuntimeError, match="Flow runs can only be paused from within a flow"):
        pause_flow_run()


def cancel(run_id: UUID) -> None:
    get_caller().call(set_flow_run_state, run_id, Cancelling())


def test_a_paused_run_can_be_cancelled(helper: Helper) -> None:
    @flow
    def main() -> None:
        helper.begin()
        pause_flow_run(timeout=50)

    helper.when("Paused", cancel)
    with pytest.raises(CancelledRun):
        main()
    assert helper.states()[-2:] == ["Cancelling", "Cancelled"]


def test_a_cancelled_run_runs_no_more_tasks(helper: Helper) -> None:
    ran: list[int] = []
    hooked: list[str] = []

    @task
    def work(number: int) -> None:
        ran.append(number)

    @flow(on_cancellation=[lambda _flow, _run, state: hooked.append(state.name)])
    def main() -> None:
        helper.begin()
        work(1)
        assert helper.run_id is not None
        cancel(helper.run_id)
        context = FlowRunContext.get()
        assert context is not None
        notes_of(context).check_at = 0.0
        work(2)

    with pytest.raises(CancelledRun):
        main()
    assert ran == [1]
    assert hooked == ["Cancelled"]
    assert helper.states()[-1] == "Cancelled"


def test_a_run_that_was_cancelled_meanwhile_ends_as_cancelled(helper: Helper) -> None:
    @flow
    def main() -> int:
        helper.begin()
        assert helper.run_id is not None
        cancel(helper.run_id)
        return 3

    assert main(return_state=True).is_cancelled()


def test_runs_send_each_other_inputs(helper: Helper) -> None:
    class Question(pydantic.BaseModel):
        text: str

    @flow
    def main() -> list[Any]:
        run_id = UUID(str(this_run.id))
        send_input("a", run_id)
        send_input("b", run_id)
        send_input(Question(text="why"), run_id)
        texts = list(receive_input(str, timeout=0, poll_interval=0.01))
        (question,) = receive_input(Question, timeout=0)
        return [*texts, question.text, question.metadata.sender]

    result = main()
    assert result[:3] == ["a", "b", "why"]
    assert result[3].startswith("prefect.flow-run.")


def test_receivers_answer_senders() -> None:
    @flow
    def main() -> str:
        run_id = UUID(str(this_run.id))
        Answer(name="x").send_to(run_id)
        received = Answer.receive(timeout=0).next()
        received.respond("thanks")
        reply = receive_input(str, timeout=0, with_metadata=True).next()
        assert reply.metadata.receiver == run_id
        with pytest.raises(TimeoutError):
            receive_input(int, timeout=0).next()
        return str(reply.value)

    assert main() == "thanks"


def test_async_code_receives_too() -> None:
    @flow
    async def main() -> list[int]:
        run_id = UUID(str(this_run.id))
        await send_input(1, run_id)
        await send_input(2, run_id)
        return [each async for each in receive_input(int, timeout=0)]

    assert asyncio.run(main()) == [1, 2]


def test_a_run_can_be_awaited(helper: Helper) -> None:
    @flow
    def main() -> None:
        helper.begin()

    main()
    assert helper.run_id is not None
    assert await_flow_run(helper.run_id).state_name == "Completed"
    get_caller().call(set_flow_run_state, helper.run_id, Running(), force=True)
    with pytest.raises(FlowRunWaitTimeout, match="exceeded watch timeout of 0"):
        await_flow_run(helper.run_id, timeout=0)
