"""The command line, called in this process, on a home of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from prefect.cli import main
from prefect.settings.context import refresh_settings


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Read what it printed, which must be one JSON document and nothing else."""
        return json.loads(self.out)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of the test's own, in an empty working directory."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    refresh_settings()
    yield tmp_path / "home"
    monkeypatch.undo()
    refresh_settings()


@pytest.fixture
def prefect(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run a command as a new process would: `prefect("config", "view")`. It must end with `code`."""

    def run(*words: str, code: int = 0) -> Done:
        refresh_settings()
        capsys.readouterr()
        ended = main(words)
        done = Done(ended, *capsys.readouterr())
        assert done.code == code, done
        return done

    return run
