"""`Statement`, a statement whose text is known ahead of time."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Statement"]


class Statement(NamedTuple):
    """A statement in both databases' words; parameters are given by position."""

    sqlite: str
    postgresql: str
