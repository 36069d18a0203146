"""Small files, small functions, and nothing written twice for async."""

from __future__ import annotations

import ast
import difflib
import re

# `exceptions.py` is over the norm on purpose: all errors stand in one file, with their tree, and each further
# one would be one more to load for whoever imports `prefect`.
MODULE_LIMIT, MODULE_NORM, FUNCTION_LIMIT, TWIN_LIMIT = 800, 400, 60, 10

# Functions that are longer on purpose, as "module:function"; at most 2 % may be.
LONG_FUNCTIONS = {
    "prefect.store.migrations.versions.0001_first_schema:_create_flow_runs",  # one table, a line a column
}


def test_modules_are_small(every_module):
    too_long = [
        f"{module.relative}: {module.lines}" for module in every_module if module.lines > MODULE_LIMIT
    ]
    above_norm = [
        f"{module.relative}: {module.lines}" for module in every_module if module.lines > MODULE_NORM
    ]

    assert not too_long, f"longer than {MODULE_LIMIT} lines: {too_long}"
    assert len(above_norm) <= len(every_module) * 0.1, (
        f"more than a tenth is over {MODULE_NORM} lines: {above_norm}"
    )


def test_functions_are_small(every_module):
    count, long = 0, {}
    for module in every_module:
        for function in module.functions():
            count += 1
            length = (function.end_lineno or function.lineno) - function.lineno + 1
            if length > FUNCTION_LIMIT:
                long[f"{module.name}:{function.name}"] = length

    assert long.keys() <= LONG_FUNCTIONS, f"longer than {FUNCTION_LIMIT} lines: {long}"
    assert long.keys() >= LONG_FUNCTIONS, f"no longer long: {LONG_FUNCTIONS - long.keys()}"
    assert len(long) <= count * 0.02


ASYNC = re.compile(r"\b(await |async )|\b_?(a|async_)(?=\w{3})|\bA?[Ss]ync|_a?sync\b")


def tokens_without_async(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str] | None:
    """Give the tokens of a function's body; None for one that only forwards, which is no copy of anything."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if len(body) < 2:
        return None
    text = "\n".join(ast.unparse(statement) for statement in body)
    return re.findall(r"\w+|\S", ASYNC.sub("", text))


def base_name(name: str) -> str:
    return re.sub(r"^_*(async_|async|sync_|sync|a(?=[a-z]{3}))|_a?sync$", "", name)


def test_sync_and_async_are_written_once(modules):
    sync: dict[str, list[tuple[str, list[str]]]] = {}
    twins = []
    functions = [(module, function) for module in modules for function in module.functions()]
    for module, function in functions:
        if isinstance(function, ast.FunctionDef) and (tokens := tokens_without_async(function)):
            for name in {function.name.lstrip("_"), base_name(function.name)}:
                sync.setdefault(name, []).append((f"{module.name}:{function.name}", tokens))
    for module, function in functions:
        if isinstance(function, ast.AsyncFunctionDef) and (tokens := tokens_without_async(function)):
            for name in {function.name.lstrip("_"), base_name(function.name)}:
                for other, their_tokens in sync.get(name, []):
                    if difflib.SequenceMatcher(None, tokens, their_tokens, autojunk=False).ratio() >= 0.8:
                        twins.append(f"{module.name}:{function.name} is {other}")

    assert len(set(twins)) <= TWIN_LIMIT, "written twice:\n" + "\n".join(sorted(set(twins)))
