"""The examples that run on clusters."""

from __future__ import annotations

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
pytestmark = pytest.mark.processes


def test_the_sweep_names_its_files_after_its_runs(run_python, tmp_path):
    done = run_python(EXAMPLES / "ray_sweep.py", tmp_path / "sweeps")

    (folder,) = (tmp_path / "sweeps").iterdir()
    assert "12 of 12: growth-" in done.stdout + done.stderr
    assert "3 of 12 come to rest" in done.stdout
    text = (folder / "growth-2.8-start-0.2.txt").read_text()
    assert text == f"{folder.name} growth-2.8-start-0.2: 0.000000\n"
    assert len(list(folder.iterdir())) == 13


def test_the_bootstrap_over_dask_writes_a_report(run_python, tmp_path):
    done = run_python(EXAMPLES / "dask_penguins.py", tmp_path / "reports")

    (report,) = (tmp_path / "reports").iterdir()
    text = report.read_text()
    assert text.startswith(f"# Penguins: {report.stem}\n")
    assert "15 of 15 parts are done" in done.stdout + done.stderr
    low, high = (int(word) for word in text.splitlines()[-1].split("|")[2].split("to"))
    assert low < 5076 < high  # the mean of all Gentoos
