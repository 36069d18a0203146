"""Whatever msgspec reads into a type goes through `whole`, so that no thread sees a struct half looked at."""

from __future__ import annotations

import ast
from collections.abc import Iterator

FORMS = ("json", "msgpack", "toml", "yaml")
READS = {"msgspec.convert", *(f"msgspec.{form}.{name}" for form in FORMS for name in ("Decoder", "decode"))}
WORDS = {*FORMS, "Decoder", "convert", "decode"}
# There is no struct in a type that has no other parts than these.
PLAIN = {
    *("Any", "UUID", "bool", "bytes", "date", "datetime", "dict", "float", "int", "list", "set", "str"),
    *("timedelta", "tuple"),
}
# What reads without it on purpose, as "module:function".
EXCEPT = {
    "prefect.schemas.base:whole",  # it has msgspec look at the type
}


def is_read(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in WORDS
        and ast.unparse(node.func) in READS
    )


def wanted_by(call: ast.Call) -> ast.expr | None:
    """Give the type that msgspec is told to read; None if it is told none."""
    by_name = {keyword.arg: keyword.value for keyword in call.keywords}
    place = {"msgspec.convert": 1}.get(ast.unparse(call.func), 0)
    is_decode = ast.unparse(call.func).endswith(".decode")
    return by_name.get("type") or (None if is_decode or place >= len(call.args) else call.args[place])


def is_plain(wanted: ast.expr) -> bool:
    return all(
        node.id in PLAIN if isinstance(node, ast.Name) else not isinstance(node, ast.Attribute | ast.Call)
        for node in ast.walk(wanted)
    )


def is_whole(wanted: ast.AST) -> bool:
    return isinstance(wanted, ast.Call) and isinstance(wanted.func, ast.Name) and wanted.func.id == "whole"


def careless_reads(within: ast.AST) -> Iterator[ast.Call]:
    """Find reads whose type is neither plain, nor whole, nor a name that was given to what is whole."""
    reads = [node for node in ast.walk(within) if is_read(node)]
    named = {
        target.id: node.lineno
        for node in (ast.walk(within) if reads else ())
        if isinstance(node, ast.Assign) and is_whole(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in reads:
        wanted = wanted_by(call)
        if wanted is None or is_plain(wanted) or is_whole(wanted):
            continue
        if not isinstance(wanted, ast.Name) or named.get(wanted.id, call.lineno) >= call.lineno:
            yield call


def hides_reads(node: ast.AST) -> bool:
    """Whether an import lets parts of msgspec that read be called by other names than those looked for."""
    if isinstance(node, ast.ImportFrom):
        below = (node.module or "").split(".")
        names = {alias.name for alias in node.names}
        return below[0] == "msgspec" and not WORDS.isdisjoint({*below, *names})
    return isinstance(node, ast.Import) and any(
        alias.name.split(".")[0] == "msgspec" and alias.asname for alias in node.names
    )


def test_msgspec_looks_at_types_as_a_whole_before_it_reads_them(modules):
    careless = {}
    for module in modules:
        careless.update({(module.relative, call.lineno): call for call in careless_reads(module.tree)})
        for function in module.functions():
            calls = {(module.relative, call.lineno): call for call in careless_reads(function)}
            if f"{module.name}:{function.name}" in EXCEPT:
                careless = {place: call for place, call in careless.items() if place not in calls}
            else:
                careless.update(calls)
    found = [f"{path}:{line}: {ast.unparse(call)}" for (path, line), call in careless.items()]

    assert not found, "give these types to `prefect.schemas.base.whole`:\n" + "\n".join(found)


def test_what_reads_is_called_by_its_full_name(modules):
    hidden = [
        f"{module.relative}:{node.lineno}"
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and hides_reads(node)
    ]

    assert not hidden, f"these imports hide what msgspec reads: {hidden}"
