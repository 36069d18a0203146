"""`prefect deployment`, `work-pool` and `work-queue`."""

from __future__ import annotations

import threading
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect.cli.deployment_schedules import describe
from prefect.cli.moments import parse_span, parse_start
from prefect.client.current import get_caller
from prefect.operations import create_flow, read_flow_run
from prefect.operations.deployments import create_deployment
from prefect.operations.flow_runs import create_flow_run, read_flow_runs, set_flow_run_state, update_flow_run
from prefect.operations.logs import create_logs
from prefect.rules.job_templates import WORKER_KINDS
from prefect.schemas.actions import FlowCreate, FlowRunCreate, FlowRunUpdate
from prefect.schemas.deployments import DeploymentCreate
from prefect.schemas.objects import Log
from prefect.schemas.queries import FlowRunQuery
from prefect.schemas.schedules import IntervalSchedule
from prefect.schemas.states import State, StateType
from prefect.settings.context import refresh_settings
from prefect.types import now

SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}, "who": {"type": "string"}}}


@pytest.fixture
def deployed(prefect):
    """A deployment `hello/daily` in the work pool `here`."""
    prefect("work-pool", "create", "here", "--type", "process")
    client = get_caller()
    flow = client.call(create_flow, FlowCreate(name="hello"))
    wanted = DeploymentCreate(
        name="daily",
        flow_id=flow.id,
        work_pool_name="here",
        parameter_openapi_schema=SCHEMA,
        parameters={"x": 1},
        entrypoint="hello.py:hello",
        enforce_parameter_schema=True,
    )
    return client.call(create_deployment, wanted)


def test_a_deployment_is_listed_shown_paused_and_deleted(prefect, deployed):
    assert "hello/daily" in prefect("deployment", "ls").out
    assert [each["name"] for each in prefect("deployment", "ls", "hello", "-o", "json").json()] == ["daily"]
    assert prefect("deployment", "ls", "other", "-o", "json").json() == []
    for name in ("hello/daily", str(deployed.id)):
        assert "hello.py:hello" in prefect("deployment", "inspect", name).out
    assert prefect("deployment", "inspect", "hello/daily", "-o", "json").json()["id"] == str(deployed.id)

    prefect("deployment", "pause", "hello/daily")
    assert "paused" in prefect("deployment", "ls").out
    prefect("deployment", "resume", "hello/daily")
    assert "paused" not in prefect("deployment", "ls").out
    assert prefect("deployment", "delete", "hello/daily", "-y").out == "Deleted deployment 'hello/daily'.\n"
    assert (
        "There is no deployment 'hello/daily'" in prefect("deployment", "inspect", "hello/daily", code=1).err
    )


def test_all_deployments_are_deleted(prefect, deployed):
    assert prefect("deployment", "delete", "--all", "-y").out == "Deleted 1 deployments.\n"
    assert prefect("deployment", "ls", "-o", "json").json() == []


@pytest.mark.parametrize("words", [(), ("x",), ("/x",), ("hello/nope",), ("--id", "x"), ("a/b", "--id", "x")])
def test_what_names_no_deployment_is_refused(prefect, deployed, words):
    assert "deployment" in prefect("deployment", "run", *words, code=1).err


def test_a_deployment_is_run_with_parameters(prefect, deployed):
    made = prefect(
        "deployment", "run", "hello/daily", "-p", "x=3", "--param", "who=Ann", "--params", '{"x": 2}',
        "--tag", "t", "--flow-run-name", "mine", "--job-variable", 'env={"A": "1"}', "-o", "json",
    ).json()  # fmt: skip

    run = get_caller().call(read_flow_run, UUID(made["id"]))
    assert (run.name, run.parameters, run.tags) == ("mine", {"x": 3, "who": "Ann"}, ["t"])
    assert run.job_variables == {"env": {"A": "1"}}
    assert run.state_name == "Scheduled"
    assert str(run.id) in prefect("work-pool", "preview", "here").out
    assert str(run.id) in prefect("work-queue", "preview", "default", "-p", "here").out
    assert str(run.id) in prefect("work-queue", "read-runs", "default", "-p", "here").out


def in_two_hours() -> str:
    return (datetime.now(UTC) + timedelta(hours=2)).isoformat(timespec="seconds")


