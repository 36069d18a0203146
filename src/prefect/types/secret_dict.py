"""A mapping of secrets. In a module of its own, as it needs pydantic."""

from __future__ import annotations

from typing import Any

from pydantic import Secret

__all__ = ["SecretDict"]


class SecretDict(Secret[dict[str, Any]]):
    """A mapping that is shown as asterisks; `get_secret_value()` returns it."""
