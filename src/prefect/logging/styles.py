"""Styles such as `bold magenta` as the codes that terminals understand."""

from __future__ import annotations

import re
from functools import cache

__all__ = ["RESET", "ansi", "render_markup"]

RESET = "\x1b[0m"

_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_CODES = {
    "bold": "1",
    "dim": "2",
    "italic": "3",
    "underline": "4",
    "reverse": "7",
    "strike": "9",
    **{name: str(30 + number) for number, name in enumerate(_COLOURS)},
    **{f"bright_{name}": str(90 + number) for number, name in enumerate(_COLOURS)},
    "grey": "90",
    "gray": "90",
    "red3": "38;5;160",
    "orange3": "38;5;172",
    "yellow3": "38;5;184",
    "orange1": "38;5;214",
}


@cache
def ansi(style: str) -> str:
    """Return the code that switches a style on; empty for a style that is not known.

    Args:
        style: Words such as `bold`, `bright_blue`, `color(208)` or `#ff8800`, with spaces between them.
    """
    codes = [code for word in style.split() if (code := _code(word))]
    return f"\x1b[{';'.join(codes)}m" if codes else ""


def _code(word: str) -> str | None:
    if found := re.fullmatch(r"color\((\d{1,3})\)", word):
        return f"38;5;{found[1]}"
    if re.fullmatch(r"#[0-9a-fA-F]{6}", word):
        red, green, blue = (int(word[start : start + 2], 16) for start in (1, 3, 5))
        return f"38;2;{red};{green};{blue}"
    return _CODES.get(word)


def render_markup(text: str, *, colors: bool) -> str:
    """Turn `[bold red]…[/]` into codes, or, without colours, take it away. Other brackets stay as they are.

    Args:
        text: Any text.
        colors: Whether the place it goes to shows colours.
    """

    def render(found: re.Match[str]) -> str:
        closes, style = found[1] == "/", found[2]
        code = RESET if closes else ansi(style)
        if not code or (closes and style and not ansi(style)):
            return found[0]
        return code if colors else ""

    return re.sub(r"\[(/?)([a-z0-9_# ()]*)\]", render, text)
