"""What travels with a task: how much, and that no secret is in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

import remote_tasks as remote
from prefect import flow, get_run_logger, runtime, tags, task
from prefect.client.current import get_caller
from prefect.context import FlowRunContext, TaskRunContext
from prefect.operations.logs import read_logs
from prefect.schemas.filters import LogFilter
from prefect.schemas.objects import Constant, Log, Parameter, TaskRun, TaskRunRecord, TaskRunResult
from prefect.schemas.queries import LogQuery
from prefect.schemas.results import ResultRecordMetadata
from prefect.schemas.states import State, StateDetails, StateType
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_KEY, temporary_settings
from prefect.task_runners.remote import Packed, RemoteFuture, RemoteRun, SharedPart, run_parcel
from prefect.task_runners.remote.wire import dump_message, dump_parcel, load_message, load_parcel
from prefect.types import now

CANARY = "canary-71c2f0"


@task(tags=["a-tag"])
def look(x: Any) -> dict[str, Any]:
    get_run_logger().info("seen")
    return {
        "flow run": runtime.flow_run.id,
        "parameters": runtime.flow_run.parameters,
        "tags": runtime.task_run.tags,
        "flow context": FlowRunContext.get() is not None,
        "task context": TaskRunContext.get() is not None,
    }


@task
def give(x: Any) -> Any:
    return x


def packed_in_a_flow(fn: Callable[..., Any], given: Any, **parameters: Any) -> tuple[SharedPart, Packed, Any]:
    """Pack a task run, and run it here as a worker would."""
    found: list[Any] = []

    @flow
    def main(note: str = "", secret: Any = None) -> None:
        run = RemoteRun(fn, {"x": given}, None, owner=None)
        shared, packed = run.pack()
        answer, _ = run_parcel(packed.parcel, lambda key: shared.content)
        run.take(answer)
        found.extend([shared, packed, run.future])

    main(**parameters)
    return found[0], found[1], found[2]


def test_a_task_takes_two_kilobytes_at_most_besides_its_arguments() -> None:
    with tags(*(f"tag-number-{n}" for n in range(10))):
        _, packed, _ = packed_in_a_flow(look, 1, note="n" * 1000)
    assert len(packed.parcel) <= 2048


def test_what_tasks_have_in_common_is_made_once() -> None:
    keys: list[str] = []

    @flow
    def main() -> None:
        runs = [RemoteRun(give, {"x": number}, None, owner=None) for number in range(3)]
        keys.extend(run.pack()[0].key for run in runs)
        with tags("other"):
            keys.append(RemoteRun(give, {"x": 0}, None, owner=None).pack()[0].key)

    main()
    assert len(set(keys)) == 2


@pytest.mark.embedded
def test_no_secret_travels() -> None:
    secrets = {
        PREFECT_API_KEY: f"key-{CANARY}",
        PREFECT_API_AUTH_STRING: f"user:{CANARY}",
        "PREFECT_API_DATABASE_PASSWORD": CANARY,
        "PREFECT_CLIENT_CUSTOM_HEADERS": {"Authorization": f"Bearer {CANARY}"},
        "PREFECT_SERVER_ENCRYPTION_KEY": CANARY,
    }
    with temporary_settings(secrets):
        shared, packed, future = packed_in_a_flow(look, 1, secret=SecretStr(CANARY))
    assert CANARY.encode() not in shared.content
    assert CANARY.encode() not in packed.parcel
    assert future.state.is_completed()


def test_a_server_whose_url_holds_a_password_is_not_told_to_workers() -> None:
    from prefect.context.settings import travelling_settings

    with temporary_settings({"PREFECT_API_URL": f"http://user:{CANARY}@127.0.0.1:1/api"}):
        assert CANARY not in str(travelling_settings())


def test_a_worker_knows_the_run() -> None:
    _, _, future = packed_in_a_flow(look, 1, note="small")
    seen = future.result()
    assert (seen["flow context"], seen["task context"]) == (False, True)
    assert seen["parameters"]["note"] == "small"
    assert seen["tags"] == ["a-tag"]
    assert seen["flow run"]


def test_a_small_result_comes_along_and_a_large_one_stays() -> None:
    @flow
    def main() -> tuple[bool, bool]:
        kept = []
        for value in (b"small", b"large" * 1000):
            run = RemoteRun(give, {"x": value}, None, owner=None)
            shared, packed = run.pack()
            answer, outcome = run_parcel(packed.parcel, lambda key, part=shared: part.content)
            run.take(answer, lambda outcome=outcome: outcome.value)
            kept.append(len(answer) > 3000)
            assert run.future.result() == value
        return kept[0], kept[1]

    assert main() == (False, False)


class Late(RemoteFuture[Any]):
    """Of a run that ends while it is waited for at the second time."""

    run: RemoteRun
    answer: bytes
    waits = 0

    def wait(self, timeout: float | None = None) -> None:
        self.waits += 1
        if self.waits == 2:
            self.run.take(self.answer, is_kept=False)
        super().wait(timeout)


def test_a_result_is_waited_for_once_and_is_never_another() -> None:
    @flow
    def main() -> None:
        run = RemoteRun(give, {"x": "given"}, None, owner=None)
        run.future = late = Late(run.record.run.id, None)
        shared, packed = run.pack()
        late.run, late.answer = run, run_parcel(packed.parcel, lambda key: shared.content)[0]
        with pytest.raises(TimeoutError, match="did not complete within 0 seconds"):
            late.result(timeout=0)
        assert late.result(timeout=0) == "given"

    main()


@pytest.mark.parametrize("is_told_before", [False, True], ids=["with the answer", "before"])
def test_what_a_lost_worker_has_told_hides_nothing_that_the_next_logs(is_told_before: bool) -> None:
    @flow
    def main() -> UUID:
        run = RemoteRun(look, {"x": 1}, None, owner=None)
        own_id = run.record.run.id
        lost = Log(name="prefect", level=20, message="lost", timestamp=now(), task_run_id=own_id)
        run.take(dump_message([], [lost], None, False), is_copy=True)
        run.await_retry("Its worker was killed.")
        shared, packed = run.pack()
        answer, _ = run_parcel(packed.parcel, lambda key: shared.content)
        if is_told_before:
            run.take(dump_message([], load_message(answer)[1], None, False), is_copy=True)
        run.take(answer)
        return own_id

    wanted = LogQuery(logs=LogFilter(task_run_id={"any_": [main()]}))
    assert [log.message for log in get_caller().call(read_logs, wanted)] == ["lost", "seen"]


@pytest.mark.parametrize(
    ("text", "about"), [("short", b"a" * 100_000), ("long " * 100_000, b"")], ids=["content", "text"]
)
def test_a_large_exception_comes_back_cut(text: str, about: bytes) -> None:
    @flow
    def main() -> None:
        run = RemoteRun(remote.fail_at_length, {"text": text, "about": about}, None, owner=None)
        shared, packed = run.pack()
        answer, _ = run_parcel(packed.parcel, lambda key: shared.content)
        run.take(answer)
        run.future.result()

    with pytest.raises(remote.TooLarge) as raised:
        main()
    assert str(raised.value)[:8000] == text[:8000]
    assert "TooLarge took more than 64,000 bytes" in raised.value.__notes__[-1]
    assert "fail_at_length" in raised.value.__notes__[0]  # the worker's traceback
    assert ("500,000 characters, cut" in str(raised.value)) is (len(text) > 8000)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="plain"),
        pytest.param({"message": "\ud800"}, id="no valid Unicode"),
        pytest.param({"data": ResultRecordMetadata(storage_key="a")}, id="persisted"),
        pytest.param({"state_details": StateDetails(cache_key="key", retriable=True)}, id="details"),
    ],
)
def test_records_arrive_as_they_were_sent(change):
    begun = State(type=StateType.RUNNING)
    ended = State(type=StateType.COMPLETED, **change)
    run = TaskRun(
        task_key="a-1",
        dynamic_key="x",
        name="a",
        tags=["b"],
        labels={"one": 1, "part": 0.5},
        start_time=now(),
    )
    run.task_inputs = {"x": [TaskRunResult(id=run.id), Parameter(name="y"), Constant(type="int")], "z": []}
    run.state = ended
    record = TaskRunRecord(run=run, states=[begun, begun, ended], follows={begun.id: ended.id})
    log = Log(name="prefect.task_runs", level=20, message="read", timestamp=now(), task_run_id=run.id)

    parcel = dump_parcel("key", record, b"arguments")
    message = dump_message([record, record], [log], (b"value", False), True, "warned")

    assert load_parcel(parcel) == ("key", record, b"arguments")
    records, logs, end, is_told, warning = load_message(message)
    assert (records, logs, tuple(end or ())) == ([record, record], [log], (b"value", False))
    assert (is_told, warning) == (True, "warned")
    assert records[0].run.state is records[0].states[-1]
