"""Measure Proconsul beside Prefect 3.8.8: `make bench`, or `python benchmarks/run.py --help`.

Every figure is the median of several fresh processes, each with a fresh home, ours and theirs by turns, so
that what else the machine does falls on both; an import is the best of seven instead.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
TIMEOUT_SECONDS = 300


class Row(NamedTuple):
    """One line of the table: a figure of a workload, its unit, and the most it may be."""

    name: str
    title: str
    workload: str
    figure: str
    unit: str
    per_unit: float
    budget: float
    count: int = 0
    quick_count: int = 0
    against_peer: bool = True
    pick: Callable[[list[float]], float] = statistics.median
    rounds: int | None = None


MS, US, MB = 1e3, 1e6, 1e-6
ROWS = [
    Row("import", "`from prefect import flow, task`", "import", "seconds", "ms", MS, 80, pick=min, rounds=7),
    Row("modules", "modules that loads", "import", "modules", "", 1, 250, pick=min, rounds=7),
    Row("version", "`prefect version`", "version", "process", "ms", MS, 150),
    Row("hello", "hello flow, cold, fresh home, to exit", "hello", "process", "ms", MS, 250),
    Row("call", "no-op task called in a flow", "call", "seconds", "µs", US, 32, 1000, 100),
    Row("durable", "… the whole flow, until recorded, a task", "call", "durable", "µs", US, 80, 1000, 100),
    Row("submit", "`.submit()` and its result, threads", "submit", "seconds", "µs", US, 80, 1000, 100),
    Row("map", "`.map()`, an item", "map", "seconds", "µs", US, 80, 1000, 100),
    Row("gather", "async task in `gather`", "gather", "seconds", "µs", US, 60, 1000, 100),
    Row("subflow", "subflow call", "subflow", "seconds", "µs", US, 2000, 10, 3),
    Row("runtime", "runtime attribute read in a task", "runtime", "seconds", "µs", US, 0.5, 100_000, 10_000),
    Row("memory", "resident memory after 300 tasks", "memory", "resident", "MB", MB, 60, 300, 300),
    Row("many", "100,000 tasks in one flow", "memory", "seconds", "s", 1, 10, 100_000, 10_000, False),
    Row("growth", "… memory growth", "memory", "growth", "MB", MB, 100, 100_000, 10_000, False),
]


class Result(NamedTuple):
    """What was measured for a row, in its unit; None where nothing was."""

    row: Row
    ours: float | None
    theirs: float | None

    @property
    def ratio(self) -> float | None:
        # What costs less than the noise comes out as 0 or below: there is no ratio to it.
        return self.theirs / self.ours if self.ours and self.ours > 0 and self.theirs else None

    @property
    def met(self) -> bool:
        return self.ours is not None and self.ours <= self.row.budget


def child_environment(home: str) -> dict[str, str]:
    """Give the caller's environment less what would point at a server, a profile or another package."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PYTHON"))}
    return {**kept, "PREFECT_HOME": home}


def run_once(python: Path, workload: str, count: int) -> dict[str, float]:
    """Run a workload in a fresh process with a fresh home.

    Returns:
        The figures it printed, and as `process` the seconds from its start to its end.

    Raises:
        RuntimeError: It failed; the text ends with what it said.
    """
    command = [str(python), str(HERE / "workloads.py"), workload, str(count)]
    if workload == "version":
        command = [str(python.parent / "prefect"), "version"]
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as home:
        start = time.perf_counter()
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            cwd=home,
            env=child_environment(home),
        )
        seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    figures = {} if workload == "version" else json.loads(done.stdout.splitlines()[-1])
    return {**figures, "process": seconds}


