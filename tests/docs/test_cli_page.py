"""docs/cli.md shows the help and the sessions that the command line really gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from prefect.cli import GROUPS, main
from prefect.settings.context import refresh_settings

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_HOME", "/home/me/.prefect")
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(tmp_path / "profiles.toml"))
    monkeypatch.setenv("COLUMNS", "90")
    yield
    monkeypatch.undo()
    refresh_settings()


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.partition("\n")[0])
def test_a_session_goes_as_shown(session, capsys):
    for words, shown in re.findall(r"^\$ prefect (.*)\n((?:(?!\$ ).*\n)*)", session, re.MULTILINE):
        refresh_settings()
        assert main(words.split()) == 0
        printed = re.sub(r"PREFECT_PROFILES_PATH=.*\n", "", capsys.readouterr().out)
        # Versions of Python wrap usages differently.
        assert shown.split() == printed.split()


def test_every_group_is_on_the_page():
    assert [name for name in GROUPS if f"prefect {name}" not in PAGE] == []
