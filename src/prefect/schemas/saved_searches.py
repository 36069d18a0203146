"""Saved searches: filters that people keep under a name."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from prefect.schemas.base import Schema
from prefect.types import uuid7

__all__ = ["SavedSearch", "SavedSearchCreate", "SavedSearchFilter"]


class SavedSearchFilter(Schema):
    """One criterion of a search, as a page keeps it; it is not looked into."""

    object: str
    property: str
    type: str
    operation: str
    value: Any


class SavedSearch(Schema):
    """A search."""

    name: str
    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None
    filters: list[SavedSearchFilter] = msgspec.field(default_factory=list)


class SavedSearchCreate(Schema, forbid_unknown_fields=True):
    """A search to be kept."""

    name: str
    filters: list[SavedSearchFilter] = msgspec.field(default_factory=list)
