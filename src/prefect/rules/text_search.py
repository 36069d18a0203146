"""What people type to search texts.

Words are looked for anywhere, in any case; one of them is enough. A word that starts with `+` must be there,
one that starts with `-` or `!` must not. Quotes keep words together: `"connection refused" -retry`.
"""

from __future__ import annotations

import re

import msgspec

__all__ = ["TextSearch", "parse_text_search"]

_TERM = re.compile(r'([+\-!]?)(?:"([^"]*)"?|(\S+))')


class TextSearch(msgspec.Struct, frozen=True, kw_only=True):
    """A search that was taken apart."""

    some_of: tuple[str, ...] = ()
    """At least one of these, where there are any."""
    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()


def parse_text_search(query: str) -> TextSearch:
    """Take a search apart.

    Args:
        query: What was typed.

    Returns:
        Its terms. A sign or a quote with nothing behind it counts for nothing.
    """
    terms: dict[str, list[str]] = {"": [], "+": [], "-": []}
    for sign, phrase, word in _TERM.findall(query):
        term = phrase.strip() or word
        if term and (sign or term not in "+-!"):
            terms["-" if sign == "!" else sign].append(term)
    return TextSearch(some_of=tuple(terms[""]), all_of=tuple(terms["+"]), none_of=tuple(terms["-"]))
