"""Templates of automations: whether a text is one, whether it may take long, and what it says of values.

Templates are written by users and filled in by servers. What only names values is filled in at once; what
computes (loops, calls, arithmetic) can make a short text work for ever or need all memory, so that its caller
has it filled in by a process that can be ended.

Jinja is imported when it is needed: it may not be installed, and whoever has no templates needs none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from prefect.exceptions import InvalidTemplate

if TYPE_CHECKING:
    from jinja2.nodes import Node, Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

__all__ = ["LONGEST", "is_template", "is_quick", "read_template", "rendered"]

LONGEST = 100_000
"""How many characters a template may become."""
_DEEPEST = 2
"""Loops within loops multiply what a short template costs."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NODES = _names(
    "And Compare Concat CondExpr Const Filter Getattr Getitem If Keyword List Name Not Operand Or Output "
    "Template TemplateData Test Tuple"
)
"""What only names and compares, as Jinja calls it."""
_FILTERS = _names(
    "abs capitalize count d default first float int items last length list lower max min round sort string "
    "striptags title trim truncate ui_url unique upper"
)
_GROWING = _names("e escape tojson urlencode")
"""Filters that make a text some times as long; a few of them in a row, very long."""


def is_template(text: str) -> bool:
    """Return whether a text has anything to be filled in.

    Args:
        text: The text.
    """
    return "{{" in text or "{%" in text


def read_template(source: str, *, strict: bool = False) -> Template:
    """Return a template as its parts.

    Args:
        source: The template.
        strict: Whether all filters and tests that it names must be there.

    Raises:
        InvalidTemplate: It is none; the error says where.
        ImportError: Jinja is not installed here.
    """
    environment = _environment()
    from jinja2.exceptions import TemplateSyntaxError  # noqa: PLC0415 - may be missing

    try:
        # Not compiled: that would compute what there is of constants, however long it takes.
        read = environment.parse(source)
    except TemplateSyntaxError as error:
        raise InvalidTemplate(error.message or "It is no template.", error.lineno, source) from error
    except RecursionError as error:
        raise InvalidTemplate("It is nested too deeply.", 0, source) from error
    for kind, known in (("Filter", environment.filters), ("Test", environment.tests)):
        for node in _all(read) if strict else ():
            if type(node).__name__ == kind and (name := str(getattr(node, "name", ""))) not in known:
                raise InvalidTemplate(f"There is no {kind.lower()} {name!r}.", node.lineno, source)
    deepest = _loops(read)
    if deepest > _DEEPEST:
        message = f"It has loops {deepest} deep; templates may have loops {_DEEPEST} deep."
        raise InvalidTemplate(message, 0, source)
    return read


def is_quick(read: Template) -> bool:
    """Return whether a template can only become about as long as the values that it names.

    Args:
        read: The template, as `read_template` gives it.
    """
    growing = 0
    for node in _all(read):
        kind = type(node).__name__
        if kind not in _NODES:
            return False
        name = getattr(node, "name", None) if kind == "Filter" else None
        growing += name in _GROWING
        if name is not None and name not in _FILTERS and name not in _GROWING:
            return False
    return growing <= 1


def rendered(source: str, values: Mapping[str, Any]) -> str:
    """Return what a template says of some values. What is not there is left empty.

    Args:
        source: The template.
        values: The values, by their names.

    Raises:
        InvalidTemplate: It cannot be filled in, or becomes too long.
    """
    from jinja2.exceptions import TemplateError  # noqa: PLC0415 - may be missing

    parts: list[str] = []
    length = 0
    try:
        for part in _environment().from_string(source).generate(values):
            length += len(part)
            if length > LONGEST:
                raise InvalidTemplate(f"It becomes longer than {LONGEST} characters.", 0, source)
            parts.append(part)
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        # Templates are code of users; whatever they do wrong is theirs.
        raise InvalidTemplate(f"It cannot be filled in: {error}", 0, source) from error
    except (MemoryError, RecursionError) as error:
        raise InvalidTemplate("It cannot be filled in: it needs too much memory.", 0, source) from error
    return "".join(parts)


def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import ChainableUndefined  # noqa: PLC0415 - may be missing
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415 - may be missing

    # A message that lacks a detail is better than none.
    made = ImmutableSandboxedEnvironment(undefined=ChainableUndefined)
    made.filters["ui_url"] = _ui_url
    return made


def _ui_url(of: Any) -> str:
    """Return the address of something's page, which it brings along."""
    return str(of.get("ui_url") or "") if isinstance(of, Mapping) else ""


def _all(node: Node) -> Iterator[Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _all(child)


def _loops(node: Node) -> int:
    """Return how many loops are within each other at most."""
    inside = max((_loops(child) for child in node.iter_child_nodes()), default=0)
    return inside + (type(node).__name__ == "For")
