"""Flows that are recorded by a server, over a connection that may be cut."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from prefect import flow, get_run_logger, task
from prefect.engine import notes, server_journal, stopping
from prefect.exceptions import Abort, ServerUnreachable
from prefect.recorder import get_recorder
from prefect.recorder.outbox import Outbox, Undelivered
from prefect.runtime import flow_run as this_run
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_CLIENT_MAX_RETRIES,
    PREFECT_HOME,
    temporary_settings,
)
from wire import Proxy, Stub, serving

RunPython = Callable[..., "CompletedProcess[str]"]
Json = dict[str, Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("server")) as (url, _):
        yield url


@pytest.fixture
def proxy(server: str, tmp_path: Path) -> Iterator[Proxy]:
    """The way to the server, which the current settings name."""
    proxy = Proxy(server)
    settings = {PREFECT_API_URL: proxy.url, PREFECT_HOME: tmp_path, PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings(settings):
        yield proxy
        get_recorder().close()
    proxy.cut()


def until(found: Callable[[], Any]) -> Any:
    """Ask until there is an answer: a server reads events a moment before it has written them."""
    deadline = time.monotonic() + 50
    while not (value := found()):
        assert time.monotonic() < deadline, "the server does not come to know of it"
        time.sleep(0.02)
    return value


class Seen:
    """What a server knows."""

    def __init__(self, url: str) -> None:
        self.url = url

    def run(self, run_id: Any) -> Json:
        return dict(httpx.get(f"{self.url}/flow_runs/{run_id}").raise_for_status().json())

    def states(self, run_id: Any) -> list[str]:
        found = httpx.get(f"{self.url}/flow_run_states/", params={"flow_run_id": str(run_id)}).json()
        return [state["name"] for state in found]

    def task_runs(self, run_id: Any) -> list[Json]:
        asked = {"flow_runs": {"id": {"any_": [str(run_id)]}}, "sort": "EXPECTED_START_TIME_ASC"}
        return list(httpx.post(f"{self.url}/task_runs/filter", json=asked).json())

    def ended_task_runs(self, run_id: Any, count: int) -> list[Json]:
        def ended() -> list[Json]:
            runs = self.task_runs(run_id)
            return runs if [run for run in runs if run["end_time"]][count - 1 :] else []

        return list(until(ended))

    def history(self, task_run: Json) -> list[str]:
        found = httpx.get(f"{self.url}/task_run_states/", params={"task_run_id": task_run["id"]}).json()
        return [state["name"] for state in found]

    def logs(self, run_id: Any) -> list[Json]:
        asked = {"logs": {"flow_run_id": {"any_": [str(run_id)]}}}
        return list(httpx.post(f"{self.url}/logs/filter", json=asked).json())


@pytest.fixture
def seen(server: str) -> Seen:
    return Seen(server)


@task
def add(x: int, y: int) -> int:
    return x + y


def test_a_run_and_its_tasks_are_recorded_as_the_server_says(proxy: Proxy, seen: Seen) -> None:
    tried = []

    @task(retries=1, retry_delay_seconds=0)
    def flaky() -> str:
        tried.append(1)
        if len(tried) == 1:
            raise ValueError("not yet")
        get_run_logger().info("it works")
        return "ok"

    @flow(tags=["nightly"], flow_run_name="load-{day}")
    def load(day: str) -> str:
        add(1, 2)
        return flaky()

    state = load("monday", return_state=True)

    run_id = state.state_details.flow_run_id
    run = seen.run(run_id)
    assert (run["name"], run["tags"], run["parameters"]) == ("load-monday", ["nightly"], {"day": "monday"})
    assert (run["state_id"], run["run_count"]) == (str(state.id), 1)
    assert seen.states(run_id) == ["Pending", "Running", "Completed"]
    added, flaked = seen.ended_task_runs(run_id, 2)
    assert seen.history(added) == ["Pending", "Running", "Completed"]
    assert seen.history(flaked) == ["Pending", "Running", "Retrying", "Completed"]
    assert flaked["run_count"] == 2
    (line,) = [log for log in seen.logs(run_id) if log["message"] == "it works"]
    assert line["task_run_id"] == flaked["id"]


ODD = """
from prefect import flow, get_run_logger, task
from prefect.states import Completed

@task(task_run_name="task {x}")
def plain(x: str) -> None:
    get_run_logger().info("read %s", x)

@flow(flow_run_name="run {x}")
def odd(x: str):
    plain(x)
    return Completed(message=f"read {x}")

