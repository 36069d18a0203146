"""The benchmarks run: every workload gives its figures, and the table can be made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize(
    ("workload", "figures"),
    [
        ("import", {"seconds", "modules"}),
        ("hello", set()),
        ("call", {"seconds", "durable"}),
        ("submit", {"seconds"}),
        ("map", {"seconds"}),
        ("gather", {"seconds"}),
        ("subflow", {"seconds"}),
        ("runtime", {"seconds"}),
        ("memory", {"seconds", "resident", "growth"}),
    ],
)
def test_each_workload_gives_its_figures(workload, figures, run_python):
    done = run_python(BENCHMARKS / "workloads.py", workload, "20")

    assert json.loads(done.stdout.splitlines()[-1]).keys() == figures


def test_rows_can_be_measured_without_the_peer(run_python):
    done = run_python(BENCHMARKS / "run.py", "--quick", "--no-peer", "--only", "modules", "--json")

    (row,) = json.loads(done.stdout)["rows"]
    assert row["name"] == "modules"
    assert row["ours"] > 0
    assert row["theirs"] is None


def test_the_table_is_put_between_the_marks(run_python, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n")

    run_python(BENCHMARKS / "run.py", "--quick", "--no-peer", "--only", "modules", "--write", page)

    text = page.read_text()
    assert text.startswith("before\n<!-- bench -->\nMeasured ")
    assert "| modules that loads |" in text
    assert text.endswith("|\n<!-- /bench -->\nafter\n")
    assert "old" not in text


def test_an_unknown_row_is_named(run_python):
    done = run_python(BENCHMARKS / "run.py", "--only", "speed", check=False)

    assert done.returncode
    assert "no such rows: speed; there are import, modules" in done.stderr


def test_our_server_can_be_measured_without_the_peer(run_python):
    done = run_python(BENCHMARKS / "server.py", "--count", "20")

    assert "| flow run created, 4 connections |" in done.stdout


def test_a_pass_of_the_scheduler_can_be_measured(run_python):
    done = run_python(BENCHMARKS / "scheduler.py", "--count", "20")

    assert "| scheduler pass over 10,000 deployments |" in done.stdout


@pytest.mark.processes
def test_tasks_on_clusters_can_be_measured_and_put_beside_the_other_rows(run_python, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- bench -->\n<!-- /bench -->\nafter\n")
    some = (BENCHMARKS / "clusters.py", "--quick", "--only", "bytes", "--write", page)

    run_python(*some)
    measured = page.read_text()
    row = "| memory that 100,000 tasks add here | 9 MB | - | - | 100 MB | yes |\n"
    page.write_text(measured.replace("<!-- /bench -->", f"{row}<!-- /bench -->"))
    run_python(*some)
    both = page.read_text()
    page.write_text(both.replace("Measured 20", "Measured 19"))
    refused = run_python(*some, check=False)

    assert "| bytes that travel for a task |" in measured
    assert both == measured.replace("<!-- /bench -->", f"{row}<!-- /bench -->")
    assert "has other figures (Measured 19" in refused.stderr
