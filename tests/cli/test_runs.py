"""`prefect flow-run`, `task-run` and `flow`, on runs that were really run."""

from __future__ import annotations

import os
import pty
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from contextvars import copy_context
from uuid import UUID

import pytest

from prefect import flow, tags, task
from prefect.client.local import get_local_client
from prefect.futures import wait
from prefect.logging import get_run_logger
from prefect.operations import create_flow, create_flow_run, create_logs
from prefect.schemas.actions import FlowCreate, FlowRunCreate
from prefect.schemas.objects import Log
from prefect.schemas.states import State, StateType
from prefect.types import now, uuid7


@task(task_run_name="double-{x}")
def double(x: int) -> int:
    get_run_logger().info("doubling %s", x)
    return 2 * x


@flow(name="doubling", flow_run_name="run-of-{count}")
def doubling(count: int) -> list[int]:
    get_run_logger().warning("about to double %s", count)
    return [double(x) for x in range(count)]


@flow(name="failing", flow_run_name="bound-to-fail")
def failing() -> None:
    raise ValueError("no luck")


@pytest.fixture
def runs(prefect) -> None:
    """One failed run, then one completed with a tag, of two tasks."""
    with pytest.raises(ValueError, match="no luck"):
        failing()
    with tags("nightly"):
        doubling(2)


def listed(prefect: Callable, *words: str) -> list[str]:
    return [run["name"] for run in prefect(*words, "--output", "json").json()]


