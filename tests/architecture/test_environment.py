"""Settings are read once, in `prefect.settings`, and passed on: no other module reads the environment."""

from __future__ import annotations

import ast

ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}


def reads_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return isinstance(node.value, ast.Name) and node.value.id == "os" and node.attr in ENVIRONMENT
    return (
        isinstance(node, ast.ImportFrom)
        and node.module == "os"
        and not ENVIRONMENT.isdisjoint(alias.name for alias in node.names)
    )


def test_only_settings_read_the_environment(modules):
    readers = [
        f"{module.relative}:{node.lineno}"
        for module in modules
        if not module.name.startswith("prefect.settings")
        for node in ast.walk(module.tree)
        if reads_environment(node)
    ]

    assert not readers, f"the environment is read outside prefect.settings: {readers}"
