"""Blocks: their types, the schemas of these, and the documents that hold values."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text, Uuid

from prefect.store.tables.kinds import ExactJson, Json, metadata, object_table

__all__ = [
    "block_document_references",
    "block_documents",
    "block_schema_references",
    "block_schemas",
    "block_types",
]


def _in_type() -> ForeignKey:
    return ForeignKey("block_types.id", ondelete="CASCADE")


def _in_schema() -> ForeignKey:
    return ForeignKey("block_schemas.id", ondelete="CASCADE")


def _in_document() -> ForeignKey:
    return ForeignKey("block_documents.id", ondelete="CASCADE")


block_types = object_table(
    "block_types",
    Column("name", Text, nullable=False),
    Column("slug", Text, nullable=False, unique=True),
    Column("logo_url", Text),
    Column("documentation_url", Text),
    Column("description", Text),
    Column("code_example", Text),
    Column("is_protected", Boolean, nullable=False),
)

block_schemas = object_table(
    "block_schemas",
    Column("checksum", Text, nullable=False),
    Column("fields", ExactJson, nullable=False),
    Column("block_type_id", Uuid, _in_type(), nullable=False, index=True),
    Column("capabilities", Json, nullable=False),
    Column("version", Text, nullable=False),
)
Index(None, block_schemas.c.checksum, block_schemas.c.version, unique=True)

block_schema_references = Table(
    "block_schema_references",
    metadata,
    Column("schema_id", Uuid, _in_schema(), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("referred_schema_id", Uuid, _in_schema(), primary_key=True),
)

block_documents = object_table(
    "block_documents",
    Column("name", Text, nullable=False),
    # Encrypted: the text of a token, not the values themselves.
    Column("data", Text, nullable=False),
    Column("block_schema_id", Uuid, _in_schema(), nullable=False, index=True),
    Column("block_type_id", Uuid, _in_type(), nullable=False),
    Column("is_anonymous", Boolean, nullable=False),
)
Index(None, block_documents.c.block_type_id, block_documents.c.name, unique=True)

block_document_references = Table(
    "block_document_references",
    metadata,
    Column("document_id", Uuid, _in_document(), primary_key=True),
    Column("name", Text, primary_key=True),
    Column(
        "referred_document_id",
        Uuid,
        _in_document(),
        nullable=False,
        index=True,
    ),
)
