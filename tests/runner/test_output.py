"""What the process of a run prints, kept in the run's logs."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tracemalloc

import pytest

from prefect.logging.captured import END, START, captured_variable, is_captured, marked
from prefect.operations.logs import read_logs
from prefect.runner import output
from prefect.runner.children import start_child
from prefect.runner.claims import claim
from prefect.runner.output import CapturedOutput, Lines
from prefect.runner.template import Template
from prefect.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.schemas.queries import LogQuery
from prefect.settings import PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

pytestmark = [pytest.mark.timeout(90), pytest.mark.embedded]


def lines_of(*pieces, most=1_000):
    lines = Lines(most)
    found = [text for piece in pieces for text in lines.feed(piece)]
    return [*found, *lines.end()], bytes(lines.shown)


@pytest.mark.parametrize(
    ("pieces", "wanted"),
    [
        ([b"one\ntwo\n"], ["one", "two"]),
        ([b"on", b"e\r\ntw", b"o"], ["one", "two"]),
        ([b"\n \n\none\n"], ["one"]),
        ([b"10%\r50%\r", b"100%\n"], ["100%"]),
        ([b"10%", b"\r50%\r\n"], ["50%"]),
        (["ä\n".encode()[:1], "ä\n".encode()[1:]], ["ä"]),
        ([b"\xff\0\n"], ["\ufffd\ufffd"]),
    ],
    ids=["whole", "pieces", "empty", "progress", "progress-in-pieces", "split-character", "binary"],
)
def test_bytes_become_lines(pieces, wanted):
    assert lines_of(*pieces) == (wanted, b"".join(pieces))


def test_a_long_line_is_cut_and_takes_no_memory():
    tracemalloc.start()
    lines = Lines(1_000)
    for _ in range(200):
        assert not list(lines.feed(b"x" * 50_000))
        lines.shown.clear()
    (text,) = lines.feed(b"\n")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert text.endswith("x… [10,000,000 bytes, cut to 1,000]")
    assert len(text.encode()) == 1_000
    assert peak < 1_000_000


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_what_is_in_the_logs_already_is_shown_and_not_kept(size):
    logged = START + b"logged\nin two lines\n" + END
    text = b"be" + logged + b"fore\n" + START + b"\x1e" + END + b"<\x1e>\nafter\x03\n"
    pieces = [text[at : at + size] for at in range(0, len(text), size)]

    kept, shown = lines_of(*pieces)

    assert kept == ["before", "<\x1e>", "after\x03"]
    assert shown == b"belogged\nin two lines\nfore\n\x1e<\x1e>\nafter\x03\n"


def test_marks_are_set_only_where_somebody_reads_them(monkeypatch, tmp_path):
    reading, writing = os.pipe()
    with open(reading, "rb"), open(writing, "w") as pipe, (tmp_path / "file").open("w") as file:
        assert not is_captured(pipe)
        for name, text in captured_variable(writing).items():
            monkeypatch.setenv(name, text)

        assert [is_captured(each) for each in (pipe, file, None)] == [True, False, False]
    assert not is_captured(pipe)
    assert list(Lines(100).feed(marked(f"a{END.decode()}b").encode() + b"c\n")) == ["c"]


def captured(place, out=b"", err=b"", is_shown=False):
    """The logs of a run whose process printed this; pipes hold so much, so that no process is needed."""
    run = place.run_of(place.deploy("f", "script.py:f"))
    made = CapturedOutput(run, is_shown)
    for end, data in ((made.stdout, out), (made.stderr, err)):
        assert os.write(end, data) == len(data)
    made.begin()
    made._is_drained.wait(30)
    assert made.is_complete()
    chosen = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id]))
    return place.client.call(read_logs, LogQuery(logs=chosen))


def test_levels_and_names_tell_the_streams_apart(place, capfd):
    out, err = captured(place, b"a\n", b"b", is_shown=True)

    assert (out.message, out.level, out.name) == ("a", logging.INFO, "prefect.flow_runs.stdout")
    assert (err.message, err.level, err.name) == ("b", logging.WARNING, "prefect.flow_runs.stderr")
    assert tuple(capfd.readouterr()) == ("a\n", "b")


def test_of_very_much_output_the_beginning_and_the_end_are_kept(store_place, monkeypatch):
    monkeypatch.setattr(output, "MOST", 100)

    logs = [log.message for log in captured(store_place, b"".join(b"%09d\n" % n for n in range(1_000)))]

    assert logs[:11] == [*(f"{n:09}" for n in range(12))][:11]
    middle = next(at for at, text in enumerate(logs) if text.startswith("…"))
    assert logs[middle + 1 :] == [f"{n:09}" for n in range(900, 1_000)]
    assert f"{(900 - middle) * 9:,} bytes" in logs[middle]


PRINTS = """
import logging, os, subprocess, sys
from prefect import flow, get_run_logger, task
from prefect.logging.handlers import APILogHandler