print(odd("\\ud800", return_state=True).state_details.flow_run_id)
"""


def test_a_text_that_no_utf_8_can_say_fails_no_run(proxy: Proxy, seen: Seen, run_python: RunPython) -> None:
    # In a process of its own: those of a test run send each other what was logged, as UTF-8.
    run_id = UUID(run_python("-c", ODD, env={"PREFECT_API_URL": proxy.url}).stdout.split()[-1])

    run = seen.run(run_id)
    assert (run["name"], run["state"]["type"], run["state"]["message"]) == ("run ?", "COMPLETED", "read ?")
    assert [found["name"] for found in seen.ended_task_runs(run_id, 1)] == ["task ?"]
    assert "read ?" in [log["message"] for log in seen.logs(run_id)]


def test_a_run_costs_three_requests_before_user_code_and_two_after_it(proxy: Proxy, seen: Seen) -> None:
    before: list[str] = []

    @flow
    def hello() -> None:
        before.extend(proxy.requests)
        for number in range(20):
            add(number, 1)

    state = hello(return_state=True)

    run_id = state.state_details.flow_run_id
    assert before == [
        "POST /api/flows/",
        "POST /api/flow_runs/",
        f"POST /api/flow_runs/{run_id}/set_state",
    ]
    # A run that takes long asks besides whether it was cancelled, and logs go in more than one part.
    besides = {f"GET /api/flow_runs/{run_id}", "GET /api/events/in"}
    after = [request for request in proxy.requests[len(before) :] if request not in besides]
    assert set(after) == {f"POST /api/flow_runs/{run_id}/set_state", "POST /api/logs/"}
    assert len([request for request in after if request.endswith("set_state")]) == 1
    assert len(seen.ended_task_runs(run_id, 20)) == 20
    proxy.requests.clear()
    hello()
    assert "POST /api/flows/" not in proxy.requests


def test_a_nested_run_is_the_child_of_a_task_run_that_the_server_keeps(proxy: Proxy, seen: Seen) -> None:
    @flow
    def child(x: int) -> int:
        return add(x, 1)

    @flow
    def parent() -> list[Any]:
        assert this_run.id is not None
        return [child(1, return_state=True), child(2, return_state=True)]

    state = parent(return_state=True)

    children = [each.state_details.flow_run_id for each in state.result()]
    first, second = seen.ended_task_runs(state.state_details.flow_run_id, 2)
    assert [seen.run(each)["parent_task_run_id"] for each in children] == [first["id"], second["id"]]
    assert [first["dynamic_key"], second["dynamic_key"]] == ["0", "1"]
    assert first["state"]["state_details"]["child_flow_run_id"] == str(children[0])
    assert seen.history(first)[-2:] == ["Running", "Completed"]


def test_a_function_that_names_runs_sees_the_id_of_the_run(proxy: Proxy, seen: Seen) -> None:
    @flow(flow_run_name=lambda: f"run {this_run.id}")
    def named() -> str | None:
        return this_run.id

    run_id = named()

    assert seen.run(run_id)["name"] == f"run {run_id}"


def test_a_failed_flow_is_retried(proxy: Proxy, seen: Seen) -> None:
    @flow(retries=1, retry_delay_seconds=0.01)
    def shaky() -> int:
        if this_run.run_count < 2:
            raise ValueError("first attempt")
        return this_run.run_count

    state = shaky(return_state=True)

    assert state.result() == 2
    run_id = state.state_details.flow_run_id
    assert seen.states(run_id) == ["Pending", "Running", "AwaitingRetry", "Retrying", "Completed"]


def test_a_run_that_is_being_cancelled_does_not_complete(proxy: Proxy, seen: Seen) -> None:
    @flow
    def cancelled_meanwhile() -> None:
        path = f"{seen.url}/flow_runs/{this_run.id}/set_state"
        httpx.post(path, json={"state": {"type": "CANCELLING"}}).raise_for_status()

    state = cancelled_meanwhile(return_state=True)

    assert state.is_cancelled()
    assert seen.states(state.state_details.flow_run_id)[-2:] == ["Cancelling", "Cancelled"]


def test_async_flows_and_tasks(proxy: Proxy, seen: Seen) -> None:
    @task
    async def double(x: int) -> int:
        return 2 * x

    @flow
    async def doubled() -> list[int]:
        return list(await asyncio.gather(double(1), double(2)))

    state = asyncio.run(doubled(return_state=True))  # type: ignore[arg-type]

    assert [run["state_type"] for run in seen.ended_task_runs(state.state_details.flow_run_id, 2)] == [
        "COMPLETED",
        "COMPLETED",
    ]


# --- outages ----------------------------------------------------------------------------------------------


def test_a_server_that_is_not_there_is_an_error_before_user_code_runs(proxy: Proxy) -> None:
    proxy.cut()
    ran = []

    @flow
    def never() -> None:
        ran.append(1)

    with pytest.raises(ServerUnreachable, match=proxy.url) as caught:
        never()
    assert "PREFECT_API_URL" in str(caught.value)
    assert not ran


def test_an_outage_fails_no_run_makes_no_task_wait_and_loses_nothing(
    proxy: Proxy, seen: Seen, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_journal, "PAUSE", 0.05)
    caplog.set_level(logging.INFO, logger="prefect")

    @flow
    def through_it() -> int:
        add(0, 0)
        assert get_recorder().flush()
        proxy.cut()
        total = sum(add(number, number) for number in range(50))
        get_run_logger().info("away")
        assert not get_recorder().flush()
        threading.Timer(0.3, proxy.restore).start()
        return total

    state = through_it(return_state=True)

    assert state.is_completed()
    run_id = state.state_details.flow_run_id
    assert seen.states(run_id) == ["Pending", "Running", "Completed"]
    runs = seen.ended_task_runs(run_id, 51)
    assert len(runs) == 51
    assert {tuple(seen.history(run)) for run in runs[:5]} == {("Pending", "Running", "Completed")}
    assert "away" in [log["message"] for log in until(lambda: seen.logs(run_id))]
    said = [record.getMessage() for record in caplog.records if record.name.startswith("prefect.recorder")]
    assert len([text for text in said if "cannot be written" in text]) == 1
    assert len([text for text in said if "again" in text and "Nothing was lost" in text]) == 1


def test_no_task_waits_until_a_server_that_is_away_says_whether_the_run_is_to_go_on(
    proxy: Proxy, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(server_journal.ServerJournal, "_sleep", lambda _, seconds: waits.append(seconds))
    monkeypatch.setattr(notes, "CHECK_AFTER", 0)
    monkeypatch.setattr(stopping, "CHECK_SERVER_AFTER", 0)
    monkeypatch.setattr(stopping, "CHECK_AWAY_AFTER", 0)

    @flow
    def asks_again_and_again() -> None:
        add(0, 0)
        proxy.cut()
        for number in range(3):
            add(number, number)
        assert waits == []
        proxy.restore()

    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 5}):
        state = asks_again_and_again(return_state=True)

    assert state.is_completed(), state
    assert len(seen.ended_task_runs(state.state_details.flow_run_id, 4)) == 4
    path = f"GET /api/flow_runs/{state.state_details.flow_run_id}"
    assert path in proxy.requests


def test_a_connection_that_is_cut_and_restored_between_tasks_is_not_noticed(proxy: Proxy, seen: Seen) -> None:
    @flow
    def cut_often() -> None:
        for number in range(5):
            add(number, number)
            assert get_recorder().flush()
            proxy.cut()
            proxy.restore()

    state = cut_often(return_state=True)

    run_id = state.state_details.flow_run_id
    assert seen.states(run_id)[-1] == "Completed"
    get_recorder().close()
    runs = seen.ended_task_runs(run_id, 5)
    assert {tuple(seen.history(run)) for run in runs} == {("Pending", "Running", "Completed")}


def test_what_cannot_be_delivered_before_the_end_is_kept_and_the_next_process_delivers_it(
    proxy: Proxy, seen: Seen, tmp_path: Path, run_python: RunPython
) -> None:
    script = """
