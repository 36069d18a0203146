"""The source tree, parsed once, for the tests that hold the house rules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "prefect"


class Module(NamedTuple):
    """One file of the repository."""

    name: str
    path: Path
    lines: int
    tree: ast.Module

    @property
    def relative(self) -> str:
        return str(self.path.relative_to(ROOT))

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def _parse(path: Path, root: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    parts = path.relative_to(root).with_suffix("").parts
    name = ".".join(part for part in parts if part != "__init__")
    return Module(name, path, text.count("\n"), ast.parse(text, str(path)))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have one process of pytest-xdist run these tests, so that the source is read once."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("architecture"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    """The package's modules."""
    return [_parse(path, PACKAGE.parent) for path in sorted(PACKAGE.rglob("*.py"))]


@pytest.fixture(scope="session")
def every_module(modules: list[Module]) -> list[Module]:
    """The package's modules, the tests', the examples' and the benchmarks'."""
    folders = (ROOT / name for name in ("tests", "examples", "benchmarks"))
    return modules + [_parse(path, ROOT) for folder in folders for path in sorted(folder.rglob("*.py"))]
