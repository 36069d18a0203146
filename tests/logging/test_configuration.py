"""How the loggers are set up."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from prefect.exceptions import ConfigurationError
from prefect.logging import get_run_logger
from prefect.logging.configuration import (
    DEFAULT_LOGGING_SETTINGS_PATH,
    PROCESS_LOGGING_CONFIG,
    ensure_logging_setup,
    load_logging_config,
    setup_logging,
    take_current_level,
)
from prefect.logging.defaults import default_config
from prefect.logging.handlers import APILogHandler, PrefectConsoleHandler
from prefect.schemas.states import State, StateType
from prefect.settings import PREFECT_LOGGING_LEVEL, PREFECT_LOGGING_SETTINGS_PATH, temporary_settings

RunPython = Callable[..., "CompletedProcess[str]"]
Enter = Callable[..., Any]


@pytest.fixture
def custom(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Write a logging.yml that counts."""
    path = tmp_path / "custom.yml"
    with temporary_settings({PREFECT_LOGGING_SETTINGS_PATH: path}):
        yield path.write_text  # type: ignore[misc]


def facts(name: str | None) -> tuple[Any, ...]:
    logger = logging.getLogger(name)
    handlers = [
        (type(one), one.level, getattr(one.formatter, "_fmt", None), len(one.filters))
        for one in logger.handlers
        if isinstance(one, APILogHandler | PrefectConsoleHandler)
    ]
    return logger.level, logger.propagate, handlers


def test_importing_and_getting_a_logger_sets_nothing_up(run_python: RunPython) -> None:
    code = """
import logging, prefect.logging, prefect.logging.loggers, threading
prefect.logging.get_logger("x").debug("x")
print(logging.getLogger("prefect").handlers, logging.getLogger().handlers, threading.active_count())
"""
    assert run_python("-c", code).stdout == "[] [] 1\n"


def test_the_file_to_start_from_says_what_applies() -> None:
    assert yaml.safe_load(DEFAULT_LOGGING_SETTINGS_PATH.read_text()) == default_config()


def test_the_usual_set_up_is_what_logging_config_makes_of_the_file(custom: Callable[[str], None]) -> None:
    names = ("prefect", "prefect.flow_runs", "prefect.task_runs", "prefect.extra")
    with temporary_settings({PREFECT_LOGGING_LEVEL: "WARNING"}):
        setup_logging()
        usual = [facts(name) for name in names]
        text = DEFAULT_LOGGING_SETTINGS_PATH.read_text()
        custom(text[: text.index("# Other libraries.")])
        setup_logging()
    assert [facts(name) for name in names] == usual
    assert usual[0][0] == logging.WARNING


def test_it_is_done_once(capsys: pytest.CaptureFixture[str]) -> None:
    ensure_logging_setup()
    config = dict(PROCESS_LOGGING_CONFIG)
    ensure_logging_setup()
    setup_logging()
    assert config == PROCESS_LOGGING_CONFIG
    logging.getLogger("prefect.x").info("once")
    assert capsys.readouterr().err.count("once") == 1


def test_what_later_runs_ask_for_in_a_process_is_taken() -> None:
    with temporary_settings({PREFECT_LOGGING_LEVEL: "WARNING"}):
        setup_logging()
    try:
        for level, taken in (("ERROR", "WARNING"), ("INFO", "INFO"), ("WARNING", "INFO"), ("DEBUG", "DEBUG")):
            with temporary_settings({PREFECT_LOGGING_LEVEL: level}):
                take_current_level()
                assert logging.getLogger("prefect.task_runs").getEffectiveLevel() == getattr(logging, taken)
    finally:
        setup_logging()


def test_handlers_of_the_program_stay(capsys: pytest.CaptureFixture[str]) -> None:
    theirs = logging.NullHandler()
    logging.getLogger("prefect").addHandler(theirs)
    logging.getLogger().addHandler(theirs)
    setup_logging()
    assert theirs in logging.getLogger("prefect").handlers
    assert not any(isinstance(one, PrefectConsoleHandler) for one in logging.getLogger().handlers)


def test_a_file_of_the_users_replaces_the_usual(
    custom: Callable[[str], None], in_flow: Enter, capsys: pytest.CaptureFixture[str]
) -> None:
    custom(
        """
version: 1
disable_existing_loggers: false
formatters:
    json: {(): prefect.logging.formatters.JsonFormatter, fmt: default}
handlers:
    console: {class: logging.StreamHandler, formatter: json, stream: ext://sys.stderr}
loggers:
    prefect: {level: "${PREFECT_LOGGING_LEVEL}", handlers: [console], propagate: false}
"""
    )
    with in_flow():
        get_run_logger().info("as %s, %s", "json", State(type=StateType.COMPLETED, data="not shown"))
        get_run_logger().debug("too quiet")
        try:
            raise KeyError("k")
        except KeyError:
            get_run_logger().exception("oops")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["message"], first["flow_run_name"], first["severity"]) == (
        "as json, Completed()",
        "calm-fox",
        "INFO",
    )
    assert first["args"] == ["json", "Completed()"]
    assert second["exc_info"]["type"] == "KeyError"
    assert "raise KeyError" in second["exc_info"]["traceback"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "cannot be read"),
        ("- a list", "must be a mapping"),
        ("version: 1\nhandlers: {console: {class: no.such.Handler}}", "no.such"),
        ("version: 1\nloggers: {prefect: {level: LOUD}}", "LOUD"),
    ],
)
def test_a_bad_file_is_an_error_that_names_it(custom: Callable[[str], None], text: str, problem: str) -> None:
    custom(text)
    with pytest.raises(ConfigurationError, match=problem) as raised:
        setup_logging()
    assert "custom.yml" in str(raised.value)


def test_variables_go_before_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_LOGGING_LOGGERS_PREFECT_LEVEL", "ERROR")
    monkeypatch.setenv("PREFECT_LOGGING_FORMATTERS_STANDARD_FLOW_RUN_FMT", "F %(message)s")
    monkeypatch.setenv("PREFECT_LOGGING_LOGGERS_PREFECT_EXTRA_HANDLERS", "api, console")
    config = load_logging_config(DEFAULT_LOGGING_SETTINGS_PATH)
    assert config["loggers"]["prefect"]["level"] == "ERROR"
    assert config["formatters"]["standard"]["flow_run_fmt"] == "F %(message)s"
    assert config["loggers"]["prefect.extra"]["handlers"] == ["api", "console"]
    setup_logging()
    assert logging.getLogger("prefect").level == logging.ERROR


def test_incremental_changes_levels_only(monkeypatch: pytest.MonkeyPatch) -> None:
    setup_logging()
    before = list(logging.getLogger("prefect").handlers)
    with temporary_settings({PREFECT_LOGGING_LEVEL: "ERROR"}):
        setup_logging(incremental=True)
    assert logging.getLogger("prefect").level == logging.ERROR
    assert logging.getLogger("prefect").handlers == before