import sys
from prefect import flow, get_run_logger, task
from prefect.engine import notes, server_journal, stopping

server_journal.PATIENCE = 0.0

@task
def add(x, y):
    return x + y

@flow
def main():
    print("begun", flush=True)
    sys.stdin.readline()
    get_run_logger().info("to be kept")
    return add(1, 2)

print(main())
"""
    env = {
        "PREFECT_API_URL": proxy.url,
        "PREFECT_HOME": str(tmp_path / "home"),
        "PREFECT_CLIENT_MAX_RETRIES": "0",
    }
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "begun\n"
    proxy.cut()
    printed, errors = child.communicate("go on\n", timeout=50)
    assert (printed, child.returncode) == ("3\n", 0), errors
    assert "The state Completed" in errors
    assert "is kept in" in errors
    assert "They are kept in" in errors
    newest = {"sort": "START_TIME_DESC", "limit": 1}
    (run,) = httpx.post(f"{seen.url}/flow_runs/filter", json=newest).json()
    assert run["state_type"] == "RUNNING"

    proxy.restore()
    run_python("-c", "from prefect import flow\nflow(lambda: None, name='next')()", env=env)

    assert seen.states(run["id"])[-1] == "Completed"
    assert seen.history(seen.ended_task_runs(run["id"], 1)[0]) == ["Pending", "Running", "Completed"]
    assert [log["message"] for log in seen.logs(run["id"])].count("to be kept") == 1
    assert not list((tmp_path / "home" / "outbox").rglob("*.jsonl"))


def test_what_a_program_does_last_is_told_by_an_interpreter_that_starts_no_thread_any_more(
    server: str, seen: Seen, tmp_path: Path, run_python: RunPython
) -> None:
    script = """
