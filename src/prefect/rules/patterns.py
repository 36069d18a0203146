"""How long a check of values against a JSON schema may take, told without doing it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

__all__ = ["MOST_STEPS", "may_take_long"]

MOST_STEPS = 20_000_000
"""Steps of a search that are done within some tenths of a second."""
_MOST_UNIQUE = 2_000
"""Items that are compared with each other."""
_REFERENCES = frozenset(("$ref", "$dynamicRef", "$recursiveRef"))
_REPEATED_GROUP = re.compile(r"\)\s*[*+{?]")
_UNBOUNDED = re.compile(r"[*+{]")
_CHOICE = re.compile(r"[?|]")


def may_take_long(schema: Any, values: Any) -> bool:
    """Return whether a check might take longer than anyone would wait for it.

    Python's regular expressions search by trial and error: how often they try depends on the pattern, and a
    short one may try for years. So an upper bound of the tries is looked at, not the pattern's length:
    whatever is repeated may end at each character, unless it is a group, which may have any number of ways
    within each.

    Args:
        schema: The schema, as JSON has it.
        values: The values, as JSON has them.
    """
    patterns = list(_patterns(schema))
    lengths: list[int] = []
    longest = 0
    for text, count in _sizes(values):
        lengths.append(text)
        longest = max(longest, count)
    keys = set(_keys(schema))
    if longest > _MOST_UNIQUE and "uniqueItems" in keys:
        return True
    # What names its own dialect is not watched by the clock where a reference leads back to it.
    if "$schema" in keys and keys & _REFERENCES:
        return True
    steps = 0
    for pattern in patterns:
        if _REPEATED_GROUP.search(pattern):
            return True
        repeats = len(_UNBOUNDED.findall(pattern))
        ways = 2 ** len(_CHOICE.findall(pattern))
        for length in lengths:
            steps += (length + 1) ** (repeats + 1) * ways * (length + len(pattern))
            if steps > MOST_STEPS:
                return True
    return False


def _nodes(value: Any) -> Iterator[Any]:
    waiting = [value]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, dict):
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _keys(schema: Any) -> Iterator[str]:
    for node in _nodes(schema):
        if isinstance(node, dict):
            yield from node


def _patterns(schema: Any) -> Iterator[str]:
    """Give what may be a pattern: also where the schema has a property of that name."""
    for node in _nodes(schema):
        if isinstance(node, dict):
            if isinstance(pattern := node.get("pattern"), str):
                yield pattern
            if isinstance(several := node.get("patternProperties"), dict) and several:
                yield from several
                # Some checks search for all of them at once.
                yield "|".join(several)


def _sizes(values: Any) -> Iterator[tuple[int, int]]:
    """Give the length of each text, names included, and the size of each list."""
    for node in _nodes(values):
        if isinstance(node, str):
            yield len(node), 0
        elif isinstance(node, list):
            yield 0, len(node)
        elif isinstance(node, dict):
            for name in node:
                yield len(name), 0
