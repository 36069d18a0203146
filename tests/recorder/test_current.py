"""The recorder of the current settings, over a real store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from uuid import uuid4

from prefect.recorder import get_recorder
from prefect.schemas.objects import Log, TaskRun, TaskRunRecord
from prefect.schemas.states import State, StateType
from prefect.settings import PREFECT_HOME, temporary_settings
from prefect.store import open_store
from prefect.store.statements import TASK_RUN_BY_ID
from prefect.types import now

RunPython = Callable[..., "CompletedProcess[str]"]

LOG_FROM_CHILD = """
import sys
from uuid import uuid4
from prefect.recorder import get_recorder
from prefect.schemas.objects import Log
from prefect.types import now

def say(text):
    get_recorder().log(Log(name="x", level=20, message=text, timestamp=now(), flow_run_id=uuid4()))
"""
COUNT = """
import sqlite3, pathlib, os
file = pathlib.Path(os.environ["PREFECT_HOME"]) / "prefect.db"
rows = [row[0] for row in sqlite3.connect(file).execute("select message from logs order by id")]
"""


def say(message: str) -> None:
    get_recorder().log(Log(name="x", level=20, message=message, timestamp=now(), flow_run_id=uuid4()))


def messages(home: Path) -> list[str]:
    store = open_store(f"sqlite:///{home / 'prefect.db'}")
    with store.reading() as connection:
        return [str(row[0]) for row in connection._raw.execute("select message from logs order by id")]  # type: ignore[attr-defined]


def test_each_store_has_its_own_recorder(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with temporary_settings({PREFECT_HOME: tmp_path / name}):
            say(name)
            assert get_recorder() is get_recorder()
            assert get_recorder().flush()
    assert messages(tmp_path / "one") == ["one"]
    assert messages(tmp_path / "two") == ["two"]


def test_asking_for_the_recorder_opens_no_store(tmp_path: Path) -> None:
    with temporary_settings({PREFECT_HOME: tmp_path / "home"}):
        assert get_recorder().flush()
    assert not (tmp_path / "home").exists()


def test_a_task_run_and_its_history_are_durable_after_flush(tmp_path: Path) -> None:
    run = TaskRun(task_key="t", dynamic_key="0", name="t-0")
    record = TaskRunRecord(run=run, states=[])
    with temporary_settings({PREFECT_HOME: tmp_path}):
        for kind in (StateType.PENDING, StateType.RUNNING, StateType.COMPLETED):
            record.states.append(State(type=kind))
            get_recorder().task_run(record)
        assert get_recorder().flush()
        assert len(open_store().fetch(TASK_RUN_BY_ID, (run.id.hex,))) == 1


def test_a_hundred_thousand_lines_in_a_burst_are_all_stored_in_order(tmp_path: Path) -> None:
    with temporary_settings({PREFECT_HOME: tmp_path}):
        recorder, run, moment = get_recorder(), uuid4(), now()
        for number in range(100_000):
            recorder.log(Log(name="x", level=20, message=str(number), timestamp=moment, flow_run_id=run))
        assert recorder.close()
    assert messages(tmp_path) == [str(number) for number in range(100_000)]


def test_a_process_that_ends_at_once_loses_nothing(run_python: RunPython, tmp_path: Path) -> None:
    run_python("-c", LOG_FROM_CHILD + "say('last words')\nsys.exit(0)")
    assert messages(tmp_path / "home") == ["last words"]


def test_a_process_that_raises_loses_nothing(run_python: RunPython, tmp_path: Path) -> None:
    run_python("-c", LOG_FROM_CHILD + "say('last words')\nraise SystemExit(3)", check=False)
    assert messages(tmp_path / "home") == ["last words"]


def test_children_of_multiprocessing_lose_nothing(run_python: RunPython, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        LOG_FROM_CHILD
        + """
import multiprocessing
if __name__ == "__main__":
    say("parent")
    for method in ("fork", "spawn", "forkserver"):
        child = multiprocessing.get_context(method).Process(target=say, args=(method,))
        child.start()
        child.join()
        assert child.exitcode == 0
"""
    )
    run_python("-W", "ignore", script)
    assert sorted(messages(tmp_path / "home")) == ["fork", "forkserver", "parent", "spawn"]


def test_a_store_that_cannot_be_written_is_said_on_stderr_and_ends_nothing(
    run_python: RunPython, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    home = tmp_path / "file" / "home"
    done = run_python(
        "-c", LOG_FROM_CHILD + "say('a'); say('b'); print('done')", env={"PREFECT_HOME": str(home)}
    )
    assert done.stdout == "done\n"
    assert "PREFECT_HOME" in done.stderr
    assert "2 records" in done.stderr
    assert "Traceback" not in done.stderr
