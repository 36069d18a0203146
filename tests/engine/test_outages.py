"""Runs whose store cannot be written: they go on, and it is said once."""

from __future__ import annotations

from pathlib import Path

import pytest

from prefect import flow, task
from prefect.recorder import get_recorder
from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL, PREFECT_HOME, temporary_settings


@pytest.mark.embedded
def test_a_home_that_cannot_be_made_costs_no_result(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    @task
    def double(x: int) -> int:
        return 2 * x

    @flow
    def main() -> list[int]:
        return double.map([1, 2]).result()

    (tmp_path / "file").touch()
    with temporary_settings(
        {PREFECT_HOME: tmp_path / "file" / "home", PREFECT_API_DATABASE_CONNECTION_URL: None}
    ):
        assert main() == main() == [2, 4]
        get_recorder().close()
    said = [record.getMessage() for record in caplog.records if "not recorded" in record.getMessage()]
    assert len(said) == 1
    assert f"The folder {tmp_path / 'file' / 'home'} cannot be made" in said[0]
