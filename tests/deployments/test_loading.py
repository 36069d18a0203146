"""Flows whose script cannot be loaded here, and functions that are no flows yet."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from prefect.exceptions import MissingFlowError, ScriptError
from prefect.flows import (
    Flow,
    load_flow_arguments_from_entrypoint,
    load_function_and_convert_to_flow,
    safe_load_flow_from_entrypoint,
)

SCRIPT = """
import not_here_at_all
from prefect import flow
NAME = "abc"
print(not_here_at_all.x)

def helper(): return 1

@flow(name=NAME, description="D", retries=2, tags=["a"])
def good(x: int = 1, y: not_here_at_all.T = None): return helper() + x

@flow(name=f"x-{NAME}")
def named(): ...

@flow(name=not_here_at_all.name)
def bad(): ...

class Jobs:
    @staticmethod
    @flow
    def nightly_job(): ...
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    path, modules = list(sys.path), dict(sys.modules)
    monkeypatch.chdir(tmp_path)
    Path("far_script.py").write_text(SCRIPT)
    Path("plain_script.py").write_text("def plain(a: int): return a + 1\nVALUE = 3\n")
    yield
    sys.path[:] = path
    for name in set(sys.modules) - set(modules):
        del sys.modules[name]


def test_a_flow_is_there_without_what_is_missing():
    found = safe_load_flow_from_entrypoint("far_script.py:good")

    assert isinstance(found, Flow)
    assert (found.name, found.description, found.fn(2)) == ("abc", "D", 3)
    assert safe_load_flow_from_entrypoint("far_script.py:bad") is None
    assert safe_load_flow_from_entrypoint("far_script:Jobs.nightly_job").name == "nightly-job"
    with pytest.raises(ValueError, match="no flow"):
        safe_load_flow_from_entrypoint("far_script.py:other")


def test_what_the_source_says_of_a_flow():
    assert load_flow_arguments_from_entrypoint("far_script.py:good") == {
        "name": "abc",
        "description": "D",
        "retries": "2",
    }
    assert load_flow_arguments_from_entrypoint("far_script.py:named", {"name"}) == {"name": "x-abc"}
    assert load_flow_arguments_from_entrypoint("far_script.py:bad") == {"name": "bad"}
    with pytest.raises(ValueError, match="no flow"):
        load_flow_arguments_from_entrypoint("nowhere.py:good")


def test_a_function_becomes_a_flow():
    made = load_function_and_convert_to_flow("plain_script.py:plain")

    assert (made.name, made.fn(1)) == ("plain", 2)
    with pytest.raises(MissingFlowError):
        load_function_and_convert_to_flow("plain_script.py:VALUE")
    with pytest.raises(ScriptError):
        load_function_and_convert_to_flow("far_script.py:helper")
