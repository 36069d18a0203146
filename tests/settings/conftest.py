"""A process-wide view of settings is set aside: each test reads its own environment, directory and home."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prefect.settings import Settings
from prefect.settings.context import refresh_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of the test's own, in an empty working directory."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    refresh_settings()
    yield tmp_path / "home"
    monkeypatch.undo()
    refresh_settings()


@pytest.fixture
def profile(home: Path) -> Callable[..., None]:
    """Write the user's file of profiles: `profile(PREFECT_API_URL="…")` makes the active one."""

    def write(**values: str) -> None:
        lines = [f"{name} = {value!r}" for name, value in values.items()]
        (home / "profiles.toml").write_text("\n".join(['active = "mine"', "[profiles.mine]", *lines]))

    return write


@pytest.fixture
def read() -> Callable[[], Settings]:
    """Read the settings as a new process would."""
    return refresh_settings
