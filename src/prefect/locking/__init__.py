"""Lock managers: who may compute the result of a key, where several want to at once."""

from __future__ import annotations
