"""What `prefect deploy` and `prefect init` ask for on a terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

pty = pytest.importorskip("pty")
pytestmark = pytest.mark.processes


def on_a_terminal(answers: list[tuple[str, str]], *words: str) -> tuple[int, str]:
    """Run a command on a terminal of its own; answer each question when it is asked."""
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect.cli", *words],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "TERM": "dumb"},
    )
    os.close(terminal)
    said, left, seen = "", list(answers), 0
    deadline = time.monotonic() + 50
    while time.monotonic() < deadline:
        try:
            said += os.read(main, 4096).decode()
        except OSError:  # the terminal is closed
            break
        if left and re.search(left[0][0], said[seen:]):
            seen = len(said)
            os.write(main, f"{left.pop(0)[1]}\n".encode())
    os.close(main)
    return process.wait(timeout=30), said


@pytest.fixture
def folder(home, prefect):
    Path("flows.py").write_text("from prefect import flow\n@flow\ndef clean(): ...\n")
    prefect("work-pool", "create", "here", "--type", "process")
    return prefect


def test_what_is_missing_is_asked_for_and_kept(folder):
    prefect = folder
    asked = [("name: ", "daily"), ("work pool: ", "here"), (r"\[y/n\]: ", "y")]
    code, said = on_a_terminal(asked, "deploy", "flows.py:clean", "--tag", "t")

    assert (code, "clean/daily: created" in said) == (0, True), said
    kept = yaml.safe_load(Path("prefect.yaml").read_text())
    assert kept == {
        "deployments": [
            {"name": "daily", "entrypoint": "flows.py:clean", "tags": ["t"], "work_pool": {"name": "here"}}
        ]
    }
    assert "clean/daily: unchanged" in prefect("deploy").out


def test_a_file_that_does_not_end_in_deployments_is_left_alone(folder):
    text = "deployments:\n- {name: other}\nname: mine  # a comment\n"
    Path("prefect.yaml").write_text(text)
    code, said = on_a_terminal([], "deploy", "flows.py:clean", "-n", "daily", "-p", "here")

    assert (code, "add this to the deployments in prefect.yaml" in said) == (0, True), said
    assert Path("prefect.yaml").read_text() == text


def test_nothing_is_asked_where_that_is_not_wanted(folder):
    code, said = on_a_terminal([], "deploy", "flows.py:clean", "--no-prompt")

    assert (code, "needs a name" in said) == (1, True), said


def test_fields_of_recipes_are_asked_for(home):
    code, said = on_a_terminal([("image_name", "i"), ("tag, ", "v1")], "init", "--recipe", "docker")

    assert code == 0, said
    assert "tag: v1" in Path("prefect.yaml").read_text()
