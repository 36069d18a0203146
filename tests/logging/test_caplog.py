"""pytest's caplog hears runs."""

from __future__ import annotations

import logging

import pytest

from prefect.logging import get_run_logger
from prefect.logging.configuration import setup_logging
from prefect.testing import run_context
from prefect.testing.caplog import CaplogBridge


@pytest.fixture(autouse=True)
def bridge(fresh_loggers: None) -> None:
    logging.getLogger("prefect").addHandler(CaplogBridge())


def test_caplog_hears_the_logger_of_a_run_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    setup_logging()
    with run_context():
        get_run_logger().info("hello %s", "tests")
    assert caplog.messages == ["hello tests"]


def test_caplog_hears_it_before_the_loggers_are_set_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="prefect")
    logging.getLogger("prefect.x").info("early")
    assert caplog.messages == ["early"]


def test_the_level_that_caplog_wants_counts(caplog: pytest.LogCaptureFixture) -> None:
    setup_logging()
    caplog.handler.setLevel(logging.ERROR)
    logging.getLogger("prefect.x").warning("too quiet")
    assert caplog.messages == []
    caplog.handler.setLevel(0)
