"""Code that users write: on the embedded store, and with a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prefect.settings.context import temporary_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path) -> Iterator[Any]:
    """A store of the test's own."""
    with temporary_settings({"PREFECT_HOME": str(tmp_path)}):
        yield tmp_path