@task
def inner():
    get_run_logger().info("in a task")

@flow(log_prints=True)
def f():
    print("printed")
    get_run_logger().info("logged\\nin two lines")
    inner()
    sys.stdout.write("written\\n")
    os.write(2, b"by C\\n")
    subprocess.run(["sh", "-c", "echo by a program; echo its error >&2"], check=True)
    logging.getLogger("elsewhere").warning("of a library")
    sys.stdout.write("at the end\\n")
    APILogHandler().flush()
    os.kill(os.getpid(), 9)
"""


@pytest.mark.processes
@pytest.mark.parametrize(("where", "is_warm"), [("store_place", False), ("server_place", True)])
def test_all_that_a_run_prints_is_kept_once_and_what_it_logs_too(request, where, is_warm, capfd):
    place = request.getfixturevalue(where)
    run = place.run_of(place.deploy("f", place.script(PRINTS) + ":f"))
    template = Template() if is_warm else None
    try:
        assert template is None or template.wait_until_ready(60)
        child = start_child(
            run, claim=claim(place.client, run), env=place.env, capture_output=True, template=template
        )
        assert child.wait(60) == -9
    finally:
        if template is not None:
            template.close()

    logs = place.logs(run)
    wanted = ["printed", "logged\nin two lines", "in a task", "written", "by C", "by a program", "its error"]
    for text in wanted:
        assert logs.count(text) == 1, (text, logs)
    assert logs.index("written") < logs.index("by a program") < logs.index("at the end")
    assert [text.partition(" | ")[2] for text in logs if "of a library" in text] == [
        "WARNING | elsewhere - of a library"
    ]
    assert not any("Flow run" in text and "in two lines" in text for text in logs)
    shown = capfd.readouterr()
    assert "written\n" in shown.out
    assert "logged\nin two lines\n" in shown.err
    assert "\x1e" not in shown.out + shown.err


TICKS = """
import os, time
from pathlib import Path
from prefect import flow

@flow
def f():
    print("before")
    while not Path("go").exists():
        time.sleep(0.01)
    print("after")
    os.write(2, b"x" * 200_000)
"""
STARTS = """
import os, signal, sys
from pathlib import Path
from uuid import UUID
from prefect.client.current import get_caller
from prefect.operations.flow_runs import read_flow_run
from prefect.operations.logs import read_logs
from prefect.runner.children import start_child
from prefect.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.schemas.queries import LogQuery

run = get_caller().call(read_flow_run, UUID(sys.argv[1]))
start_child(run, capture_output=True, stream_output=False)
query = LogQuery(logs=LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id])))
while "before" not in [log.message for log in get_caller().call(read_logs, query)]:
    pass
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.processes
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pipes cannot be opened by name")
def test_a_run_goes_on_and_keeps_its_output_when_who_kept_it_is_killed(store_place):
    run = store_place.run_of(store_place.deploy("f", store_place.script(TICKS) + ":f"))
    env = {**os.environ, **store_place.env}

    killed = subprocess.run(
        [sys.executable, "-c", STARTS, str(run.id)], cwd=store_place.folder, env=env, timeout=60, check=False
    )
    assert killed.returncode == -9
    (store_place.folder / "go").touch()

    while not store_place.read(run).state.is_final():
        pass
    assert store_place.read(run).state_name == "Completed"
    while not any(text.startswith("xxx") for text in store_place.logs(run)):
        pass
    assert store_place.logs(run).count("before") == store_place.logs(run).count("after") == 1


@pytest.mark.processes
def test_nothing_is_kept_where_logs_are_not_to_be(store_place):
    run = store_place.run_of(store_place.deploy("f", "script.py:f"))
    command = [sys.executable, "-c", "print('a line')"]
    with temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: False}):
        child = start_child(run, command=command, capture_output=True, stream_output=False)
        assert child.wait(60) == 0

    assert store_place.logs(run) == []


@pytest.mark.processes
def test_a_program_that_holds_the_output_open_does_not_hold_up_the_end(store_place):
    run = store_place.run_of(store_place.deploy("f", "script.py:f"))

    child = start_child(
        run, command=["sh", "-c", "sleep 60 & echo $!"], capture_output=True, stream_output=False
    )

    assert child.wait(30) == 0
    (pid,) = store_place.logs(run)
    subprocess.run(["kill", pid], check=True)
