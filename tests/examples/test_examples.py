"""Every example runs, offline, as a user runs it: `python examples/NAME.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


ON_CLUSTERS = {"dask_penguins", "ray_sweep"}
"""Which have tests of their own: a cluster takes a while to start."""


@pytest.mark.parametrize("name", sorted({path.stem for path in EXAMPLES.glob("*.py")} - ON_CLUSTERS))
def test_each_example_runs(name, run_python):
    run_python(EXAMPLES / f"{name}.py")


def test_hello_greets(run_python):
    done = run_python(EXAMPLES / "hello.py")

    assert "Hello, world!" in done.stdout + done.stderr


def test_async_fetch_asks_again_for_the_page_that_was_busy(run_python):
    done = run_python(EXAMPLES / "async_fetch.py")
    output = done.stdout + done.stderr

    assert "fetched 60 characters from 3 pages" in output
    assert "Retry 1/2" in output


def test_hooks_report_both_ends(run_python):
    done = run_python(EXAMPLES / "hooks.py")

    assert "shared: 3.0" in done.stdout
    assert ": Completed after attempt 1" in done.stdout
    assert ": Failed after attempt 2" in done.stdout
    assert "nobody gets anything" in done.stdout
    assert "the second run ended Failed" in done.stdout


def test_penguins_writes_its_report_under_the_run_name(run_python, tmp_path):
    done = run_python(EXAMPLES / "penguins.py", tmp_path / "reports")

    (report,) = (tmp_path / "reports").iterdir()
    text = report.read_text()
    assert text.startswith(f"# Penguins: {report.stem}\n")
    assert "| Gentoo on Biscoe | 119 | 5092 | 501 | 217 |" in text
    assert "- Adelie: males are 20% heavier than females." in text
    assert "attempt 2: wrote" in done.stdout + done.stderr
