"""Settings that say what runs do unless they say otherwise."""

from __future__ import annotations

import logging

import pytest

from prefect import flow, task
from prefect.settings import temporary_settings
from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner


@task
def speak(text: str) -> None:
    print(text)


@flow
def speaking() -> None:
    print("flow")
    speak("task")


@pytest.mark.parametrize("log_prints", [True, False])
def test_prints_are_logged(log_prints, caplog, capsys):
    with temporary_settings({"PREFECT_LOGGING_LOG_PRINTS": log_prints}), caplog.at_level(logging.INFO):
        speaking()
        speak("alone")

    logged = [record.getMessage() for record in caplog.records]
    assert [text in logged for text in ("flow", "task", "alone")] == [log_prints] * 3
    assert ("alone" not in capsys.readouterr().out.splitlines()) == log_prints


@pytest.mark.parametrize(
    ("runner", "setting"),
    [
        (ThreadPoolTaskRunner, "PREFECT_TASKS_RUNNER_THREAD_POOL_MAX_WORKERS"),
        (ProcessPoolTaskRunner, "PREFECT_TASKS_RUNNER_PROCESS_POOL_MAX_WORKERS"),
    ],
)
def test_pools_have_as_many_workers_as_settings_say_unless_code_does(runner, setting):
    with temporary_settings({setting: 3}):
        assert runner().max_workers == runner().duplicate().max_workers == 3
        assert runner(max_workers=2).max_workers == 2