@pytest.mark.usefixtures("runs")
class TestFlowRuns:
    def test_are_listed_newest_first(self, prefect):
        out = prefect("flow-run", "ls").out

        assert out.index("run-of-2") < out.index("bound-to-fail")
        assert all(word in out for word in ("doubling", "failing", "Completed", "Failed", "ID", "When"))
        assert listed(prefect, "flow-run", "ls") == ["run-of-2", "bound-to-fail"]

    @pytest.mark.parametrize(
        ("words", "names"),
        [
            (["--state", "failed"], ["bound-to-fail"]),
            (["--state", "Completed", "--state", "Failed"], ["run-of-2", "bound-to-fail"]),
            (["--state-type", "completed"], ["run-of-2"]),
            (["--state-type", "CRASHED"], []),
            (["--flow-name", "failing"], ["bound-to-fail"]),
            (["--tag", "nightly"], ["run-of-2"]),
            (["--tag", "nightly", "--tag", "other"], []),
            (["--limit", "1"], ["run-of-2"]),
            (["--since", "1h"], ["run-of-2", "bound-to-fail"]),
            (["--until", "1h ago"], []),
            (["--since", "2020-01-01", "--until", "now"], ["run-of-2", "bound-to-fail"]),
        ],
    )
    def test_are_filtered(self, words, names, prefect):
        assert listed(prefect, "flow-run", "ls", *words) == names

    @pytest.mark.parametrize(
        "words", [["--limit", "0"], ["--state-type", "odd"], ["--since", "whenever"], ["-o", "yaml"]]
    )
    def test_are_not_listed_by_what_makes_no_sense(self, words, prefect):
        assert not prefect("flow-run", "ls", *words, code=2).out

    def test_can_be_named_by_id_its_beginning_or_name(self, prefect):
        run_id = prefect("flow-run", "ls", "--limit", "1", "-o", "json").json()[0]["id"]

        for text in (run_id, run_id.replace("-", ""), run_id[:20], "run-of-2"):
            assert prefect("flow-run", "inspect", text, "-o", "json").json()["id"] == run_id

    def test_are_shown(self, prefect):
        out = prefect("flow-run", "inspect", "run-of-2").out

        assert "Flow:       doubling" in out
        assert '"count":2' in out
        assert re.findall(r"Pending|Running|Completed", out.partition("States:")[2]) == [
            "Pending",
            "Running",
            "Completed",
        ]

    @pytest.mark.parametrize("text", ["0198c0de-0000-7000-8000-000000000001", "zz", "deadbeef", "a-b-c", "%"])
    def test_that_are_not_there(self, text, prefect):
        err = prefect("flow-run", "inspect", text, code=1).err

        assert "low run" in err
        assert text in err

    def test_that_share_what_was_given_are_listed(self, prefect):
        doubling(2)

        err = prefect("flow-run", "logs", "run-of-2", code=1).err

        assert err.startswith("'run-of-2' fits 2 flow runs. Give one of these ids:\n")
        assert len(err.splitlines()) == 3

    def test_give_their_logs_and_those_of_their_tasks(self, prefect):
        lines = prefect("flow-run", "logs", "run-of-2").out.splitlines()

        assert re.fullmatch(
            r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \| WARNING \| Flow run 'run-of-2' - about to double 2",
            next(line for line in lines if "about to" in line),
        )
        messages = [message(line) for line in lines]
        assert [text for text in messages if text.startswith("doubling")] == ["doubling 0", "doubling 1"]

    def test_say_of_each_line_which_task_run_it_is_from(self, prefect):
        lines = prefect("flow-run", "logs", "run-of-2").out.splitlines()

        assert any(line.endswith("| Task run 'double-0' - doubling 0") for line in lines)
        assert any(line.endswith("| Task run 'double-1' - doubling 1") for line in lines)
        assert prefect("flow-run", "logs", "run-of-2", "--tail", "-n", "99").out.splitlines() == lines
        assert prefect("flow-run", "logs", "run-of-2", "--follow").out.splitlines() == lines
        of_task = prefect("task-run", "logs", "double-1").out.splitlines()
        assert of_task == [line for line in lines if "'double-1'" in line]

    def test_give_lines_of_task_runs_that_are_not_there(self, prefect):
        client = get_local_client()
        run = prefect("flow-run", "inspect", "run-of-2", "-o", "json").json()
        lost = uuid7()
        line = Log(
            name="x", level=20, message="lost", timestamp=now(), flow_run_id=UUID(run["id"]), task_run_id=lost
        )
        client.call(create_logs, [line])

        assert f"Task run '{lost}' - lost" in prefect("flow-run", "logs", "run-of-2").out

    def test_give_a_part_of_their_logs(self, prefect):
        every = prefect("flow-run", "logs", "run-of-2").out.splitlines()

        def part(*words: str) -> list[str]:
            return prefect("flow-run", "logs", "run-of-2", *words).out.splitlines()

        assert part("--head", "--num-logs", "2") == part("-h", "-n", "2") == part("-n", "2") == every[:2]
        assert part("--tail", "-n", "2") == every[-2:]
        assert part("--tail", "-n", "2", "--reverse") == every[-2:][::-1]
        assert part("--reverse") == every[::-1]
        assert part("--head", "-n", "2", "-r") == every[:2][::-1]
        assert part("--head") == part("--tail") == part("--follow") == every
        assert "not both" in prefect("flow-run", "logs", "run-of-2", "-h", "-t", code=1).err
        assert [log["message"] for log in prefect("flow-run", "logs", "run-of-2", "-o", "json").json()] == [
            message(line) for line in every
        ]

    def test_are_deleted(self, prefect, monkeypatch):
        monkeypatch.setenv("PREFECT_CLI_PROMPT", "true")
        monkeypatch.setattr("builtins.input", lambda _question: "n")
        assert prefect("flow-run", "delete", "run-of-2", code=1).err == "Nothing was changed.\n"

        assert "Deleted flow run 'run-of-2'" in prefect("flow-run", "delete", "run-of-2", "-y").out
        assert listed(prefect, "flow-run", "ls") == ["bound-to-fail"]
        assert listed(prefect, "task-run", "ls") == []

    def test_that_have_ended_are_not_cancelled(self, prefect):
        assert "has ended already" in prefect("flow-run", "cancel", "run-of-2", code=1).err


@task(task_run_name="load-{part}")
def load(part: int) -> None:
    if part % 2 == 0:
        raise OSError(f"part {part} is gone\nsee the manual")


@flow(flow_run_name="loading-{parts}")
def loading(parts: int) -> None:
    wait([load.submit(part) for part in range(parts)])
    load(0)