@pytest.mark.parametrize("word", ["--start-in", "--in", "--start-at", "--at"])
def test_a_run_starts_later(prefect, deployed, word):
    when = "2 hours" if word.endswith("in") else in_two_hours()
    made = prefect("deployment", "run", "hello/daily", word, when, "-o", "json").json()

    due = datetime.fromisoformat(made["next_scheduled_start_time"])
    assert timedelta(minutes=110) < due - datetime.now(UTC) <= timedelta(hours=2)
    assert made["id"] not in prefect("work-queue", "read-runs", "default", "-p", "here").out


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("-p", "y=1"), "no parameters 'y'. It has 'x', 'who'"),
        (("-p", "x"), "--param needs KEY=VALUE"),
        (("-p", "x=ten"), "x"),
        (("--params", "{"), "--params is no JSON"),
        (("--params", "[1]"), "needs a JSON object"),
        (("--start-in", "1h", "--start-at", "17:00"), "either --start-in or --start-at"),
        (("--params", '{"who": "\\udc80"}'), "half of one"),
        (("-p", 'who="\\udc80"'), "half of one"),
        (("--watch-timeout", "3"), "go with --watch"),
        (("--start-in", "99999999 days"), "beyond the year 9999"),
    ],
)
def test_a_run_that_makes_no_sense_is_refused(prefect, deployed, words, problem):
    assert problem in prefect("deployment", "run", "hello/daily", *words, code=1).err


def test_watching_ends_with_the_time_given(prefect, deployed):
    watched = prefect("deployment", "run", "hello/daily", "--watch", "--watch-timeout", "0", code=1)

    assert "did not end in 0 seconds" in watched.err


def test_watching_shows_what_was_logged_and_then_the_end(prefect, deployed):
    client = get_caller()
    done = threading.Event()

    def carry_out() -> None:
        while not done.is_set():
            if not (runs := client.call(read_flow_runs, FlowRunQuery())):
                done.wait(0.02)
                continue
            # Renamed first: what is logged may be shown at once, with the name that the run has then.
            client.call(update_flow_run, runs[0].id, FlowRunUpdate(name="renamed"))
            log = Log(name="x", level=20, message="half way", timestamp=now(), flow_run_id=runs[0].id)
            client.call(create_logs, [log])
            client.call(set_flow_run_state, runs[0].id, State(type=StateType.COMPLETED), force=True)
            return

    worker = threading.Thread(target=carry_out)
    worker.start()
    try:
        said = prefect("deployment", "run", "hello/daily", "--watch", "--watch-timeout", "60").out
    finally:
        done.set()
        worker.join()

    assert "Flow run 'renamed' is Completed" in said.splitlines()[-1]
    assert "Flow run 'renamed' - half way" in said
    assert said.index("half way") < said.index("is Completed")


def test_schedules_are_made_paused_and_deleted(prefect, deployed):
    prefect(
        "deployment", "schedule", "create", "hello/daily", "--interval", "3600", "--anchor-date", "2026-01-01"
    )
    prefect(
        "deployment", "schedule", "create", "hello/daily", "--cron", "0 9 * * *", "--timezone", "Asia/Tokyo"
    )

    listed = prefect("deployment", "schedule", "ls", "hello/daily").out
    assert "interval: 3600s" in listed and "cron: 0 9 * * *" in listed and "Asia/Tokyo" in listed
    assert "interval: 3600s" in prefect("deployment", "ls").out
    first, second = prefect("deployment", "schedule", "ls", "hello/daily", "-o", "json").json()
    prefect("deployment", "schedule", "pause", "hello/daily", first["id"])
    assert "already" in prefect("deployment", "schedule", "pause", "hello/daily", first["id"], code=1).err
    assert "1 schedules go on" in prefect("deployment", "schedule", "resume", "--all").out
    prefect("deployment", "schedule", "delete", "hello/daily", second["id"], "-y")
    prefect("deployment", "schedule", "create", "hello/daily", "--rrule", "FREQ=DAILY", "--replace", "-y")
    [left] = prefect("deployment", "schedule", "ls", "hello/daily", "-o", "json").json()
    assert left["schedule"]["rrule"] == "FREQ=DAILY"
    prefect("deployment", "schedule", "clear", "hello/daily", "-y")
    assert prefect("deployment", "schedule", "ls", "hello/daily", "-o", "json").json() == []


