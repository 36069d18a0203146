"""What the environment says about the terminal."""

from __future__ import annotations

import os
from typing import TextIO

__all__ = ["is_terminal", "terminal_has_colors"]


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal; what stands in for one, a closed stream and None are not."""
    try:
        return stream is not None and stream.isatty()
    except (AttributeError, ValueError):
        return False


def terminal_has_colors(stream: TextIO) -> bool:
    """Whether colours may be written to a stream: a terminal, with neither NO_COLOR nor TERM=dumb set.

    Args:
        stream: Standard output or standard error.
    """
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
