"""Placeholders in job templates: `{{ name }}` stands for a value, alone or within a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

__all__ = ["LEFT_OUT", "fill"]

_PLACEHOLDER = re.compile(r"{{\s*([\w.\-\[\]$]+)\s*}}")


class _LeftOut:
    """Stands for what nobody gave."""

    def __repr__(self) -> str:
        return "LEFT_OUT"


LEFT_OUT: Any = _LeftOut()
"""What a placeholder is filled with that nobody gave a value: its field or item is left out."""


def fill(template: Any, value_of: Callable[[str], Any]) -> Any:
    """Return a template with its placeholders filled in.

    A text that is nothing but a placeholder becomes the value, of whatever type; within a longer text, the
    value is written as text, and nothing where there is none.

    Args:
        template: A JSON value.
        value_of: Gives a placeholder's value by its name; `LEFT_OUT` where there is none.
    """
    if isinstance(template, str):
        whole = _PLACEHOLDER.fullmatch(template.strip())
        if whole is not None:
            return value_of(whole[1])
        return _PLACEHOLDER.sub(lambda found: _text(value_of(found[1])), template)
    if isinstance(template, dict):
        filled = {name: fill(item, value_of) for name, item in template.items()}
        return {name: item for name, item in filled.items() if item is not LEFT_OUT}
    if isinstance(template, list):
        return [one for one in (fill(item, value_of) for item in template) if one is not LEFT_OUT]
    return template


def _text(value: Any) -> str:
    return "" if value is LEFT_OUT or value is None else str(value)