@pytest.mark.parametrize(
    "words", [(), ("--cron", "x"), ("--interval", "0"), ("--interval", "1", "--cron", "* * * * *")]
)
def test_what_is_no_schedule_is_refused(prefect, deployed, words):
    assert "Give one of" in (
        err := prefect("deployment", "schedule", "create", "hello/daily", *words, code=1).err
    ) or ("That is no schedule" in err)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(3600, "3600s"), (0.5, "0.5s"), (100_000_000, "100000000s"), (1e-6, "0.000001s")]
)
def test_intervals_are_shown_as_plain_numbers(seconds, shown):
    assert describe(IntervalSchedule(interval=timedelta(seconds=seconds))) == f"interval: {shown}"


def test_a_work_pool_is_made_changed_and_deleted(prefect, tmp_path):
    prefect("work-pool", "create", "mine", "--type", "process", "--paused", "--set-as-default")
    refresh_settings()

    assert "mine" in prefect("work-pool", "ls", "-v").out
    assert "DEFAULT_WORK_POOL_NAME='mine'" in prefect("config", "view").out
    assert "already" in prefect("work-pool", "create", "mine", "--type", "process", code=1).err
    prefect("work-pool", "create", "mine", "--overwrite")
    prefect("work-pool", "set-concurrency-limit", "mine", "3")
    assert "Runs at a time:" in prefect("work-pool", "inspect", "mine").out
    assert prefect("work-pool", "inspect", "mine", "-o", "json").json()["concurrency_limit"] == 3
    prefect("work-pool", "clear-concurrency-limit", "mine")
    prefect("work-pool", "pause", "mine")
    assert "paused" in prefect("work-pool", "ls").out
    prefect("work-pool", "resume", "mine")
    file = tmp_path / "template.json"
    prefect("work-pool", "get-default-base-job-template", "--type", "process", "-f", str(file))
    prefect("work-pool", "update", "mine", "--base-job-template", str(file), "--description", "d")
    pool = prefect("work-pool", "inspect", "mine", "-o", "json").json()
    assert (pool["description"], pool["is_paused"], pool["concurrency_limit"]) == ("d", False, None)
    file.write_text('{"job_configuration": {"a": "{{ b }}"}, "variables": {}}')
    assert "b" in prefect("work-pool", "update", "mine", "--base-job-template", str(file), code=1).err
    assert prefect("work-pool", "delete", "mine", "-y").out == "Deleted work pool 'mine'.\n"
    assert "no work pool 'mine'" in prefect("work-pool", "inspect", "mine", code=1).err


def test_it_is_shown_which_runs_hold_slots(prefect):
    prefect("work-pool", "create", "mine", "--type", "process")
    none = "'mine': 0 of any number of slots are held.\n"
    assert prefect("work-pool", "slots", "mine").out == f"Work pool {none}"
    prefect("work-pool", "set-concurrency-limit", "mine", "3")
    client = get_caller()
    flow = client.call(create_flow, FlowCreate(name="etl"))
    running: State[Any] = State(type=StateType.RUNNING)
    run = client.call(
        create_flow_run, FlowRunCreate(flow_id=flow.id, name="holder", state=running, work_pool_name="mine")
    )

    shown = prefect("work-pool", "slots", "mine").out
    assert shown.startswith("Work pool 'mine': 1 of 3 slots are held.\n")
    assert "holder" in shown and str(run.id) in shown
    assert "holder" in prefect("work-queue", "slots", "default", "-p", "mine").out
    [queue] = prefect("work-pool", "slots", "mine", "-o", "json").json()["queues"]
    assert [each["name"] for each in queue["flow_runs"]] == ["holder"]
    held = prefect("work-queue", "slots", "default", "--pool", "mine", "-o", "json").json()
    assert held["active_slots"] == 1
    assert "no work pool 'other'" in prefect("work-pool", "slots", "other", code=1).err


