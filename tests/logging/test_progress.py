"""The progress line."""

from __future__ import annotations

import io
import logging
import re
from contextlib import redirect_stderr

import pytest

from prefect.logging import progress
from prefect.logging.configuration import ensure_logging_setup
from prefect.logging.progress import Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal, and can be read as one shows it."""

    def isatty(self) -> bool:
        return True

    def lines(self) -> list[str]:
        return [line.split("\r\x1b[2K")[-1] for line in self.getvalue().split("\n")]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal()
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    return made


def test_it_says_how_far_things_are_and_is_taken_away(terminal: Terminal) -> None:
    with redirect_stderr(terminal), Progress(2_000, "load") as line:
        line.advance(500)
        assert re.fullmatch(r"load █{7}░{23} 500/2,000 [\d,]+/s", terminal.lines()[-1])
        line.advance(1_500)
        assert "█" * 30 in terminal.lines()[-1]
    assert terminal.lines() == [""]


def test_where_no_terminal_is_it_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(2, "load") as line:
        line.advance()
        line.advance()
    assert capsys.readouterr().err == ""


def test_it_is_not_drawn_for_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 3_600.0)
    terminal = Terminal()
    with Progress(1_000, "load", stream=terminal) as line:
        for _ in range(999):
            line.advance()
        assert terminal.getvalue() == ""
        line.advance()
        assert "1,000/1,000" in terminal.getvalue()


def test_log_lines_stand_above_it(terminal: Terminal) -> None:
    ensure_logging_setup()
    with redirect_stderr(terminal), Progress(10, "load") as line:
        line.advance()
        logging.getLogger("prefect.x").info("a line")
        first, second = terminal.lines()
        assert first.endswith("prefect.x - a line") or "a line" in first
        assert second.startswith("load")


def test_of_two_at_once_the_first_is_shown(terminal: Terminal) -> None:
    with redirect_stderr(terminal), Progress(10, "outer") as outer, Progress(10, "inner") as inner:
        inner.advance()
        assert terminal.getvalue() == ""
        outer.advance()
        assert terminal.lines()[-1].startswith("outer")
