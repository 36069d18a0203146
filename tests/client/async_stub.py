"""Write the stub of the async client from the sync one's source: `python tests/client/async_stub.py`."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from prefect.client.orchestration import asynchronous as asynchronous_module
from prefect.client.orchestration.raw import Requests
from prefect.client.orchestration.sync import SyncPrefectClient

STUB = Path(asynchronous_module.__file__).with_suffix(".pyi")
HEAD = '''"""What type checkers know of the async client; made by tests/client/async_stub.py."""

import asyncio
from typing import Self
'''


def stub() -> str:
    """Return the stub's text."""
    imports: dict[str, str] = {}
    bodies: dict[str, list[str]] = {"_AsyncRequests": [], "PrefectClient": []}
    for name, owners in (("_AsyncRequests", [Requests]), ("PrefectClient", list(SyncPrefectClient.__mro__))):
        for owner in owners:
            module = sys.modules[owner.__module__]
            if not owner.__module__.startswith("prefect."):
                continue
            for method in methods(module, owner.__name__):
                if method.name.startswith("_"):
                    continue
                bodies[name].append(textual(method))
                imports |= {used: text for used, text in names_of(module) if used in words_of(method)}
    init = next(
        textual(method, asynchronous=False)
        for method in methods(sys.modules[SyncPrefectClient.__module__], "SyncPrefectClient")
        if method.name == "__init__"
    )
    imports |= dict(names_of(sys.modules[SyncPrefectClient.__module__]))
    imports = {
        used: text for used, text in imports.items() if used not in ("Self", "TracebackType", "Requests")
    }
    lines = [
        HEAD,
        *sorted({text for text in imports.values() if "Methods" not in text and "annotations" not in text}),
        "\n__all__ = ['AT_ONCE', 'PrefectClient']\n\nAT_ONCE: frozenset[str]\n",
        "class _AsyncRequests:",
        *bodies["_AsyncRequests"],
        "class PrefectClient:",
        init,
        "    _client: _AsyncRequests",
        "    @property\n    def loop(self) -> asyncio.AbstractEventLoop: ...",
        "    async def __aenter__(self) -> Self: ...",
        "    async def __aexit__(self, *error: object) -> None: ...",
        *sorted(bodies["PrefectClient"]),
    ]
    return formatted("\n".join(lines) + "\n")


def methods(module: ModuleType, owner: str) -> Iterator[ast.FunctionDef]:
    """Give the methods that a class of a module defines itself."""
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ClassDef) and node.name == owner:
            yield from (item for item in node.body if isinstance(item, ast.FunctionDef))


def names_of(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Give what a module imports, each name with the import of it alone."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"from {node.module} import {alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, f"import {alias.name}"


def words_of(method: ast.FunctionDef) -> set[str]:
    """Return the names in a method's signature."""
    parts = [method.args, *([method.returns] if method.returns else [])]
    return {node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)}


def textual(method: ast.FunctionDef, *, asynchronous: bool = True) -> str:
    """Return a method's line in the stub."""
    is_property = any(isinstance(mark, ast.Name) and mark.id == "property" for mark in method.decorator_list)
    returns = f" -> {ast.unparse(method.returns)}" if method.returns else ""
    awaited = asynchronous and not is_property and method.name not in asynchronous_module.AT_ONCE
    kind = "async def" if awaited else "def"
    line = f"    {kind} {method.name}({ast.unparse(method.args)}){returns}: ..."
    return f"    @property\n{line}" if is_property else line


def formatted(text: str) -> str:
    """Return the text as the repository's formatter has it."""
    for command in (["check", "--select", "I", "--fix", "--quiet"], ["format", "--quiet"]):
        text = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(STUB), "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return text


if __name__ == "__main__":
    STUB.write_text(stub(), encoding="utf-8")
