"""Blocks: their types, the schemas of these, and documents, which hold values under a name."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from prefect.schemas.base import Schema
from prefect.schemas.filters.blocks import BlockDocumentFilter, BlockSchemaFilter, BlockTypeFilter
from prefect.schemas.pages import Page
from prefect.types import uuid7

__all__ = [
    "BlockDocument",
    "BlockDocumentCreate",
    "BlockDocumentQuery",
    "BlockDocumentSort",
    "BlockDocumentUpdate",
    "BlockSchema",
    "BlockSchemaCreate",
    "BlockSchemaQuery",
    "BlockType",
    "BlockTypeCreate",
    "BlockTypeQuery",
    "BlockTypeUpdate",
    "NOT_VERSIONED",
    "check_block_document_name",
]

NOT_VERSIONED = "non-versioned"
"""The version of a schema that has none."""

_NAME = re.compile(r"[^/%&><]+")
_PLAIN = re.compile(r"[a-z0-9-]+")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError("Block type name must not be empty, nor contain any of / % & > <.")


def check_block_document_name(name: str) -> None:
    """Check what a block document is called.

    Raises:
        ValueError: The name holds other characters than it may.
    """
    if not _PLAIN.fullmatch(name):
        raise ValueError("Block document name must only contain lowercase letters, numbers, and dashes.")


class BlockType(Schema):
    """A kind of block, such as `secret`."""

    name: str
    slug: str
    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None
    logo_url: str | None = None
    documentation_url: str | None = None
    description: str | None = None
    code_example: str | None = None
    is_protected: bool = False
    """Whether it can neither be deleted nor changed by users: what clients rely on."""


class BlockTypeCreate(Schema, forbid_unknown_fields=True):
    """A block type to be made."""

    name: str
    slug: str
    logo_url: str | None = None
    documentation_url: str | None = None
    description: str | None = None
    code_example: str | None = None

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not _PLAIN.fullmatch(self.slug):
            raise ValueError("Block type slug must only contain lowercase letters, numbers, and dashes.")


class BlockTypeUpdate(Schema, forbid_unknown_fields=True):
    """Changes of a block type; what is left out stays."""

    logo_url: str | UnsetType | None = UNSET
    documentation_url: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    code_example: str | UnsetType | None = UNSET


class BlockSchema(Schema):
    """The fields of a block type, in one version."""

    checksum: str
    """What tells it from others: see `prefect.rules.blocks.checksum_of`."""
    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None
    fields: dict[str, Any] = msgspec.field(default_factory=dict)
    """JSON schema."""
    block_type_id: UUID | None = None
    block_type: BlockType | None = None
    capabilities: list[str] = msgspec.field(default_factory=list)
    """What such blocks can do, such as `read-path`."""
    version: str = NOT_VERSIONED


class BlockSchemaCreate(Schema, forbid_unknown_fields=True):
    """A block schema to be made."""

    block_type_id: UUID
    fields: dict[str, Any] = msgspec.field(default_factory=dict)
    capabilities: list[str] = msgspec.field(default_factory=list)
    version: str = NOT_VERSIONED


class BlockDocument(Schema):
    """Values of a block under a name."""

    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None
    name: str | None = None
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    """Those of documents that it refers to among them."""
    block_schema_id: UUID | None = None
    block_schema: BlockSchema | None = None
    block_type_id: UUID | None = None
    block_type_name: str | None = None
    block_type: BlockType | None = None
    block_document_references: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    """The documents that it refers to, by field."""
    is_anonymous: bool = False
    """Whether its name is a made one."""


class BlockDocumentCreate(Schema, forbid_unknown_fields=True):
    """A block document to be made."""

    block_schema_id: UUID
    block_type_id: UUID
    name: str | None = None
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    """A field may refer to another document: `{"$ref": {"block_document_id": …}}`."""
    is_anonymous: bool = False

    def __post_init__(self) -> None:
        if self.name is not None:
            check_block_document_name(self.name)
        elif not self.is_anonymous:
            raise ValueError("Names must be provided for block documents.")


class BlockDocumentUpdate(Schema, forbid_unknown_fields=True):
    """Changes of a block document."""

    block_schema_id: UUID | None = None
    """None: it stays."""
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    merge_existing_data: bool = True
    """Whether fields that are left out stay."""


class BlockDocumentSort(StrEnum):
    """Orders of block documents."""

    NAME_DESC = "NAME_DESC"
    NAME_ASC = "NAME_ASC"
    BLOCK_TYPE_AND_NAME_ASC = "BLOCK_TYPE_AND_NAME_ASC"


class BlockTypeQuery(Page):
    """A query of block types."""

    block_types: BlockTypeFilter | None = None
    block_schemas: BlockSchemaFilter | None = None
    """Of which they must have one."""


class BlockSchemaQuery(Page):
    """A query of block schemas, newest first."""

    block_schemas: BlockSchemaFilter | None = None


class BlockDocumentQuery(Page):
    """A query of block documents."""

    block_documents: BlockDocumentFilter | None = None
    block_types: BlockTypeFilter | None = None
    block_schemas: BlockSchemaFilter | None = None
    include_secrets: bool = False
    sort: BlockDocumentSort | None = BlockDocumentSort.NAME_ASC