def measure(rows: list[Row], pythons: list[Path], rounds: int, quick: bool) -> list[Result]:
    """Measure rows under each interpreter (ours first), by turns."""
    samples: dict[tuple[str, int, Path], list[dict[str, float]]] = {}
    for python in pythons:
        run_once(python, "import", 0)  # so that no timed process compiles bytecode
    results = []
    for row in rows:
        count = row.quick_count if quick else row.count
        sides = pythons if row.against_peer else pythons[:1]
        for _ in range(row.rounds or rounds):
            for python in sides:
                taken = samples.setdefault((row.workload, count, python), [])
                # Rows that share a workload share its runs.
                if len(taken) < (row.rounds or rounds):
                    taken.append(run_once(python, row.workload, count))
        picked = [
            row.pick([sample[row.figure] for sample in samples[row.workload, count, python]]) * row.per_unit
            for python in sides
        ]
        print(f"{row.name}: {', '.join(map(figure_text, picked))} {row.unit}", file=sys.stderr)
        results.append(Result(row, picked[0], picked[1] if len(picked) > 1 else None))
    return results


def figure_text(figure: float | None) -> str:
    """Write a figure with three significant digits at least, and none behind the point from a hundred on."""
    if figure is None:
        return "-"
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def table(results: list[Result], note: str) -> str:
    """Write results as a Markdown table."""
    lines = [
        note,
        "",
        "| work | Proconsul | Prefect 3.8.8 | ratio | budget | met |",
        "| --- |" + " ---: |" * 5,
    ]
    for result in results:
        cells = [
            result.row.title,
            f"{figure_text(result.ours)} {result.row.unit}",
            f"{figure_text(result.theirs)} {result.row.unit}" if result.theirs is not None else "-",
            f"{figure_text(result.ratio)} x" if result.ratio else "-",
            f"{figure_text(result.row.budget)} {result.row.unit}",
            "yes" if result.met else "**no**",
        ]
        lines.append("| " + " | ".join(cell.strip() for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    """Say when and on what this was measured."""
    cpu = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.partition(":")[2].strip()
            for line in cpuinfo.read_text().splitlines()
            if "model name" in line
        ]
        cpu = names[0] if names else cpu
    day = datetime.now(UTC).date().isoformat()
    return f"{day}, {platform.system()}, {os.cpu_count()} x {cpu}, Python {platform.python_version()}"


def write_into(page: Path, text: str) -> None:
    """Put the table between the page's two marks."""
    before, _, rest = page.read_text(encoding="utf-8").partition("<!-- bench -->\n")
    _, found, after = rest.partition("<!-- /bench -->")
    if not found:
        raise SystemExit(f"{page} has no <!-- bench --> … <!-- /bench -->")
    page.write_text(f"{before}<!-- bench -->\n{text}<!-- /bench -->{after}", encoding="utf-8")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", type=Path, help="Python of an environment with prefect==3.8.8")
    parser.add_argument("--no-peer", action="store_true", help="measure only ours")
    parser.add_argument("--only", help="names of rows, with commas", metavar="ROWS")
    parser.add_argument("--quick", action="store_true", help="one round, fewer tasks")
    parser.add_argument("--rounds", type=int, default=3, help="processes a figure (default: 3)")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    parser.add_argument("--write", type=Path, help="put the table into this page", metavar="README.md")
    return parser.parse_args()


def main() -> None:
    options = parse()
    wanted = options.only.split(",") if options.only else [row.name for row in ROWS]
    if unknown := set(wanted) - {row.name for row in ROWS}:
        raise SystemExit(
            f"no such rows: {', '.join(unknown)}; there are {', '.join(row.name for row in ROWS)}"
        )
    rows = [row for row in ROWS if row.name in wanted]
    pythons = [Path(sys.executable)]
    if options.peer and not options.no_peer:
        pythons.append(options.peer.absolute())
    rounds = 1 if options.quick else options.rounds
    if options.quick:
        rows = [row._replace(rounds=row.rounds and 2) for row in rows]
    results = measure(rows, pythons, rounds, options.quick)
    note = f"Measured {machine()}; `make bench{' BENCH=--quick' if options.quick else ''}`."
    if options.json:
        figures = [
            {
                **{name: getattr(each.row, name) for name in ("name", "title", "unit", "budget")},
                **{name: getattr(each, name) for name in ("ours", "theirs", "ratio", "met")},
            }
            for each in results
        ]
        print(json.dumps({"measured": machine(), "rows": figures}, indent=2))
    else:
        print(table(results, note))
    if options.write:
        write_into(options.write, table(results, note))


if __name__ == "__main__":
    main()
