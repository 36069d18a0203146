"""Which part of a listing is wanted, and what was set of a change."""

from __future__ import annotations

from typing import Any

import msgspec

from prefect.schemas.base import Schema

__all__ = ["Page", "set_fields"]


class Page(Schema):
    """A window of a listing."""

    limit: int | None = None
    """At most so many; None: `prefect.schemas.queries.DEFAULT_LIMIT`."""
    offset: int | None = 0
    """Leave out so many of the first."""


def set_fields(change: msgspec.Struct) -> dict[str, Any]:
    """Return the fields of a change that were set.

    Args:
        change: What is to be changed; fields that stay as they are, are UNSET.
    """
    values = {name: getattr(change, name) for name in change.__struct_fields__}
    return {name: value for name, value in values.items() if value is not msgspec.UNSET}
