"""Gets at flows whose script cannot be loaded here, and at functions that are none yet."""

from __future__ import annotations
import __future__

import ast
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect.deployments.sources import load_flow
from prefect.engine.definition import Definition
from prefect.exceptions import MissingFlowError, ScriptError
from prefect.utilities.flow_source import arguments_of, find_function, find_source, parse_source

if TYPE_CHECKING:
    from prefect.flows import Flow

__all__ = ["load_flow_arguments_from_entrypoint", "safe_load_flow_from_entrypoint"]

_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def safe_load_flow_from_entrypoint(entrypoint: str) -> Flow[..., Any] | None:
    """Return the flow that an entrypoint leads to, even if its script cannot be loaded here.

    Then only its imports, definitions and constants are run, one by one; what fails is left out. The flow
    has its name and parameters then, but may not run.

    Args:
        entrypoint: `path/to/file.py:name`, `package.module:name` or `package.module.name`.

    Returns:
        The flow; None: not even that much of it works here.

    Raises:
        ValueError: There is no such flow.
    """
    path, name = _found(entrypoint)
    try:
        return load_flow(entrypoint)
    except (ScriptError, MissingFlowError):
        return _from_parts(parse_source(path), path, name)


def _from_parts(tree: ast.Module, path: Path, name: str) -> Flow[..., Any] | None:
    parts: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    # Annotations may refer to what is not there: they are left as they are written.
    for statement in tree.body:
        is_constant = isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
        if not is_constant and not isinstance(statement, _DEFINITIONS):
            continue
        code = compile(
            ast.Module([statement], []), str(path), "exec", flags=__future__.annotations.compiler_flag
        )
        try:
            exec(code, parts)
        except Exception:  # noqa: BLE001, S112 - whatever a script raises: the flow may do without this part
            continue
    found: Any = parts.get(name.partition(".")[0])
    for each in name.split(".")[1:]:
        found = getattr(found, each, None)
    return found if isinstance(found, Definition) and found._kind == "flow" else None  # type: ignore[return-value]


def load_flow_arguments_from_entrypoint(
    entrypoint: str, arguments: Collection[str] | None = None
) -> dict[str, Any]:
    """Return what the decorator of a flow is given, as its source says; nothing of it is run.

    Args:
        entrypoint: `path/to/file.py:name`, `package.module:name` or `package.module.name`.
        arguments: The arguments that are wanted; None: all.

    Returns:
        Each as text; of those that only running the code would tell, nothing. The name is always there.

    Raises:
        ValueError: There is no such flow.
    """
    path, name = _found(entrypoint)
    tree = parse_source(path)
    function = find_function(tree, name)
    assert function is not None
    constants = {
        target.id: statement.value.value
        for statement in tree.body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    found = {"name": function.name.replace("_", "-")}
    for word, node in arguments_of(function).items():
        text = _text(node, constants)
        if text is not None:
            found[word] = text
    return {word: text for word, text in found.items() if arguments is None or word in arguments}


def _text(node: ast.expr, constants: dict[str, Any]) -> str | None:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        return str(constants[node.id]) if node.id in constants else None
    if isinstance(node, ast.FormattedValue):
        is_plain = node.format_spec is None and node.conversion == -1
        return _text(node.value, constants) if is_plain else None
    if isinstance(node, ast.JoinedStr):
        texts = [_text(each, constants) for each in node.values]
        return None if None in texts else "".join(filter(None, texts))
    return None


def _found(entrypoint: str) -> tuple[Path, str]:
    found = find_source(entrypoint)
    if found is None or find_function(parse_source(found[0]), found[1]) is None:
        raise ValueError(f"There is no flow {entrypoint!r} here: give its file and its name in it.")
    return found
