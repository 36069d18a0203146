"""Measure how runs are started: `make bench-workers`, or `python benchmarks/workers.py --help`.

A script asks for a run, and waits until the first line of the flow has told the time. Servers, workers and
served flows are processes of their own, with fresh homes and the settings that they come with; ours and
those of Prefect 3.8.8 run the same scripts. Where nothing is kept ready for runs, and where there is no
server, there are only ours.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from run import Result, Row, child_environment, figure_text, machine, table, write_into

from server import serving

PATIENCE = 180.0
COLD = {"PREFECT_RUNNER_PRESTART": "0"}
FLOW = """
import time
from prefect import flow

@flow
def bench(mark: str = ""):
    now = time.time()
    if mark:
        with open(mark, "a") as file:
            file.write(f"{now}\\n")

if __name__ == "__main__":
    bench.serve(name="bench")
"""
DEPLOY = """
import os
from prefect import Flow
Flow.from_source(source=os.getcwd(), entrypoint="flow.py:bench").deploy(name="bench", work_pool_name="here")
"""
SUBMIT = """
import json, os, sys, time
from prefect.deployments import run_deployment

def marks():
    return open("marks").read().splitlines() if os.path.exists("marks") else []

def ask():
    began = time.time()
    run_deployment("bench/bench", parameters={"mark": os.path.abspath("marks")}, timeout=0)
    return began

def wait(count):
    end = time.time() + float(sys.argv[3])
    while len(found := marks()) < count:
        if time.time() > end:
            sys.exit(f"only {len(found)} of {count} runs began")
        time.sleep(0.002)
    return [float(mark) for mark in found]

kind, count = sys.argv[1], int(sys.argv[2])
before = len(marks())
if kind == "one by one":
    seconds = []
    for number in range(count):
        began = ask()
        seconds.append(wait(before + number + 1)[-1] - began)
        time.sleep(0.5)
    print(json.dumps(seconds))
else:
    began = ask()
    for _ in range(count - 1):
        ask()
    print(json.dumps([(max(wait(before + count)) - began) / count]))