def test_a_pool_has_what_workers_can_do_where_the_server_does_not_know_of_it(prefect, monkeypatch):
    known = dict(WORKER_KINDS["prefect"]["process"], default_base_job_configuration={"variables": {}})
    monkeypatch.setitem(WORKER_KINDS["prefect"], "process", known)

    prefect("work-pool", "create", "mine", "--type", "process")

    assert "capture_output" in prefect("work-pool", "inspect", "mine").out


def test_pools_that_cannot_be_are_refused(prefect):
    assert "process" in prefect("work-pool", "create", "a", code=1).err
    assert "no type 'x'" in prefect("work-pool", "create", "a", "--type", "x", code=1).err
    assert "reserved" in prefect("work-pool", "create", "prefect-a", "--type", "process", code=1).err
    assert "What is to change" in prefect("work-pool", "update", "a", code=1).err


@pytest.mark.parametrize("name", ["a/b", "a%b", "<a"])
def test_names_that_no_address_can_have_are_refused(prefect, name):
    prefect("work-pool", "create", "mine", "--type", "process")

    assert "must not contain" in prefect("work-pool", "create", name, "--type", "process", code=1).err
    assert "must not contain" in prefect("work-queue", "create", name, "-p", "mine", code=1).err


def test_a_work_queue_is_made_changed_and_deleted(prefect):
    prefect("work-pool", "create", "mine", "--type", "process")
    prefect("work-queue", "create", "fast", "-p", "mine", "-q", "1", "-l", "2")
    prefect("work-queue", "create", "loose")

    listed = prefect("work-queue", "ls", "-p", "mine", "-o", "json").json()
    assert [(each["name"], each["priority"]) for each in listed] == [("fast", 1), ("default", 2)]
    assert "loose" in prefect("work-queue", "ls", "-v").out
    assert "loose" not in prefect("work-queue", "ls", "--match", "fa").out
    prefect("work-queue", "pause", "fast", "-p", "mine")
    assert "paused" in prefect("work-queue", "inspect", "fast", "-p", "mine").out
    prefect("work-queue", "resume", "fast", "-p", "mine")
    prefect("work-queue", "set-concurrency-limit", "fast", "5", "-p", "mine")
    assert "5" in prefect("work-queue", "inspect", "fast", "-p", "mine").out
    prefect("work-queue", "clear-concurrency-limit", listed[0]["id"])
    prefect("work-queue", "delete", "fast", "-p", "mine", "-y")
    prefect("work-queue", "delete", "loose", "-y")
    assert (
        "no work queue 'fast' in work pool 'mine'"
        in prefect("work-queue", "inspect", "fast", "-p", "mine", code=1).err
    )
    assert "no work pool 'x'" in prefect("work-queue", "create", "q", "-p", "x", code=1).err
    assert "no work pool 'x'" in prefect("work-queue", "ls", "-p", "x", code=1).err


@pytest.mark.parametrize("group", ["deployment", "work-pool", "work-queue"])
def test_help_is_there(prefect, group):
    assert "ls" in prefect(group, "--help").out


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-01T10:00:00Z", "2026-02-01T10:00:00+00:00"),
        ("2026-02-01 10:00+01:00", "2026-02-01T09:00:00+00:00"),
        ("2026-02-01 10:00", datetime(2026, 2, 1, 10).astimezone().isoformat()),
        ("at 2026-02-01", datetime(2026, 2, 1).astimezone().isoformat()),
    ],
)
def test_a_start_is_read(text, expected):
    assert parse_start(text, NOON) == datetime.fromisoformat(expected)


@given(st.integers(0, 23), st.integers(0, 59))
def test_a_time_alone_is_the_next_such_time(hour, minute):
    start = parse_start(f"{hour}:{minute:02}", NOON).astimezone()

    assert (start.hour, start.minute) == (hour, minute)
    assert timedelta(0) <= start - NOON <= timedelta(hours=25)
    twelve = f"at {hour % 12 or 12}:{minute:02}{'pm' if hour >= 12 else 'am'}"
    assert parse_start(twelve, NOON) == start


@given(st.text())
def test_any_text_is_a_start_and_a_span_or_refused(text):
    for parse in (parse_start, parse_span):
        try:
            parse(text)
        except ArgumentTypeError:
            continue


def test_a_span_is_read():
    assert parse_span("in 1h 30m") == timedelta(minutes=90)
    assert parse_span("1 day and 2 hours") == timedelta(hours=26)