class TestFailedFlowRuns:
    def test_say_what_failed_why_and_where_the_logs_are(self, prefect):
        with pytest.raises(OSError, match="part 0"):
            loading(3)

        out = prefect("flow-run", "inspect", "loading-3").out

        assert re.search(r"^Message: +Flow run encountered an exception: OSError: part 0 is gone", out, re.M)
        failed = out.partition("Failed task runs:\n")[2].splitlines()
        assert sorted(failed[:3]) == [
            "  load-0  Failed: Task run encountered an exception OSError: part 0 is gone",
            "  load-0  Failed: Task run encountered an exception OSError: part 0 is gone",
            "  load-2  Failed: Task run encountered an exception OSError: part 2 is gone",
        ]
        command = re.search(r"^Logs: +prefect (flow-run logs \S+)$", out, re.M)
        assert command
        assert "Task run 'load-2' - Finished in state Failed" in prefect(*command[1].split()).out

    def test_show_ten_and_say_how_to_see_the_others(self, prefect):
        with pytest.raises(OSError, match="part 0"):
            loading(26)

        out = prefect("flow-run", "inspect", "loading-26").out

        assert out.count("  Failed: Task run") == 10
        command = re.search(r"^  and 4 before these: prefect (task-run ls .*)$", out, re.M)
        assert command
        assert len(listed(prefect, *command[1].split())) == 14

    @pytest.mark.usefixtures("runs")
    def test_say_nothing_of_tasks_where_none_failed(self, prefect):
        out = prefect("flow-run", "inspect", "bound-to-fail").out

        assert "Flow run encountered an exception: ValueError: no luck" in out
        assert "Failed task runs" not in out
        assert "prefect flow-run logs" in out
        assert "prefect flow-run logs" not in prefect("flow-run", "inspect", "run-of-2").out


@pytest.mark.usefixtures("runs")
class TestTaskRuns:
    def test_are_listed(self, prefect):
        assert sorted(listed(prefect, "task-run", "ls")) == ["double-0", "double-1"]
        assert listed(prefect, "task-run", "ls", "--task-run-name", "double-1") == ["double-1"]
        assert listed(prefect, "task-run", "ls", "--flow-run", "bound-to-fail") == []
        assert len(listed(prefect, "task-run", "ls", "--flow-run", "run-of-2", "--tag", "nightly")) == 2
        assert listed(prefect, "task-run", "ls", "--state", "FAILED") == []
        assert len(listed(prefect, "task-run", "ls", "--state-type", "completed", "--limit", "1")) == 1
        assert "double-1" in prefect("task-run", "ls").out

    def test_are_shown(self, prefect):
        out = prefect("task-run", "inspect", "double-1").out

        assert "State:     Completed" in out
        assert "double" in out
        assert prefect("task-run", "inspect", "double-1", "-o", "json").json()["name"] == "double-1"
        assert "no task run with id or name 'zz'" in prefect("task-run", "inspect", "zz", code=1).err

    def test_give_their_logs(self, prefect):
        messages = [message(line) for line in prefect("task-run", "logs", "double-1").out.splitlines()]

        assert messages[0] == "doubling 1"
        assert (
            prefect("task-run", "logs", "double-1", "-n", "1", "-o", "json").json()[0]["message"]
            == messages[0]
        )


def test_thousands_of_logs_are_shown(prefect):
    client = get_local_client()
    of = client.call(create_flow, FlowCreate(name="chatty"))
    run = client.call(create_flow_run, FlowRunCreate(flow_id=of.id, name="chat"))
    client.call(
        create_logs,
        [Log(name="x", level=20, message=f"{n}", timestamp=now(), flow_run_id=run.id) for n in range(2500)],
    )

    def numbers(*words: str) -> list[int]:
        return [int(message(line)) for line in prefect("flow-run", "logs", "chat", *words).out.splitlines()]

    assert numbers() == list(range(2500))
    assert numbers("--tail", "-n", "1100") == list(range(1400, 2500))
    assert numbers("--reverse") == list(range(2499, -1, -1))


def test_logs_are_followed_until_the_run_ends(prefect, monkeypatch):
    started, go = threading.Event(), threading.Event()

    @flow(flow_run_name="followed")
    def slow() -> None:
        get_run_logger().info("before")
        started.set()
        go.wait(30)
        get_run_logger().info("after")

    thread = threading.Thread(target=copy_context().run, args=(slow,))
    thread.start()
    started.wait(30)
    # The first time that it finds nothing new, the run goes on.
    monkeypatch.setattr("prefect.cli.log_lines.time.sleep", lambda _seconds: (go.set(), thread.join(0.1)))

    lines = prefect("flow-run", "logs", "followed", "--follow").out.splitlines()
    thread.join()

    said = [message(line) for line in lines]
    assert said.index("before") < said.index("after") < said.index("Finished in state Completed()")
    assert len(said) == len(set(said))


