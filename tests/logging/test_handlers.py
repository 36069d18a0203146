"""What the handlers store and show."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger
from prefect.logging.configuration import ensure_logging_setup
from prefect.logging.handlers import APILogHandler, PrefectConsoleHandler
from prefect.logging.highlighters import PrefectConsoleHighlighter
from prefect.logging.styles import ansi
from prefect.recorder import get_recorder
from prefect.schemas.objects import Log
from prefect.settings import (
    PREFECT_DEBUG_MODE,
    PREFECT_LOGGING_COLORS,
    PREFECT_LOGGING_EXTRA_LOGGERS,
    PREFECT_LOGGING_MARKUP,
    PREFECT_LOGGING_TO_API_ENABLED,
    PREFECT_LOGGING_TO_API_MAX_LOG_SIZE,
    PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW,
    temporary_settings,
)

Stored = Callable[[], list[Log]]
Enter = Callable[..., Any]
Capsys = pytest.CaptureFixture[str]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def test_the_console_shows_records_of_runs_by_their_names(in_task: Enter, capsys: Capsys) -> None:
    with in_task():
        get_run_logger().info("loaded")
    ensure_logging_setup()
    logging.getLogger("prefect.x").warning("hm")
    first, second = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} \| INFO    \| Task run 'load-0' - loaded", first)
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} \| WARNING \| prefect.x - hm", second)


def test_a_record_of_an_unknown_run_is_shown_all_the_same(capsys: Capsys) -> None:
    ensure_logging_setup()
    with temporary_settings({PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore"}):
        logging.getLogger("prefect.flow_runs").info("by hand")
    assert "| prefect.flow_runs - by hand" in capsys.readouterr().err


def test_without_a_run_a_record_is_not_stored_and_that_is_said_as_the_settings_want(stored: Stored) -> None:
    ensure_logging_setup()
    logger = logging.getLogger("prefect.flow_runs")
    with pytest.warns(UserWarning, match="without a flow run id") as warned:
        logger.info("warn")
    assert warned[0].filename == __file__
    with (
        temporary_settings({PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "error"}),
        pytest.raises(MissingContextError),
    ):
        logger.info("error")
    with temporary_settings({PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore"}):
        logger.info("ignore")
    assert stored() == []


def test_storing_can_be_switched_off_for_all_and_for_one(in_flow: Enter, stored: Stored) -> None:
    with in_flow():
        with temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: False}):
            get_run_logger().info("not stored")
        get_run_logger().info("not this one", extra={"send_to_api": False})
        get_run_logger().info("this one")
    assert [log.message for log in stored()] == ["this one"]


def test_extra_loggers_are_stored_with_the_run_they_are_used_in(in_task: Enter, stored: Stored) -> None:
    with temporary_settings({PREFECT_LOGGING_EXTRA_LOGGERS: ["a_library"]}):
        logging.getLogger("a_library").info("before the set-up")
        with in_task() as context:
            get_run_logger()
            logging.getLogger("a_library.part").info("inside")
        logging.getLogger("a_library").info("outside, and no fuss is made")
    (log,) = stored()
    assert (log.name, log.message, log.task_run_id) == ("a_library.part", "inside", context.task_run.id)


def test_extra_loggers_are_stored_from_tasks_alone_and_in_worker_processes(
    run_python: Callable[..., Any], tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        """
import logging
from prefect import flow, task
from prefect.client.local import get_local_client
from prefect.operations import read_logs
from prefect.recorder import get_recorder
from prefect.schemas.queries import LogQuery
from prefect.task_runners import ProcessPoolTaskRunner

@task
def load(number):
    logging.getLogger("a_library").info("number %s", number)

@flow(task_runner=ProcessPoolTaskRunner(max_workers=1))
def nightly():
    load.submit(2).wait()

if __name__ == "__main__":
    load(1)
    nightly()
    get_recorder().flush()
    logs = get_local_client().call(read_logs, LogQuery())
    print([log.message for log in logs if log.name == "a_library" and log.task_run_id])
