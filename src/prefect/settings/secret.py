"""`SecretStr`, a text that does not show itself."""

from __future__ import annotations

__all__ = ["MASK", "SecretStr"]

MASK = "**********"
"""What is shown in place of a secret."""


class SecretStr:
    """A text that prints as asterisks. `get_secret_value` gives it away.

    Args:
        value: The secret.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        """Return the secret itself."""
        return self._value

    def __str__(self) -> str:
        return MASK if self._value else ""

    def __repr__(self) -> str:
        return f"SecretStr({str(self)!r})"

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return self._value == other._value if isinstance(other, SecretStr) else NotImplemented

    def __hash__(self) -> int:
        return hash((SecretStr, self._value))