def message(line: str) -> str:
    return line.split(" - ", 1)[1]


@pytest.mark.usefixtures("runs")
def test_flows_are_listed(prefect):
    assert listed(prefect, "flow", "ls") == ["doubling", "failing"]
    assert listed(prefect, "flows", "ls", "--limit", "1") == ["doubling"]
    assert "failing" in prefect("flow", "ls").out


@pytest.mark.usefixtures("runs")
def test_what_is_piped_has_a_line_a_run_and_loads_no_heavy_library(run_python):
    done = run_python(
        "-c",
        "import sys; from prefect.cli import main\n"
        "main(['flow-run', 'ls']); main(['flow-run', 'logs', 'run-of-2'])\n"
        "for words in ('--state failed --state crashed', '--state-type FAILED', '--tag nightly --tag b',\n"
        "  '--since 1h --until now --flow-name doubling --flow-name failing --state completed'):\n"
        "    main(['flow-run', 'ls', *words.split()])\n"
        "main('task-run ls --flow-run run-of-2 --state failed --tag a'.split())\n"
        "main('flow-run logs run-of-2 --follow'.split()); main('flow-run inspect bound-to-fail'.split())\n"
        "print(*{'rich', 'sqlalchemy', 'pydantic', 'asyncio'} & sys.modules.keys(), file=sys.stderr)",
        env={"PREFECT_HOME": os.environ["PREFECT_HOME"]},
    )

    assert done.stderr.strip() == ""
    head, first, second, *logs = done.stdout.splitlines()
    assert head.split() == ["ID", "Flow", "Name", "State", "When"]
    assert re.fullmatch(r"\S{36}  doubling  run-of-2 +Completed  .*", first)
    assert re.fullmatch(r"\S{36}  failing   bound-to-fail  Failed     .*", second)
    assert len(logs) > 3


def test_nothing_is_listed_where_nothing_ran(prefect):
    assert prefect("flow-run", "ls", "-o", "json").json() == []
    assert prefect("flow-run", "ls").out.split() == ["ID", "Flow", "Name", "State", "When"]


@pytest.mark.parametrize("kind", [StateType.SCHEDULED, StateType.PAUSED, StateType.PENDING])
def test_a_run_that_is_not_running_is_cancelled(kind, prefect):
    client = get_local_client()
    of = client.call(create_flow, FlowCreate(name="waiting"))
    client.call(create_flow_run, FlowRunCreate(flow_id=of.id, name="wait", state=State(type=kind)))

    assert prefect("flow-run", "cancel", "wait").out == "Flow run 'wait' is cancelled.\n"
    assert prefect("flow-run", "inspect", "wait", "-o", "json").json()["state_type"] == "CANCELLED"


def test_a_run_that_is_running_is_told_to_end(prefect):
    @flow(flow_run_name="busy")
    def busy() -> str:
        return prefect("flow-run", "cancel", "busy").out

    state = busy(return_state=True)
    assert state.is_cancelled()
    assert prefect("flow-run", "inspect", "busy", "-o", "json").json()["state_name"] == "Cancelled"


def on_terminal(*words: str, **variables: str) -> str:
    """Run a command in a process of its own, on a terminal, and return what it printed there."""
    leader, follower = pty.openpty()
    env = {**os.environ, "COLUMNS": "200", "TERM": "xterm", **variables}
    done = subprocess.Popen([sys.executable, "-m", "prefect.cli", *words], stdout=follower, env=env)
    os.close(follower)
    printed = b""
    try:
        while chunk := os.read(leader, 65536):
            printed += chunk
    except OSError:  # what Linux says when the other end is closed
        pass
    assert done.wait(timeout=50) == 0
    os.close(leader)
    return printed.decode()


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("columns", [30, 60, 80, 200])
def test_ids_are_whole_on_any_terminal(columns):
    printed = on_terminal("flow-run", "ls", COLUMNS=str(columns))

    ids = re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", printed)
    assert len(set(ids)) == 2


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("columns", ["40", "200"])
def test_states_have_colours_on_terminals(columns):
    printed = on_terminal("flow-run", "ls", COLUMNS=columns)

    assert "\x1b[32mCompleted" in printed
    assert "\x1b[31mFailed" in printed
    assert "\x1b[32mCompleted" in on_terminal("task-run", "ls", COLUMNS=columns)
    for off in ({"NO_COLOR": "1"}, {"PREFECT_CLI_COLORS": "false"}):
        assert "\x1b[3" not in on_terminal("flow-run", "ls", COLUMNS=columns, **off).replace("\x1b[3m", "")


