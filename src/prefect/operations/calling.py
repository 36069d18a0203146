"""How an operation's call is laid out in a request: known to the server's routes and the HTTP client alike.

An operation's signature says it all: the names in braces are in the path; of the other arguments, those of
GET and DELETE are in the query, and those of other methods the members of the body; but a single one that is
an object, or a list of objects, is the body itself.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from prefect.operations.registry import Operation

__all__ = ["SPELLED", "Layout", "layout_of"]

SPELLED = {"page_token": "page-token"}
"""Names in queries that are spelled as no argument can be."""

_IN_PATH = re.compile(r"{(\w+)}")


class Layout(NamedTuple):
    """Where each argument of an operation goes."""

    names: tuple[str, ...]
    """All arguments but the store, in their order."""
    in_path: Mapping[str, Any]
    """The types of those in the path."""
    others: Mapping[str, Any]
    """The types of those in the query or the body."""
    defaults: Mapping[str, Any]
    """The defaults of those that have one."""
    in_query: bool
    """Whether the others are in the query."""
    is_body: bool
    """Whether there is one other that is the body itself."""
    result_type: Any


def layout_of(operation: Operation) -> Layout:
    """Return how the calls of an operation are laid out.

    Args:
        operation: The operation.
    """
    hints = get_type_hints(operation.function, include_extras=True)
    parameters = list(inspect.signature(operation.function).parameters.values())[1:]
    names = tuple(parameter.name for parameter in parameters)
    in_path = frozenset(_IN_PATH.findall(operation.path))
    others = [name for name in names if name not in in_path]
    in_query = operation.method in ("GET", "DELETE")
    return Layout(
        names=names,
        in_path={name: hints[name] for name in names if name in in_path},
        others={name: hints[name] for name in others},
        defaults={
            parameter.name: parameter.default
            for parameter in parameters
            if parameter.default is not parameter.empty
        },
        in_query=in_query,
        is_body=operation.body_is_value
        or (not in_query and len(others) == 1 and _is_object(hints[others[0]])),
        result_type=hints["return"],
    )


def _is_object(wanted: Any) -> bool:
    """Whether a type is a schema or a mapping, or a sequence of one."""
    origin = get_origin(wanted) or wanted
    if isinstance(origin, type) and issubclass(origin, Sequence) and not issubclass(origin, str):
        return any(_is_object(inner) for inner in get_args(wanted))
    return isinstance(origin, type) and issubclass(origin, msgspec.Struct | Mapping)