"""
    )
    done = run_python(script, env={"PREFECT_LOGGING_EXTRA_LOGGERS": "a_library"})
    assert done.stdout == "['number 1', 'number 2']\n"


def test_an_extra_logger_keeps_a_level_of_its_own(in_task: Enter, stored: Stored) -> None:
    logging.getLogger("a_library").setLevel(logging.ERROR)
    with temporary_settings({PREFECT_LOGGING_EXTRA_LOGGERS: ["a_library"]}), in_task():
        get_run_logger()
        logging.getLogger("a_library").warning("unheard")
    assert stored() == []


def test_a_long_line_is_cut_and_says_so(in_flow: Enter, stored: Stored) -> None:
    with temporary_settings({PREFECT_LOGGING_TO_API_MAX_LOG_SIZE: 1_000}), in_flow():
        get_run_logger().info("ä" * 1_000)
        get_run_logger().info("ä" * 500)
    cut, whole = (log.message for log in stored())
    assert len(cut.encode()) <= 1_000
    assert cut.startswith("ä" * 450)
    assert cut.endswith("… [2,000 bytes, cut to 1,000]")
    assert whole == "ä" * 500


@settings(deadline=None)
@given(st.text(), st.integers(min_value=100, max_value=400))
def test_a_line_is_never_longer_than_the_settings_allow(text: str, most: int) -> None:
    record = logging.LogRecord("prefect.flow_runs", 20, __file__, 1, "%s", (text * 50,), None)
    record.flow_run_id = str(uuid4())
    with temporary_settings({PREFECT_LOGGING_TO_API_MAX_LOG_SIZE: most}):
        log = APILogHandler().prepare(record)
    assert log is not None
    assert len(log.message.encode("utf-8", "backslashreplace")) <= most
    assert text * 50 == log.message or "cut to" in log.message


def test_a_traceback_has_the_users_frames_only(in_flow: Enter, stored: Stored, capsys: Capsys) -> None:
    def fail() -> None:
        ansi(None)  # type: ignore[arg-type]

    with in_flow():
        for debug in (False, True):
            with temporary_settings({PREFECT_DEBUG_MODE: debug}):
                try:
                    fail()
                except AttributeError:
                    get_run_logger().exception("oops")
    short, whole = (log.message for log in stored())
    assert short.startswith("oops\nTraceback (most recent call last):\n")
    assert "in fail" in short
    assert "styles.py" not in short
    assert "styles.py" in whole
    assert short in capsys.readouterr().err


def test_causes_are_shown_without_the_engines_frames_too(in_flow: Enter, stored: Stored) -> None:
    with in_flow():
        try:
            try:
                ansi(None)  # type: ignore[arg-type]
            except AttributeError as error:
                raise KeyError("outer") from error
        except KeyError:
            get_run_logger().exception("oops")
    (log,) = stored()
    assert "direct cause" in log.message
    assert "styles.py" not in log.message


MALFORMED = """
import sqlite3
from prefect import flow, get_run_logger
from prefect.settings import get_current_settings

@flow
def logs():
    get_run_logger().info("%d", "no number")
    get_run_logger().info("good")

logs()
record = sqlite3.connect(get_current_settings().home / "prefect.db")
print([message for (message,) in record.execute("SELECT message FROM logs ORDER BY id")][1:-1])
"""


def test_a_message_that_cannot_be_formatted_harms_nobody(run_python: Any) -> None:
    # In a child process, because pytest's own handler fails a test that logs such a message.
    done = run_python("-c", MALFORMED)
    assert done.stdout == "['good']\n"
    assert "Logging error" in done.stderr


def test_what_the_store_logs_while_it_is_written_is_not_stored(in_flow: Enter, stored: Stored) -> None:
    handler = APILogHandler()
    logger = logging.getLogger("a_library")
    logger.addHandler(handler)

    class Loud(str):
        def __str__(self) -> str:
            logger.error("from within")
            return "message"

    with in_flow():
        record = logging.LogRecord("prefect.flow_runs", 20, __file__, 1, "x", (), None)
        log = handler.prepare(record)
        assert log is not None
        log.message = Loud("message")
        get_recorder().log(log)
    assert len(stored()) <= 1


def test_a_hundred_thousand_lines_are_all_stored(in_flow: Enter, home: object) -> None:
    with in_flow():
        logger = get_run_logger()
        logging.getLogger("prefect").handlers.clear()
        for number in range(100_000):
            logger.info("line %s", number)
    assert get_recorder().flush()
    from prefect.store import open_store

    assert _count(open_store().url) == 100_000


def _count(url: str) -> int:
    import sqlite3

    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        (count,) = connection.execute("select count(distinct message) from logs").fetchone()
    connection.close()
    return int(count)


def test_a_terminal_gets_colours(in_flow: Enter, terminal: Terminal) -> None:
    with in_flow(), redirect_stderr(terminal):
        get_run_logger().info("Finished in state Completed()")
    assert f"{ansi('cyan')}INFO\x1b[0m" in terminal.getvalue()
    assert f"Flow run {ansi('magenta')}'calm-fox'\x1b[0m" in terminal.getvalue()
    assert f"{ansi('green')}Completed\x1b[0m()" in terminal.getvalue()


def test_colours_can_be_switched_off(
    in_flow: Enter, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_flow(), redirect_stderr(terminal):
        with temporary_settings({PREFECT_LOGGING_COLORS: False}):
            get_run_logger().info("by setting")
        monkeypatch.setenv("NO_COLOR", "1")
        get_run_logger().info("by NO_COLOR")
    assert "by NO_COLOR" in terminal.getvalue()
    assert "\x1b" not in terminal.getvalue()


def test_markup_is_rendered_where_it_is_wanted(in_flow: Enter, terminal: Terminal, stored: Stored) -> None:
    with temporary_settings({PREFECT_LOGGING_MARKUP: True}), in_flow(), redirect_stderr(terminal):
        get_run_logger().info("[bold red]hot[/] [not a style] [1]")
    assert f"{ansi('bold red')}hot\x1b[0m [not a style] [1]" in terminal.getvalue()


def test_a_console_that_cannot_show_a_letter_shows_its_code() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")
    handler = PrefectConsoleHandler(stream=stream)
    handler.emit(logging.LogRecord("x", 20, __file__, 1, "naïve", (), None))
    stream.seek(0)
    assert stream.read() == "na\\xefve\n"


@settings(deadline=None)
@given(st.text())
def test_colouring_changes_no_letter(text: str) -> None:
    plain = text.replace("\x1b", "")
    coloured = PrefectConsoleHighlighter()(plain)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain
