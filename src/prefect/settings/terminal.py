"""What the environment says about the terminal."""

from __future__ import annotations

import os
from typing import TextIO

__all__ = ["terminal_has_colors"]


def terminal_has_colors(stream: TextIO) -> bool:
    """Whether colours may be written to a stream: a terminal, with neither NO_COLOR nor TERM=dumb set.

    Args:
        stream: Standard output or standard error.
    """
    try:
        is_terminal = stream.isatty()
    except (AttributeError, ValueError):  # something in its place, or a closed stream
        return False
    return is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
