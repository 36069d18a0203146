"""Settings that say what runs do unless they say otherwise."""

from __future__ import annotations

import logging

import pytest

from prefect import flow, task
from prefect.settings import temporary_settings


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
