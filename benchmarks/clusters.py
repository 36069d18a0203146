"""Measure tasks on clusters beside bare Dask and bare Ray, and Prefect 3.8.8 with prefect-dask if given.

`python benchmarks/clusters.py --peer /path/to/its/python`. What is compared with bare Dask or Ray is compared
in one process, by turns. Of small tasks the peer is given fewer, since it takes many times as long for each.

`--write docs/dask.md` puts the table into the page; with `--only`, these rows alone, beside what was measured
on the same day and machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from run import MB, MS, Result, Row, machine, table, write_into

HERE = Path(__file__).parent
SETTINGS = {
    "PREFECT_LOGGING_LEVEL": "ERROR",
    # The peer starts a server for its flows; on a busy machine that takes longer than its usual 20 seconds.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
}
ROWS = [
    Row("dask", "no-op task on Dask, over bare `distributed`", "dask", "ratio", "x", 1, 1.3, 3000, 100),
    Row("tasks", "each of 10,000 tasks mapped on Dask, until all results are there",
        "tasks", "seconds", "ms", MS, 3, 10_000, 200),
    Row("ray", "no-op task on Ray, over bare", "ray", "ratio", "x", 1, 1.3, 3000, 100, against_peer=False),
    Row("bytes", "bytes that travel for a task", "bytes", "bytes", "B", 1, 2048, 1, 1, against_peer=False),
    Row("many", "memory that 100,000 tasks add here",
        "many", "memory", "MB", MB, 100, 100_000, 200, against_peer=False),
    Row(
        "threads", "1 GB array to the next task, threads, over a small one",
        "array", "threads", "ms", MS, 1, 10**9, 10**6,
    ),
    Row("array", "1 GB array to the next task, Dask", "array", "dask", "ms", MS, 100, 10**9, 10**6),
    Row(
        "trips", "times that 1 GB travels to two tasks of another worker",
        "trips", "runner_trips", "", 1, 1.01, 10**9, 10**6,
    ),
    Row("trip", "… and how long that takes, over bare", "trips", "ratio", "x", 1, 1.3, 10**9, 10**6),
]  # fmt: skip
PEER_COUNTS = {"dask": 100, "tasks": 1_000}
"""How many small tasks the peer is given; a figure is one of each task, or a ratio."""


def run(python: str, workload: str, count: int) -> dict[str, float]:
    """Run a workload with a Python, in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as home:
        environment = {**os.environ, **SETTINGS, "PREFECT_HOME": home}
        if python != sys.executable:
            # The peer starts a server in each process, on one database: they must not all make its tables.
            upgrade = [python, "-m", "prefect", "server", "database", "upgrade", "-y"]
            subprocess.run(upgrade, env=environment, capture_output=True, timeout=600)
        done = subprocess.run(
            [python, str(HERE / "cluster_workloads.py"), workload, str(count)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=3600,
        )
    if done.returncode:
        raise SystemExit(f"{workload} failed with {python}:\n{done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def parcel() -> dict[str, float]:
    """Measure what is sent for a task that is given a number."""
    from prefect import flow, task
    from prefect.task_runners.remote import RemoteRun

    @task
    def noop(x: int) -> int:
        return x

    @flow
    def main() -> int:
        return len(RemoteRun(noop, {"x": 1}, None, owner=None).pack()[1].parcel)

    return {"bytes": main()}


def wanted() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--peer", help="the Python of an environment with prefect-dask and numpy", metavar="PYTHON"
    )
    parser.add_argument("--quick", action="store_true", help="fewer tasks, smaller arrays")
    parser.add_argument("--only", nargs="*", choices=[row.name for row in ROWS], help="these rows alone")
    parser.add_argument("--write", type=Path, help="put the table into this page", metavar="docs/dask.md")
    return parser.parse_args()


def measured(asked: argparse.Namespace) -> Iterator[Result]:
    """Measure what is asked for; rows that share a workload share its run."""
    seen: dict[tuple[str, str], dict[str, float]] = {}

    def figure(python: str, row: Row) -> float:
        found = seen.get((python, row.workload))
        if found is None:
            count = row.quick_count if asked.quick else row.count
            if python != sys.executable:
                count = min(count, PEER_COUNTS.get(row.workload, count))
            found = parcel() if row.workload == "bytes" else run(python, row.workload, count)
            seen[python, row.workload] = found
        return found[row.figure] * row.per_unit

    for row in ROWS:
        if not asked.only or row.name in asked.only:
            theirs = None
            if asked.peer and row.against_peer:
                try:
                    theirs = figure(asked.peer, row)
                except (SystemExit, subprocess.TimeoutExpired) as error:
                    # It has no numpy, say: ours is to be measured all the same.
                    print(error, file=sys.stderr)
            yield Result(row, figure(sys.executable, row), theirs)


def beside(page: Path, text: str) -> str:
    """Return a table of some rows with those that the page has of the others.

    Args:
        page: The page.
        text: The table.

    Raises:
        SystemExit: What the page has was measured on another day or machine.
    """
    before = page.read_text(encoding="utf-8").partition("<!-- bench -->\n")[2].partition("<!-- /bench -->")[0]
    new, old = text.splitlines(), before.splitlines()
    if old and old[0] != new[0]:
        raise SystemExit(f"{page} has other figures ({old[0]}): measure all rows, without --only.")

    def by_title(lines: list[str]) -> dict[str, str]:
        return {line.split("|")[1].strip(): line for line in lines if line.startswith("|")}

    rows = {**by_title(old), **by_title(new)}
    kept = [rows[row.title] for row in ROWS if row.title in rows]
    return "\n".join([*new[:4], *kept]) + "\n"


def main() -> None:
    """Measure and print a table."""
    asked = wanted()
    note = f"Measured {machine()}, two worker processes."
    if asked.write and asked.only:
        beside(asked.write, note)  # refused before the time is spent
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        os.environ["PREFECT_HOME"] = home
        text = table(list(measured(asked)), note)
    print(text)
    if asked.write:
        write_into(asked.write, beside(asked.write, text) if asked.only else text)


if __name__ == "__main__":
    main()
