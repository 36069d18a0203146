from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prefect.settings import PREFECT_HOME, temporary_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path) -> Iterator[Path]:
    with temporary_settings({PREFECT_HOME: tmp_path / "home"}):
        yield tmp_path / "home"
