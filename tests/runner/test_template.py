"""Processes of runs that are split off from one that is kept ready."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from prefect.operations.flow_runs import set_flow_run_state
from prefect.rules.exits import UNKNOWN_EXIT
from prefect.runner.children import start_child
from prefect.runner.claims import claim, end_left_run
from prefect.runner.template import Template, Templates
from prefect.schemas.states import State, StateType
from prefect.settings import PREFECT_RUNNER_PRESTART, temporary_settings
from prefect.types.processes import started

pytestmark = [
    pytest.mark.timeout(90),
    pytest.mark.processes,
    pytest.mark.embedded,
    pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="processes are not forked here"),
]

LOOKS = """
import json, os, random, signal, sys, threading
from prefect import flow, task
from prefect.settings import get_current_settings
from prefect.runtime import deployment

@task
def inner():
    return deployment.name

@flow
def looks():
    inner()
    own = [os.readlink(f"/proc/self/fd/{n}") for n in (1, 2)]
    print("LINE", json.dumps({
        "environment": {k: v for k, v in os.environ.items() if not k.startswith("PREFECT__")},
        "colour": os.environ.get("COLOUR"),
        "gone": os.environ.get("GONE"),
        "cwd": os.getcwd(),
        "argv": sys.argv,
        "path": sys.path,
        "main": [sys.modules["__main__"].__spec__.name, sys.modules["__main__"].__name__],
        "level": get_current_settings().logging.level,
        "child_signal": str(signal.getsignal(signal.SIGCHLD)),
        "handles_interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        "threads": threading.main_thread() is threading.current_thread(),
        "leads_a_session": os.getsid(0) == os.getpid(),
        "stdin": sys.stdin.read(),
        "files": sorted(os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")
                        if n.isdigit() and os.path.exists(f"/proc/self/fd/{n}") and int(n) > 2
                        and "prefect.db" not in os.readlink(f"/proc/self/fd/{n}")
                        and os.readlink(f"/proc/self/fd/{n}") not in own),
        "random": random.random() if "RANDOM" in os.environ else None,
    }), flush=True)
