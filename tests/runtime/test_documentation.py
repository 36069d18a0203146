"""The documentation's table of attributes is the code's."""

from __future__ import annotations

import ast
import inspect
import re
from datetime import datetime
from pathlib import Path
from types import ModuleType

import pytest

from prefect.runtime import deployment, flow_run, task_run

PAGE = Path(__file__).parents[2] / "docs" / "runtime-context.md"
ROW = re.compile(r"^\| `(\w+)\.(\w+)` \| (.*?) \| .+ \|$", re.MULTILINE)


def documented(section: str) -> dict[str, str]:
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {
        name: kinds.replace("`", "").replace(", ", " | ") for where, name, kinds in rows if where == section
    }


def declared(module: ModuleType) -> dict[str, str]:
    """The annotations that type checkers see, without what is in lists and dicts."""
    tree = ast.parse(inspect.getsource(module))
    found = (node for node in ast.walk(tree) if isinstance(node, ast.AnnAssign) and node.value is None)
    return {ast.unparse(node.target): re.sub(r"\[.*?\]", "", ast.unparse(node.annotation)) for node in found}


@pytest.mark.parametrize("module", [flow_run, task_run, deployment])
def test_the_table_the_declarations_and_the_getters_are_the_same(module):
    section = module.__name__.rpartition(".")[2]
    assert documented(section) == declared(module)
    assert sorted(declared(module)) == dir(module)


@pytest.mark.parametrize("module", [flow_run, task_run, deployment])
def test_outside_of_runs_the_values_have_the_declared_types(module):
    kinds = {"str": str, "int": int, "list": list, "dict": dict, "datetime": datetime, "None": type(None)}
    for name, annotation in declared(module).items():
        assert isinstance(getattr(module, name), tuple(kinds[kind] for kind in annotation.split(" | "))), name


@pytest.mark.parametrize("module", [flow_run, task_run, deployment])
def test_mocks_are_cast_to_the_declared_types(module, monkeypatch):
    samples = {"str": "x", "int": "1", "list": "[]", "dict": "{}", "datetime": "2026-01-31"}
    for name, annotation in declared(module).items():
        kind = annotation.partition(" ")[0]
        monkeypatch.setenv(
            f"PREFECT__RUNTIME__{module.__name__.split('.')[2].upper()}__{name.upper()}", samples[kind]
        )
        assert type(getattr(module, name)).__name__ == kind, name