import atexit, threading
from prefect import get_run_logger, task

@task(task_run_name="last {number}")
def last(number):
    get_run_logger().info("said last %s", number)

last(1)
last(2)

def start(thread):
    raise RuntimeError("can't create new thread at interpreter shutdown")

atexit.register(setattr, threading.Thread, "start", start)  # Python 3.12 does that by itself
"""
    outbox = Outbox(tmp_path / "home", server)
    event = {"id": str(uuid4()), "event": "left", "resource": {"prefect.resource.id": "earlier"}}
    outbox.keep([Undelivered("event", json.dumps({**event, "occurred": "2026-01-01T00:00:00Z"}))])

    done = run_python("-c", script, env={"PREFECT_API_URL": server})

    ours = {"task_runs": {"name": {"like_": "last "}}}
    until(lambda: httpx.post(f"{server}/task_runs/count", json=ours).json() == 2)
    runs = httpx.post(f"{server}/task_runs/filter", json=ours).json()
    assert {run["name"]: seen.history(run) for run in runs} == {
        "last 1": ["Pending", "Running", "Completed"],
        "last 2": ["Pending", "Running", "Completed"],
    }
    said = {"logs": {"task_run_id": {"any_": [run["id"] for run in runs]}}}
    logs = httpx.post(f"{server}/logs/filter", json=said).json()
    assert sorted(log["message"] for log in logs if "said" in log["message"]) == [
        "said last 1",
        "said last 2",
    ]
    assert not outbox.files()
    assert "ERROR" not in done.stderr
    assert "thread" not in done.stderr


def test_an_interrupted_flow_whose_server_is_away_ends_at_once_and_its_state_is_kept(
    proxy: Proxy, tmp_path: Path
) -> None:
    @flow
    def interrupted() -> None:
        proxy.cut()
        raise KeyboardInterrupt

    @contextmanager
    def no_waiting() -> Iterator[None]:
        before, server_journal.PATIENCE = server_journal.PATIENCE, 0.0
        yield
        server_journal.PATIENCE = before

    with no_waiting(), pytest.raises(KeyboardInterrupt):
        interrupted()

    assert [path.suffix for path in (tmp_path / "outbox").rglob("*") if path.is_file()] == [".jsonl"]


def test_an_async_flow_that_is_cancelled_while_its_server_is_away_ends_at_once(
    proxy: Proxy, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        waits = asyncio.Event()

        @flow
        async def cut_off() -> None:
            proxy.cut()
            waits.set()

        running = asyncio.ensure_future(cut_off())
        await waits.wait()
        await asyncio.to_thread(until, lambda: "the server is waited for" in caplog.text)
        running.cancel()
        await running

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert list((tmp_path / "outbox").rglob("*.jsonl"))


def test_what_the_outbox_keeps_is_for_this_user_alone(tmp_path: Path) -> None:
    folder = Outbox(tmp_path / "home", "http://host/api").keep([Undelivered("log", "{}")])
    (kept,) = folder.iterdir()
    modes = [path.stat().st_mode & 0o777 for path in (folder.parent, folder, kept)]
    assert modes == [0o700, 0o700, 0o600]


def test_a_damaged_file_of_the_outbox_is_left_for_a_person_to_look_at(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, "http://host/api")
    folder = outbox.keep([Undelivered("log", "{}")])
    (folder / "0.jsonl").write_text("no json")

    ((_, things),) = outbox.take()

    assert things == [Undelivered("log", "{}")]
    assert [path.name for path in folder.iterdir() if path.suffix == ".unreadable"]


# --- answers that our own server seldom gives -------------------------------------------------------------


@contextmanager
def answering(*decisions: Json) -> Iterator[Stub]:
    """Have a server decide on proposed states as told; each further one is accepted."""
    run_id, script = str(uuid4()), list(decisions)

    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        if path == "/api/flows/":
            return 201, {"id": str(uuid4()), "name": body["name"]}
        if path == "/api/flow_runs/":
            state = {"id": str(uuid4()), "type": "PENDING", "name": "Pending"}
            return 201, {"id": run_id, "flow_id": body["flow_id"], "name": body["name"], "state": state}
        if path.endswith("/set_state"):
            if script and not body.get("force"):
                return 200, script.pop(0)
            return 201, {
                "status": "ACCEPT",
                "state": {**body["state"], "id": str(uuid4())},
                "details": {"type": "accept_details"},
            }
        return 404, {"detail": "Not Found"}

    stub = Stub(answer)
    with temporary_settings({PREFECT_API_URL: stub.url, PREFECT_CLIENT_MAX_RETRIES: 0}):
        yield stub
        get_recorder().close()
    stub.close()


def proposals(stub: Stub) -> list[str]:
    return [body["state"]["type"] for _, path, body in stub.asked if path.endswith("/set_state")]


ACCEPTED = {
    "status": "ACCEPT",
    "state": {"id": str(uuid4()), "type": "RUNNING", "name": "Running"},
    "details": {"type": "accept_details"},
}
AWAITING = {"id": str(uuid4()), "type": "SCHEDULED", "name": "AwaitingRetry"}


def test_a_server_that_says_to_wait_is_asked_again() -> None:
    wait = {
        "status": "WAIT",
        "state": {**AWAITING, "name": "Scheduled"},
        "details": {"type": "wait_details", "delay_seconds": 0, "reason": "Scheduled time is in the future"},
    }
    with answering(wait, wait) as stub:
        assert flow(lambda: 7, name="patient")() == 7
        assert proposals(stub) == ["RUNNING"] * 3 + ["COMPLETED"]


def test_a_server_that_says_to_stop_is_obeyed() -> None:
    ran: list[int] = []
    abort = {
        "status": "ABORT",
        "state": None,
        "details": {"type": "abort_details", "reason": "It runs elsewhere."},
    }
    with answering(abort) as stub:
        with pytest.raises(Abort, match="It runs elsewhere"):
            flow(lambda: ran.append(1), name="obedient")()
        assert proposals(stub) == ["RUNNING"]
    assert not ran


def test_a_flow_whose_failure_is_answered_with_a_retry_runs_again() -> None:
    attempts: list[int] = []
    again = {
        "status": "REJECT",
        "state": AWAITING,
        "details": {"type": "reject_details", "reason": "Retrying"},
    }

    def fail_once() -> int:
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError("once")
        return 5

    with answering(ACCEPTED, again) as stub:
        assert flow(fail_once)() == 5
        assert proposals(stub) == ["RUNNING", "FAILED", "RUNNING", "COMPLETED"]


def test_a_proposal_that_arrived_twice_counts_once() -> None:
    """The answer to the first was lost: the server then rejects the second, as it has that state already."""
    seen_ids: list[str] = []

    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        if path.endswith("/set_state"):
            state = body["state"]
            seen_ids.append(state["state_details"]["transition_id"])
            details = {"type": "reject_details", "reason": "This run has already made this state transition."}
            return 200, {"status": "REJECT", "state": {**state, "id": str(uuid4())}, "details": details}
        if path == "/api/flows/":
            return 200, {"id": str(uuid4()), "name": body["name"]}
        return 201, {"id": str(uuid4()), "flow_id": body["flow_id"], "name": body["name"]}

    stub = Stub(answer)
    with temporary_settings({PREFECT_API_URL: stub.url, PREFECT_CLIENT_MAX_RETRIES: 0}):
        assert flow(lambda: 7, name="twice")() == 7
        get_recorder().close()
    stub.close()
    assert len(set(seen_ids)) == 2


def test_a_server_that_opens_no_sockets_gets_events_by_request() -> None:
    with answering() as stub:
        flow(lambda: add(1, 2), name="no-sockets")()
        get_recorder().close()
        (path,) = {path for _, path, _ in stub.asked if "events" in path} - {"/api/events/in"}
        assert path == "/api/events"
