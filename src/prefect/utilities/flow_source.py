"""What the source of a flow says of it, read without running it."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any, NamedTuple

from prefect.exceptions import MissingFlowError, ScriptError

__all__ = ["FlowSource", "arguments_of", "find_function", "find_source", "parse_source", "read_source"]

_TYPES = {
    "str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array",
    "dict": "object", "List": "array", "Dict": "object", "set": "array", "tuple": "array", "None": "null",
}  # fmt: skip
"""The JSON types of annotations that mean the same wherever they stand."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class FlowSource(NamedTuple):
    """What the source of a flow says of it."""

    name: str
    function: str
    description: str | None
    version: str | None
    parameters: dict[str, Any]
    """The JSON schema of its parameters; of an annotation that only running the code explains, nothing."""


def find_source(entrypoint: str) -> tuple[Path, str] | None:
    """Return the file that an entrypoint leads to, and the name in it; None: there is no such file here.

    Args:
        entrypoint: `path/to/file.py:name`, `package.module:name` or `package.module.name`.
    """
    separator = ":" if ":" in entrypoint else "."
    place, _, name = entrypoint.rpartition(separator)
    if not place or not name or entrypoint.endswith(".py"):
        return None
    path = Path(place).expanduser() if place.endswith(".py") else Path(*place.split(".")).with_suffix(".py")
    return (path, name) if path.is_file() else None


def read_source(path: Path, name: str) -> FlowSource:
    """Read what the source of a flow says.

    Args:
        path: Its file.
        name: Its function, perhaps in classes: `Jobs.nightly`.

    Raises:
        prefect.exceptions.MissingFlowError: The file has no such function.
        prefect.exceptions.ScriptError: The file is no Python.
    """
    function = find_function(parse_source(path), name)
    if function is None:
        raise MissingFlowError(f"{str(path)!r} has no flow {name!r}.")
    options = arguments_of(function)
    return FlowSource(
        name=_text(options.get("name")) or function.name.replace("_", "-"),
        function=function.name,
        description=_text(options.get("description")) or ast.get_docstring(function),
        version=_text(options.get("version")),
        parameters=_schema(function),
    )


def parse_source(path: Path) -> ast.Module:
    """Parse a file.

    Args:
        path: The file.

    Raises:
        prefect.exceptions.ScriptError: It is no Python.
    """
    try:
        return ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        raise ScriptError(error, str(path)) from error


def find_function(tree: ast.Module, name: str) -> _Function | None:
    """Return the definition of a function in a parsed file; None if there is none.

    Args:
        tree: The file.
        name: The function, perhaps in classes: `Jobs.nightly`.
    """
    *classes, own = name.split(".")
    body: list[ast.stmt] = tree.body
    for each in classes:
        inner = next((one for one in body if isinstance(one, ast.ClassDef) and one.name == each), None)
        if inner is None:
            return None
        body = inner.body
    # The last one is what the name means when the module is loaded.
    return next((one for one in reversed(body) if isinstance(one, _Function) and one.name == own), None)


def arguments_of(function: _Function) -> dict[str, ast.expr]:
    """Return what the `@flow(...)` of a function is given by name.

    Args:
        function: The function.
    """
    for each in function.decorator_list:
        if isinstance(each, ast.Call) and ast.unparse(each.func).rpartition(".")[2] == "flow":
            return {word.arg: word.value for word in each.keywords if word.arg is not None}
    return {}


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _schema(function: _Function) -> dict[str, Any]:
    arguments = function.args
    placed = [*arguments.posonlyargs, *arguments.args]
    without = len(placed) - len(arguments.defaults)
    defaults: list[ast.expr | None] = [*[None] * without, *arguments.defaults, *arguments.kw_defaults]
    properties: dict[str, Any] = {}
    required: list[str] = []
    for position, (argument, default) in enumerate(
        zip([*placed, *arguments.kwonlyargs], defaults, strict=True)
    ):
        about: dict[str, Any] = {**_type(argument.annotation), "position": position, "title": argument.arg}
        if default is None:
            required.append(argument.arg)
        else:
            about |= _default(default)
        properties[argument.arg] = about
    for variadic, kind in ((arguments.vararg, "array"), (arguments.kwarg, "object")):
        if variadic is not None:
            properties[variadic.arg] = {"type": kind, "position": len(properties), "title": variadic.arg}
    return {
        "title": "Parameters",
        "type": "object",
        "properties": properties,
        "required": required,
        "definitions": {},
    }


def _type(annotation: ast.expr | None) -> dict[str, Any]:
    """Return the schema of an annotation that is plain enough; of others, nothing."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except SyntaxError:
            return {}
    if isinstance(annotation, ast.Constant) and annotation.value is None:
        return {"type": "null"}
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        arms = [_type(annotation.left), _type(annotation.right)]
        return {"anyOf": arms} if all(arms) else {}
    if isinstance(annotation, ast.Subscript):
        annotation = annotation.value
    if isinstance(annotation, ast.Name) and annotation.id in _TYPES:
        return {"type": _TYPES[annotation.id]}
    return {}


def _default(node: ast.expr) -> dict[str, Any]:
    try:
        return {"default": json.loads(json.dumps(ast.literal_eval(node)))}
    except (ValueError, TypeError):
        return {}
