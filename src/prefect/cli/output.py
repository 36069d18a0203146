"""Printing: JSON for programs, tables for people."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from prefect.exceptions import CommandFailed
from prefect.schemas.base import encode_json
from prefect.settings import get_current_settings
from prefect.settings.terminal import is_terminal

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Format", "Styled", "confirm", "console", "escaped", "print_facts", "print_json", "print_table"]

Format = Literal["json"]
"""What `--output` takes."""


def print_json(value: Any) -> None:
    """Print one JSON document, and nothing else.

    Args:
        value: What to print; schemas are fine.
    """
    import msgspec

    print(msgspec.json.format(encode_json(value), indent=2).decode())


def console() -> Console:
    """Return where to print with style."""
    from rich.console import Console

    # None: as NO_COLOR says.
    return Console(no_color=None if get_current_settings().cli.colors else True, highlight=False)


# What moves the cursor, colours, or turns the direction of what follows; and halves of characters.
_UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def escaped(text: str) -> str:
    """Return a text that somebody stored as it can be shown: what would do something to a terminal, escaped.

    Args:
        text: The text. Its lines and tabs stay.
    """
    return _UNSHOWN.sub(lambda found: ascii(found[0])[1:-1], text)


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print a fact a line; what is None or empty is left out, and a list has a line for each item.

    Args:
        facts: What to say, by its name.
    """
    width = max(map(len, facts)) + 2
    for name, value in facts.items():
        if value in (None, "", [], {}):
            continue
        if isinstance(value, list):
            print(f"{name}:")
            print("\n".join(f"  {escaped(str(item))}" for item in value))
        else:
            text = value if isinstance(value, str) else encode_json(value).decode().strip('"')
            print(f"{name + ':':<{width}}{escaped(text)}")


class Styled(str):
    """A text that has a style on terminals.

    Args:
        text: The text.
        style: The style, in rich's words, such as `red`.
    """

    __slots__ = ("style",)
    style: str

    def __new__(cls, text: str, style: str) -> Styled:
        """Make a text with a style."""
        made = super().__new__(cls, text)
        made.style = style
        return made


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], whole: int = 1) -> None:
    """Print a table; where the terminal is too narrow for one, a paragraph a row.

    What is piped elsewhere has a line a row and no frames, which suits `grep`, and does without rich, which
    takes longer to load than all else that a listing does.

    Args:
        title: What the table shows.
        columns: The heads of the columns.
        rows: A text for each column, perhaps `Styled`; rich's markup is not read.
        whole: How many columns, from the left, must not be broken.
    """
    if not is_terminal(sys.stdout):
        _print_columns([columns, *([escaped(cell) for cell in row] for row in rows)])
        return
    from rich.table import Table
    from rich.text import Text

    out = console()
    texts = [[Text(escaped(cell), getattr(cell, "style", "")) for cell in row] for row in rows]
    fixed = sum(max((row[i].cell_len for row in texts), default=0) + 3 for i in range(whole))
    if out.width < fixed + 8 * (len(columns) - whole) + 1:
        for row in texts:
            for head, cell in zip(columns, row, strict=True):
                out.print(Text(f"{head}: ") + cell, soft_wrap=True)
            out.print()
        return
    wrap = get_current_settings().cli.wrap_lines
    table = Table(title=title, title_justify="left")
    for place, head in enumerate(columns):
        table.add_column(head, no_wrap=place < whole or not wrap, overflow="fold" if wrap else "ellipsis")
    for row in texts:
        table.add_row(*row)
    out.print(table)


def _print_columns(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(line.replace("\n", " ").rstrip())


def confirm(question: str, *, yes: bool, must: bool = False) -> None:
    """Ask a person whether to go on; go on where nobody is there to ask.

    Args:
        question: What is about to happen.
        yes: It has been agreed to already.
        must: Whether somebody must agree to it: nothing brings back what is lost.

    Raises:
        prefect.exceptions.CommandFailed: The answer was no, or nobody is there to give one.
    """
    prompt = get_current_settings().cli.prompt
    asks = is_terminal(sys.stdin) if prompt is None else prompt
    if must and not yes and not asks:
        raise CommandFailed(f"{question} Nobody is there to ask: give --yes. Nothing was changed.")
    if asks and not yes and input(f"{question} [y/N]: ").strip().casefold() not in ("y", "yes"):
        raise CommandFailed("Nothing was changed.")