@pytest.mark.usefixtures("runs")
def test_how_many_are_left_is_said_on_terminals(prefect):
    assert "Showing 1 of 2; --limit for more." in on_terminal("flow-run", "ls", "--limit", "1")
    assert "Showing" not in on_terminal("flow-run", "ls", "--limit", "2")
    assert "Showing" not in on_terminal("flow-run", "ls", "--limit", "1", "--state-type", "failed")
    assert "Showing" not in prefect("flow-run", "ls", "--limit", "1").out
    assert "Showing 1 of 2; " in on_terminal("task-run", "ls", "--limit", "1", "--flow-run", "run-of-2")


@pytest.mark.usefixtures("runs")
class TestRowsThatMakeNoSense:
    @pytest.fixture
    def damage(self, home):
        def change(statement: str) -> None:
            with closing(sqlite3.connect(home / "prefect.db", isolation_level=None)) as raw:
                raw.execute(statement)

        return change

    def test_are_left_out_of_listings_with_a_warning(self, prefect, damage):
        [bad] = [run for run in prefect("flow-run", "ls", "-o", "json").json() if run["name"] == "run-of-2"]
        damage("UPDATE flow_runs SET tags = '{' WHERE name = 'run-of-2'")
        damage("UPDATE task_runs SET state_type = 'ODD' WHERE name = 'double-1'")
        damage("UPDATE flows SET created = 'some day' WHERE name = 'failing'")

        flow_runs, task_runs = prefect("flow-run", "ls"), prefect("task-run", "ls")

        assert "bound-to-fail" in flow_runs.out
        assert re.fullmatch(
            rf"Warning: Row {bad['id']} of table flow_runs cannot be read: .*\n", flow_runs.err
        )
        assert "double-0" in task_runs.out
        assert "of table task_runs cannot be read: there is no 'ODD'." in task_runs.err
        assert len(task_runs.err.splitlines()) == 1
        assert listed(prefect, "flow", "ls") == ["doubling"]
        assert listed(prefect, "flow-run", "ls", "--state", "failed") == ["bound-to-fail"]
        assert listed(prefect, "flow-run", "ls", "--tag", "nightly") == []
        assert listed(prefect, "flow-run", "ls", "--tag", "nightly", "--tag", "other") == []

    def test_are_explained_where_one_is_asked_for(self, prefect, damage):
        damage("UPDATE flow_runs SET created = 7 WHERE name = 'run-of-2'")
        damage("UPDATE task_runs SET states = '[{}]' WHERE name = 'double-1'")

        assert "of table flow_runs cannot be read" in prefect("flow-run", "inspect", "run-of-2", code=1).err
        assert "of table task_runs cannot be read" in prefect("task-run", "inspect", "double-1", code=1).err

    def test_are_deleted_by_their_id(self, prefect, damage):
        bad = prefect("flow-run", "ls", "-o", "json").json()[0]["id"]
        damage("UPDATE flow_runs SET tags = '{' WHERE name = 'run-of-2'")

        assert "cannot be read" in prefect("flow-run", "delete", "run-of-2", "-y", code=1).err
        assert f"Deleted flow run '?' ({bad})" in prefect("flow-run", "delete", bad, "-y").out
        assert listed(prefect, "flow-run", "ls") == ["bound-to-fail"]

    def test_with_text_that_is_no_utf8_are_explained(self, prefect, damage):
        damage("UPDATE flow_runs SET flow_version = CAST(x'ff' AS TEXT)")

        assert "holds text that makes no sense" in prefect("flow-run", "ls", code=1).err
