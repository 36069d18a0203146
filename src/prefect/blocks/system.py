"""Blocks that everybody has."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from pydantic import Secret as PydanticSecret

from prefect.blocks.core import Block
from prefect.version import INTERFACE_VERSION

__all__ = ["Secret"]


class Secret(Block):
    """A value that nobody should see, such as a password or a token. It is shown as asterisks only."""

    _block_type_slug = "secret"
    _block_schema_version = INTERFACE_VERSION

    value: PydanticSecret[Any] = Field(description="A text, or anything else that JSON has.")

    @classmethod
    def __class_getitem__(cls, kind: Any) -> type[Secret]:
        """Accept the type of the value, for annotations such as `Secret[str]`."""
        return cls

    def get(self) -> Any:
        """Return the value."""
        return self.value.get_secret_value()
