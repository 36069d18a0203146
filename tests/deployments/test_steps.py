"""The steps by which a deployment's code is got."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from prefect.deployments.steps import (
    StepExecutionError,
    pip_install_requirements,
    run_shell_script,
    run_steps,
)

STEPS = "prefect.deployments.steps"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code").mkdir()


def test_steps_are_run_in_order_and_lead_to_a_folder(tmp_path):
    outputs = run_steps(
        [
            {f"{STEPS}.run_shell_script": {"script": f"{sys.executable} -c 'print(1)'", "id": "first"}},
            {f"{STEPS}.set_working_directory": {"directory": "code"}},
        ]
    )

    assert outputs["stdout"] == "1"
    assert Path.cwd() == tmp_path / "code"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"no.such.step": {}}, "There is no step"),
        ({f"{STEPS}.set_working_directory": {"directory": "missing"}}, "no folder 'missing'"),
        ({f"{STEPS}.set_working_directory": {"folder": "code"}}, "folder"),
        ({f"{STEPS}.git_clone": {"repository": "--upload-pack=touch x"}}, "must not begin with a dash"),
        ({f"{STEPS}.run_shell_script": {"script": "no-such-command"}}, r"no command 'no-such-command'\.$"),
        ({f"{STEPS}.run_shell_script": {"script": "ls", "directory": "missing"}}, r"no folder 'missing'\.$"),
        ({}, "one function"),
        ("prefect.deployments.steps.set_working_directory", "one function.*unlike 'prefect"),
        ({"a": {}, "b": {}}, "one function"),
    ],
)
def test_a_step_that_fails_says_why_and_ends_the_steps(step, said):
    with pytest.raises(StepExecutionError, match=said):
        run_steps([step, {f"{STEPS}.set_working_directory": {"directory": "code"}}])
    assert Path.cwd().name != "code"


@pytest.mark.parametrize("user", ["me:s3cret", "s3cret", "s3cret:x-oauth-basic"])
def test_what_is_secret_in_an_address_is_not_said(user):
    step = {f"{STEPS}.git_clone": {"repository": f"http://{user}@127.0.0.1:1/x.git"}}

    with pytest.raises(StepExecutionError, match=r"http://\*\*\*@127\.0\.0\.1:1/x\.git") as error:
        run_steps([step])

    assert "s3cret" not in str(error.value)


def test_commands_are_run_without_a_shell():
    line = f"{sys.executable} -c 'import sys; print(sys.argv[1:])' '; touch x' $WORD"

    assert run_shell_script(line)["stdout"] == "['; touch x', '$WORD']"
    assert "word" in run_shell_script(line, env={"WORD": "word"}, expand_env_vars=True)["stdout"]
    assert not os.path.exists("x")


def test_the_first_command_that_fails_ends_the_script():
    failing = f"{sys.executable} -c 'import sys; sys.exit(\"no\")'"

    with pytest.raises(RuntimeError, match="ended with 1: no"):
        run_shell_script(f'{failing}\n{sys.executable} -c \'open("x", "w")\'')
    assert not os.path.exists("x")
    with pytest.raises(RuntimeError, match="no command"):
        run_shell_script("no-such-command")


def test_requirements_need_a_file():
    with pytest.raises(FileNotFoundError, match=r"requirements\.txt"):
        pip_install_requirements("code")
