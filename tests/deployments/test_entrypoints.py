"""Where flows are found."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from prefect import flow
from prefect.exceptions import MissingFlowError, ScriptError
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.entrypoints import entrypoint_of

SCRIPT = """
from prefect import flow
import beside

@flow(name="the-load")
def load(x: int = 1) -> int:
    return beside.value + x

class Jobs:
    @staticmethod
    @flow
    def nightly() -> None: ...

def plain() -> None: ...
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with scripts; what they load is forgotten."""
    path, modules = list(sys.path), dict(sys.modules)
    (tmp_path / "etl_script.py").write_text(SCRIPT)
    (tmp_path / "beside.py").write_text("value = 41")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "jobs.py").write_text("from prefect import flow\n@flow\ndef load(): ...\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - set(modules):
        del sys.modules[name]


@pytest.mark.parametrize(
    ("entrypoint", "name"),
    [
        ("etl_script.py:load", "the-load"),
        ("./etl_script.py:load", "the-load"),
        ("etl_script.py:Jobs.nightly", "nightly"),
        ("package/jobs.py:load", "load"),
        ("package.jobs:load", "load"),
        ("package.jobs.load", "load"),
    ],
)
def test_flows_are_found(folder: Path, entrypoint: str, name: str) -> None:
    assert load_flow_from_entrypoint(entrypoint).name == name


def test_a_flow_imports_what_lies_beside_it(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    os.chdir(tmp_path_factory.mktemp("elsewhere"))

    assert load_flow_from_entrypoint(f"{folder / 'etl_script.py'}:load").fn(1) == 42


@pytest.mark.parametrize(
    ("entrypoint", "error", "says"),
    [
        ("missing.py:load", FileNotFoundError, "no file 'missing.py'"),
        ("etl_script.py:lode", MissingFlowError, "no flow 'lode'. Its flows are load."),
        ("etl_script.py:plain", MissingFlowError, "Decorate the function with @flow"),
        ("absent.module:load", ModuleNotFoundError, "No module named 'absent'"),
        ("etl_script.py", ValueError, "no entrypoint"),
        ("etl_script", ValueError, "no entrypoint"),
        ("", ValueError, "no entrypoint"),
        ("etl_script.py:", ValueError, "no entrypoint"),
    ],
)
def test_errors_say_what_is_missing(folder: Path, entrypoint: str, error: type, says: str) -> None:
    with pytest.raises(error, match=says):
        load_flow_from_entrypoint(entrypoint)


@pytest.mark.parametrize("text", ["import no_such_module_here", "raise RuntimeError('boom')", "def ("])
def test_a_script_that_fails_is_told_apart(folder: Path, text: str) -> None:
    (folder / "broken.py").write_text(text)

    for entrypoint in ("broken.py:load", "broken:load"):
        with pytest.raises(ScriptError, match=r"broken") as caught:
            load_flow_from_entrypoint(entrypoint)
        assert caught.value.__cause__ is caught.value.user_exc
    assert "broken" not in sys.modules


def test_a_script_named_as_a_module_of_the_standard_library_hides_nothing(folder: Path) -> None:
    import json

    (folder / "json.py").write_text("from prefect import flow\n@flow\ndef load(): ...\n")

    assert load_flow_from_entrypoint("json.py:load").name == "load"
    assert sys.modules["json"] is json


def test_the_way_back(folder: Path) -> None:
    found = load_flow_from_entrypoint("etl_script.py:load")

    assert entrypoint_of(found.fn) == "etl_script.py:load"
    assert entrypoint_of(found.fn, relative_to=folder.parent) == f"{folder.name}/etl_script.py:load"
    assert entrypoint_of(found.fn, relative_to=folder / "package") == f"{folder / 'etl_script.py'}:load"
    assert load_flow_from_entrypoint(entrypoint_of(found.fn)).name == "the-load"


def test_a_flow_in_a_function_has_no_entrypoint() -> None:
    @flow
    def inner() -> None: ...

    with pytest.raises(ValueError, match="inside a function"):
        entrypoint_of(inner.fn)
