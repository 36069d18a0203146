"""No API key in logs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefect.logging import get_run_logger
from prefect.logging.filters import redact_substr
from prefect.schemas.objects import Log
from prefect.settings import PREFECT_API_KEY, temporary_settings


def test_the_api_key_is_neither_shown_nor_stored(
    in_flow: Callable[..., Any], stored: Callable[[], list[Log]], capsys: pytest.CaptureFixture[str]
) -> None:
    with temporary_settings({PREFECT_API_KEY: "pnu_canary"}), in_flow():
        get_run_logger().info("key pnu_canary in %s and %s", {"a": ["pnu_canary"]}, ("pnu_canary",))
    (log,) = stored()
    assert "pnu_canary" not in log.message + capsys.readouterr().err
    assert log.message.count("********") == 3


@settings(deadline=None)
@given(
    st.recursive(
        st.text() | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_redacting_what_is_not_there_changes_nothing(value: object) -> None:
    assert redact_substr(value, "\x00 a secret \x00") == value


def test_records_pass() -> None:
    from prefect.logging.filters import ObfuscateApiKeyFilter

    assert ObfuscateApiKeyFilter().filter(logging.LogRecord("x", 20, "", 1, "x", (), None))
