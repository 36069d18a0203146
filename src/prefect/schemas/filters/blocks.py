"""Filters of block types, of their schemas, and of documents."""

from __future__ import annotations

from uuid import UUID

import msgspec

from prefect.schemas.filters.base import Filter, Operator

__all__ = [
    "BlockDocumentFilter",
    "BlockDocumentFilterBlockTypeId",
    "BlockDocumentFilterId",
    "BlockDocumentFilterIsAnonymous",
    "BlockDocumentFilterName",
    "BlockSchemaFilter",
    "BlockSchemaFilterBlockTypeId",
    "BlockSchemaFilterCapabilities",
    "BlockSchemaFilterId",
    "BlockSchemaFilterVersion",
    "BlockTypeFilter",
    "BlockTypeFilterName",
    "BlockTypeFilterSlug",
]


class BlockTypeFilterName(Filter):
    """By a part of the name."""

    like_: str | None = None


class BlockTypeFilterSlug(Filter):
    """By slug."""

    any_: list[str] | None = None


class BlockTypeFilter(Filter):
    """Which block types."""

    name: BlockTypeFilterName | None = None
    slug: BlockTypeFilterSlug | None = None


class BlockSchemaFilterBlockTypeId(Filter):
    """By block type."""

    any_: list[UUID] | None = None


class BlockSchemaFilterCapabilities(Filter):
    """By what blocks can do."""

    all_: list[str] | None = None


class BlockSchemaFilterId(Filter):
    """By id."""

    any_: list[UUID] | None = None


class BlockSchemaFilterVersion(Filter):
    """By version."""

    any_: list[str] | None = None


class BlockSchemaFilter(Filter):
    """Which block schemas."""

    operator: Operator = Operator.and_
    block_type_id: BlockSchemaFilterBlockTypeId | None = None
    block_capabilities: BlockSchemaFilterCapabilities | None = None
    id: BlockSchemaFilterId | None = None
    version: BlockSchemaFilterVersion | None = None


class BlockDocumentFilterId(Filter):
    """By id."""

    any_: list[UUID] | None = None


class BlockDocumentFilterIsAnonymous(Filter):
    """By whether it has no name of the user's."""

    eq_: bool | None = None


class BlockDocumentFilterBlockTypeId(Filter):
    """By block type."""

    any_: list[UUID] | None = None


class BlockDocumentFilterName(Filter):
    """By name."""

    any_: list[str] | None = None
    like_: str | None = None


class BlockDocumentFilter(Filter):
    """Which block documents; those without a name of the user's only where they are asked for."""

    operator: Operator = Operator.and_
    id: BlockDocumentFilterId | None = None
    is_anonymous: BlockDocumentFilterIsAnonymous | None = msgspec.field(
        default_factory=lambda: BlockDocumentFilterIsAnonymous(eq_=False)
    )
    block_type_id: BlockDocumentFilterBlockTypeId | None = None
    name: BlockDocumentFilterName | None = None
