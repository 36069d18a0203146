"""Programs that runs start, and what becomes of them when the run is over; and why a process has ended."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from prefect.operations.flow_runs import set_flow_run_state
from prefect.runner import strays
from prefect.runner.children import start_child
from prefect.runner.claims import claim, end_left_run
from prefect.runner.memory import MemoryWatch
from prefect.runner.template import Template
from prefect.schemas.states import State, StateType
from prefect.types.processes import started

pytestmark = [pytest.mark.timeout(90), pytest.mark.embedded]
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no /proc to look into")

STARTS = """
import multiprocessing, os, subprocess, sys, time
from pathlib import Path
from prefect import flow

def forked():
    os.setsid()
    time.sleep(600)

@flow(timeout_seconds=1 if "SHORT" in os.environ else None)
def f(ends: bool = False):
    started = [
        subprocess.Popen(["sh", "-c", "sleep 600; true"]),
        subprocess.Popen(["sleep", "600"], start_new_session=True),
        subprocess.Popen(["sleep", "600"], start_new_session=True, env={}),
        subprocess.Popen(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]),
        multiprocessing.get_context("fork").Process(target=forked),
    ]
    started[-1].start()
    Path("half").write_text(" ".join(str(each.pid) for each in started))
    os.rename("half", "started")
    if ends:
        while not Path("seen").exists():
            time.sleep(0.01)
        os._exit(0)
    time.sleep(600)
"""


def start(place, template=None, **options):
    run = place.run_of(place.deploy("f", place.script(STARTS) + ":f"), **options)
    child = start_child(run, claim=claim(place.client, run), env=place.env, template=template)
    told = place.folder / "started"
    while not told.exists():
        assert child.poll() is None
    return run, child, [int(pid) for pid in told.read_text().split()]


def are_there(pids):
    return [started(pid) is not None for pid in pids]


@pytest.fixture
def template():
    made = Template()
    assert made.wait_until_ready(60)
    yield made
    made.close()


@linux
@pytest.mark.processes
def test_what_a_cancelled_run_has_started_is_ended(store_place, monkeypatch):
    monkeypatch.setattr(strays, "GRACE", 0.2)
    run, child, pids = start(store_place)
    store_place.client.call(set_flow_run_state, run.id, State(type=StateType.CANCELLING))

    child.end(30)

    assert store_place.read(run).state_name == "Cancelled"
    assert not any(are_there(pids))


@linux
@pytest.mark.processes
def test_what_a_run_has_started_is_ended_when_its_process_is_killed(store_place, template, monkeypatch):
    monkeypatch.setattr(strays, "GRACE", 0.2)
    _, child, pids = start(store_place, template)

    os.kill(child.pid, signal.SIGKILL)

    assert child.wait(30) == -signal.SIGKILL
    # Of these two only the process that is gone knew: each has its own session, and nothing names the run.
    hidden = pids[2], pids[4]
    assert not any(are_there(set(pids) - {*hidden}))
    for pid in hidden:
        os.kill(pid, signal.SIGKILL)


@linux
@pytest.mark.processes
def test_what_a_run_has_started_is_ended_when_it_took_too_long(store_place, monkeypatch):
    monkeypatch.setattr(strays, "GRACE", 0.2)
    store_place.env["SHORT"] = "1"
    run, child, pids = start(store_place)

    assert child.wait(30) == 3
    assert store_place.read(run).state_name == "TimedOut"
    assert not any(started(pid) for pid in pids if pid != pids[2])
    os.kill(pids[2], signal.SIGKILL)


@linux
@pytest.mark.processes
def test_what_a_run_has_started_goes_on_when_the_run_has_ended_by_itself(store_place, template):
    _, child, pids = start(store_place, template, parameters={"ends": True})
    (store_place.folder / "seen").touch()

    assert child.wait(30) == 0
    assert all(are_there(pids))
    child.kill()
    for pid in pids:
        if started(pid) is not None:
            os.kill(pid, signal.SIGKILL)


def group(root, kind, text, *, ended):
    """Write down what the kernel tells of a control group."""
    (root / "proc/7").mkdir(parents=True, exist_ok=True)
    (root / "proc/7/cgroup").write_text(text)
    folder = root / "sys/fs/cgroup"
    events, limits = "memory.events", "memory.max"
    if kind == "old":
        folder, events, limits = folder / "memory", "memory.oom_control", "memory.limit_in_bytes"
    inner = folder / "jobs" / "one"
    inner.mkdir(parents=True, exist_ok=True)
    (inner / events).write_text(f"oom 5\noom_kill {ended}\n")
    (inner / limits).write_text("max\n" if kind == "new" else f"{(1 << 63) - 4096}\n")
    (folder / "jobs" / limits).write_text(f"{512 * 2**20}\n")


@pytest.mark.parametrize(
    ("kind", "text"),
    [("new", "0::/jobs/one\n"), ("old", "4:memory:/jobs/one\n0::/\n"), ("old", "4:cpu,memory:/jobs/one\n")],
    ids=["new", "old", "old-joined"],
)
def test_the_system_counts_whom_it_ends_for_want_of_memory(tmp_path, kind, text):
    group(tmp_path, kind, text, ended=1)
    watch = MemoryWatch(7, tmp_path)

    assert not watch.has_ended_one
    group(tmp_path, kind, text, ended=2)
    assert watch.has_ended_one
    assert watch.limit == 512 * 2**20


def test_where_no_group_counts_the_machine_does(tmp_path):
    (tmp_path / "proc").mkdir()
    assert not MemoryWatch(7, tmp_path).has_ended_one
    (tmp_path / "proc/vmstat").write_text("nr_free_pages 1\noom_kill 3\n")
    watch = MemoryWatch(7, tmp_path)
    assert (watch.has_ended_one, watch.limit) == (False, None)
    (tmp_path / "proc/vmstat").write_text("nr_free_pages 1\noom_kill 4\n")
    assert watch.has_ended_one


def test_a_run_that_ran_out_of_memory_says_so(store_place):
    run = store_place.run_of(store_place.deploy("f", "script.py:f"))
    for kind in (StateType.PENDING, StateType.RUNNING):
        store_place.client.call(set_flow_run_state, run.id, State(type=kind))

    end_left_run(store_place.client, run.id, -9, ran_out="memory ran out: there are 512 MiB")

    state = store_place.read(run).state
    assert state.name == "Crashed"
    assert "memory ran out: there are 512 MiB. Give it more" in state.message
