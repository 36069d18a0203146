"""What a recorder tells a server, one that opens no sockets: there, everything is a request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from prefect.client.options import client_options
from prefect.exceptions import PrefectException, ServerUnreachable
from prefect.recorder.server_sink import ServerSink
from prefect.schemas.objects import FlowRun, Log, TaskRun, TaskRunRecord
from prefect.schemas.states import State, StateType
from prefect.settings import PREFECT_LOGGING_TO_API_BATCH_SIZE, temporary_settings
from prefect.types import now
from wire import Stub


class Server:
    """Answers with one status after another, and with 201 when there is none left."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.stub = Stub(self._answer)

    def _answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if path == "/api/events/in":
            return 404, {}
        return (self.statuses.pop(0) if self.statuses else 201), {}

    def posted(self, path: str) -> list[Any]:
        return [body for _, asked, body in self.stub.asked if asked == path]


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stub.close()


@pytest.fixture
def sink(server: Server) -> ServerSink:
    return ServerSink(client_options(server.stub.url))


def line(message: str) -> Log:
    return Log(name="x", level=20, message=message, timestamp=now(), flow_run_id=uuid4())


def record(*kinds: StateType) -> TaskRunRecord:
    return TaskRunRecord(
        run=TaskRun(task_key="t", dynamic_key="0", name="t-0"), states=[State(type=kind) for kind in kinds]
    )


def test_each_state_is_told_once(server: Server, sink: ServerSink) -> None:
    told = record(StateType.PENDING, StateType.RUNNING)
    sink.record_task_runs([told])
    sink.record_task_runs([told])
    told.states.append(State(type=StateType.COMPLETED))
    sink.record_task_runs([told])

    names = [[event["event"].rpartition(".")[2] for event in batch] for batch in server.posted("/api/events")]
    assert names == [["Pending", "Running"], ["Completed"]]


def test_logs_go_in_batches_of_limited_size_and_those_delivered_are_not_sent_again(
    server: Server, sink: ServerSink
) -> None:
    lines = [line("x" * 400) for _ in range(4)]
    with temporary_settings({PREFECT_LOGGING_TO_API_BATCH_SIZE: 1_000}):
        server.statuses = [201, 503]
        with pytest.raises(ServerUnreachable):
            sink.create_logs(lines)
        sink.create_logs(lines)

    sizes = [len(batch) for batch in server.posted("/api/logs/")]
    assert sizes[0] == sizes[1]
    assert sum(sizes) - sizes[1] == 4
    assert "id" not in server.posted("/api/logs/")[0][0]


@pytest.mark.parametrize("status", [422, 413])
def test_what_a_server_refuses_is_the_records_fault(server: Server, sink: ServerSink, status: int) -> None:
    server.statuses = [status]
    with pytest.raises(PrefectException) as caught:
        sink.create_logs([line("odd")])
    assert not isinstance(caught.value, ServerUnreachable)


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
def test_any_other_error_is_an_outage(server: Server, sink: ServerSink, status: int) -> None:
    server.statuses = [status]
    with pytest.raises(ServerUnreachable):
        sink.create_logs([line("later")])


def test_a_sign_of_life_of_each_flow_run_goes_with_the_first_events_and_then_seldom(
    server: Server, sink: ServerSink
) -> None:
    run = FlowRun(flow_id=uuid4(), name="brave-fox")
    sink.introduce(run, "etl")
    sink.hold(run.id)

    sink.record_task_runs([record(StateType.PENDING)])
    sink.renew([run.id])
    sink.release(run.id)
    sink.renew([])

    (batch,) = server.posted("/api/events")
    assert [event["event"] for event in batch] == ["prefect.flow-run.heartbeat", "prefect.task-run.Pending"]
    assert batch[0]["resource"]["prefect.resource.id"] == f"prefect.flow-run.{run.id}"