"""


@pytest.fixture
def template():
    made = Template()
    assert made.wait_until_ready(60)
    yield made
    made.close()


def output_of(place, run, **options):
    child = start_child(
        run, claim=claim(place.client, run), capture_output=True, stream_output=False, **options
    )
    assert child.wait(60) == 0, place.logs(run)
    (line,) = [log for log in place.logs(run) if log.startswith("LINE")]
    return json.loads(line.partition(" ")[2])


def test_a_child_is_what_a_new_process_would_be(store_place, template, tmp_path, monkeypatch):
    monkeypatch.setenv("GONE", "here")
    deployment = store_place.deploy("looks", store_place.script(LOOKS) + ":looks")
    where = tmp_path / "elsewhere"
    where.mkdir()
    env = {**store_place.env, "COLOUR": "red", "GONE": None, "PREFECT_LOGGING_LEVEL": "WARNING"}

    cold, warm = (
        output_of(store_place, store_place.run_of(deployment), env=env, cwd=where, template=each)
        for each in (None, template)
    )

    assert warm == cold
    assert (warm["colour"], warm["gone"], warm["level"]) == ("red", None, "WARNING")
    assert str(where) in warm["path"]


def test_children_do_not_share_chance(store_place, template):
    deployment = store_place.deploy("looks", store_place.script(LOOKS) + ":looks")
    env = {**store_place.env, "RANDOM": "1"}

    values = [
        output_of(store_place, store_place.run_of(deployment), env=env, template=template)["random"]
        for _ in range(2)
    ]

    assert values[0] != values[1]


def test_a_run_loads_nothing_of_ours_that_the_template_has_not(store_place, template):
    text = (
        "import sys\nloaded = set(sys.modules)\nfrom prefect import flow, task\n"
        "@task\ndef inner(x: int): ...\n"
        "@flow\ndef looks(x: int = 1):\n    inner(x)\n"
        "    print('LINE', __import__('json').dumps(sorted(m for m in set(sys.modules) - loaded)))\n"
    )
    deployment = store_place.deploy("looks", store_place.script(text) + ":looks")

    loaded = output_of(store_place, store_place.run_of(deployment), env=store_place.env, template=template)

    assert [name for name in loaded if name.startswith(("prefect.", "sqlalchemy", "pydantic."))] == []


@pytest.mark.parametrize(
    "change",
    [{"PYTHONPATH": "/elsewhere"}, {"LD_LIBRARY_PATH": "/lib"}, {"LC_ALL": "C"}, {"PYTHONUTF8": "1"}],
)
def test_what_only_a_new_process_can_take_starts_one(template, change, tmp_path):
    assert template.fits({"ANY": "thing"}, tmp_path)
    assert not template.fits(change, tmp_path)
    assert not template.fits({}, tmp_path / "missing")


def test_a_command_of_its_own_starts_a_new_process(store_place, template):
    run = store_place.run_of(store_place.deploy("f", "script.py:f"))
    child = start_child(run, command=[sys.executable, "-c", ""], template=template)

    assert isinstance(child._process, subprocess.Popen)
    assert child.wait(60) == 0


SLEEPS = "import time\nfrom prefect import flow\n@flow\ndef f():\n    time.sleep(600)\n"


def sleeping(place, template):
    run = place.run_of(place.deploy("f", place.script(SLEEPS) + ":f"))
    child = start_child(run, claim=claim(place.client, run), env=place.env, template=template)
    assert not isinstance(child._process, subprocess.Popen)
    while place.read(run).state_type is not StateType.RUNNING:
        assert child.poll() is None
    return run, child


def test_a_child_that_is_killed_is_told(store_place, template):
    run, child = sleeping(store_place, template)

    os.kill(child.pid, signal.SIGKILL)

    assert child.wait(60) == -signal.SIGKILL
    end_left_run(store_place.client, run.id, -signal.SIGKILL)
    assert "memory" in store_place.read(run).state.message


def test_a_child_ends_when_it_is_asked_to(store_place, template):
    run, child = sleeping(store_place, template)

    child.end(60)

    assert store_place.read(run).state_type is StateType.CRASHED


def test_children_outlive_the_template_and_another_one_comes(store_place, template, monkeypatch):
    _, child = sleeping(store_place, template)

    os.kill(template.pid, signal.SIGKILL)
    template.wait_for(lambda: False, 60)

    assert template.is_gone
    assert child.poll() is None
    assert not template.fits({}, None)
    assert template.start({}, None, 1, 2) is None
    child.kill()
    assert child.wait(60) == UNKNOWN_EXIT

    monkeypatch.setattr("prefect.runner.template._REOPEN_SECONDS", 0.0)
    with Templates() as kept:
        first = kept.current
        assert first is not None
        first.wait_until_ready(60)
        os.kill(first.pid, signal.SIGKILL)
        first.wait_for(lambda: False, 60)
        second = kept.current
        assert second is not first
        assert second is not None
        assert second.wait_until_ready(60)


def test_a_run_that_is_cancelled_ends_itself_where_who_started_it_is_gone(store_place, template):
    run, child = sleeping(store_place, template)
    os.kill(template.pid, signal.SIGKILL)
    template.wait_for(lambda: False, 60)

    store_place.client.call(set_flow_run_state, run.id, State(type=StateType.CANCELLING))

    assert child.wait(60) == UNKNOWN_EXIT
    assert store_place.read(run).state_name == "Cancelled"


def test_it_ends_with_its_owner():
    code = (
        "import os, signal\nfrom prefect.runner.template import Template\n"
        "made = Template()\nmade.wait_until_ready(60)\nprint(made.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    pid = int(done.stdout)
    while started(pid) is not None:
        pass


def test_the_settings_can_do_without():
    with temporary_settings({PREFECT_RUNNER_PRESTART: False}), Templates() as none:
        assert none.current is None