"""


def _row(name: str, title: str, unit: str, per_unit: float, budget: float) -> Row:
    return Row(name, title, "", name, unit, per_unit, budget)


ROWS = [
    _row("serve", "`serve`, with a server: asked for, to the first line of the flow", "ms", 1e3, 300),
    _row("serve-cold", "… nothing kept ready", "ms", 1e3, 1000),
    _row("serve-here", "`serve`, without a server", "ms", 1e3, 300),
    _row("serve-here-cold", "… nothing kept ready", "ms", 1e3, 1000),
    _row("worker", "process worker, with a server: asked for, to the first line", "ms", 1e3, 300),
    _row("worker-cold", "… nothing kept ready", "ms", 1e3, 1000),
    _row("worker-here", "process worker, without a server", "ms", 1e3, 300),
    _row("worker-here-cold", "… nothing kept ready", "ms", 1e3, 1000),
    _row("many", "no-op flow run, of many that are asked for, one worker", "ms", 1e3, 500),
    _row("cpu", "processor that an idle worker takes, with what it keeps ready", "%", 100, 1),
    _row("server-cpu", "processor that a server takes while its worker is idle", "%", 100, 1),
    _row("memory", "resident memory of an idle worker", "MB", 1e-6, 80),
    _row("ready", "… of the process that it keeps ready", "MB", 1e-6, 80),
]
SETUPS = ["serve", "serve-cold", "serve-here", "serve-here-cold", "worker", "worker-cold", "worker-here"]
SETUPS += ["worker-here-cold"]


def finished(command: Sequence[str], folder: str, env: dict[str, str]) -> str:
    """Run a command to its end, and return what it printed."""
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=PATIENCE * 3, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


@contextmanager
def running(command: Sequence[str], folder: str, env: dict[str, str]) -> Iterator[int]:
    """Have a command run meanwhile; give its process id."""
    with Path(folder, "printed").open("w") as printed:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=printed, stderr=printed)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)


def submitted(python: Path, folder: str, env: dict[str, str], kind: str, count: int) -> list[float]:
    """Ask for runs; return the seconds until each began."""
    command = [str(python), "submit.py", kind, str(count), str(PATIENCE)]
    seconds: list[float] = json.loads(finished(command, folder, env).splitlines()[-1])
    return seconds


def taken(pid: int) -> float:
    """Return the seconds of processor that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """Return the resident memory of a process in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(float(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for each in found for child in each.read_text().split()]


def idle(worker: int, server: int | None, seconds: float) -> dict[str, float]:
    """Watch a worker that has nothing to do, and its server."""
    kept = children(worker)
    watched = [worker, *kept]
    before, served = sum(map(taken, watched)), taken(server) if server else 0.0
    time.sleep(seconds)
    figures = {"cpu": (sum(map(taken, watched)) - before) / seconds, "memory": resident(worker)}
    if server:
        figures["server-cpu"] = (taken(server) - served) / seconds
    if kept:
        figures["ready"] = max(map(resident, kept))
    return figures


def measure(python: Path, name: str, options: argparse.Namespace) -> dict[str, float]:
    """Set things up as a row says, ask for runs, and return the figures."""
    is_served, is_here, is_cold = name.startswith("serve"), "here" in name, name.endswith("cold")
    prefect = str(python.parent / "prefect")
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True))
        server = None if is_here else stack.enter_context(serving(python))
        env: dict[str, Any] = {**child_environment(folder), **(COLD if is_cold else {})}
        if server is not None:
            env["PREFECT_API_URL"] = f"http://127.0.0.1:{server.port}/api"
        for file, text in (("flow.py", FLOW), ("deploy.py", DEPLOY), ("submit.py", SUBMIT)):
            Path(folder, file).write_text(text)
        if is_served:
            pid = stack.enter_context(running([str(python), "flow.py"], folder, env))
        else:
            finished([prefect, "work-pool", "create", "here", "--type", "process"], folder, env)
            finished([str(python), "deploy.py"], folder, env)
            pid = stack.enter_context(running([prefect, "worker", "start", "--pool", "here"], folder, env))
        # Until the deployment is there, and what is kept ready is.
        time.sleep(options.settle)
        submitted(python, folder, env, "one by one", 1)
        figures = {name: statistics.median(submitted(python, folder, env, "one by one", options.runs))}
        if name == "worker":
            is_ours = python == Path(sys.executable)
            many = options.many if is_ours else max(5, options.many // 5)
            figures["many"] = submitted(python, folder, env, "many", many)[0]
            time.sleep(options.settle)
            figures |= idle(pid, server.pid if server else None, options.idle)
        return figures


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", type=Path, help="Python of an environment with prefect==3.8.8")
    parser.add_argument("--no-peer", action="store_true", help="measure only ours")
    parser.add_argument("--only", help="which of: " + ", ".join(SETUPS), metavar="SETUPS")
    parser.add_argument("--quick", action="store_true", help="few runs, and a short look at what is idle")
    parser.add_argument("--runs", type=int, default=7, help="runs one after another (default: 7)")
    parser.add_argument(
        "--many", type=int, default=100, help="runs that are asked for at once (default: 100)"
    )
    parser.add_argument(
        "--idle", type=float, default=30.0, help="seconds to look at what is idle (default: 30)"
    )
    parser.add_argument("--write", type=Path, help="put the table into this page", metavar="docs/workers.md")
    options = parser.parse_args()
    if options.quick:
        options.runs, options.many, options.idle = 3, 10, 5.0
    options.settle = 12.0 if options.peer and not options.no_peer else 6.0
    wanted = options.only.split(",") if options.only else SETUPS
    if unknown := set(wanted) - set(SETUPS):
        raise SystemExit(f"no such setups: {', '.join(unknown)}; there are {', '.join(SETUPS)}")
    ours: dict[str, float] = {}
    theirs: dict[str, float] = {}
    for name in wanted:
        ours |= measure(Path(sys.executable), name, options)
        if options.peer and not options.no_peer and name in ("serve", "worker"):
            theirs |= measure(options.peer.absolute(), name, options)
        print(f"{name}: {figure_text(ours[name] * 1e3)} ms", file=sys.stderr)
    results = [
        Result(
            row,
            ours[row.figure] * row.per_unit,
            theirs[row.figure] * row.per_unit if row.figure in theirs else None,
        )
        for row in ROWS
        if row.figure in ours
    ]
    note = f"Measured {machine()}; `make bench-workers{' BENCH=--quick' if options.quick else ''}`."
    print(table(results, note))
    if options.write:
        write_into(options.write, table(results, note))


if __name__ == "__main__":
    main()
