"""What all filters share.

A filter holds criteria; a criterion holds tests. What is None does not count. All of them must hold, unless
the `operator` says that one is enough.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Any

import msgspec

from prefect.schemas.base import Schema

__all__ = ["Filter", "Operator"]


class Operator(StrEnum):
    """How several criteria are put together."""

    and_ = "and_"
    """All of them hold."""
    or_ = "or_"
    """At least one of them holds."""


class Filter(Schema, forbid_unknown_fields=True):
    """Base of the filters; criteria may be given as dicts, and ids and times as text."""

    def __post_init__(self) -> None:
        for name, kind in _kinds(type(self)).items():
            value = getattr(self, name)
            if value is not None:
                setattr(self, name, msgspec.convert(value, kind, strict=False))


@cache
def _kinds(cls: type[Filter]) -> dict[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(cls)}
