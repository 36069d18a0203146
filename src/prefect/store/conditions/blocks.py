"""Filters of block types, schemas and documents as conditions."""

from __future__ import annotations

from prefect.store.conditions.base import TAG_TESTS, TESTS, Criterion, all_of, of
from prefect.store.tables.blocks import block_documents, block_schemas, block_types

__all__ = ["block_document_condition", "block_schema_condition", "block_type_condition"]

block_type_condition: Criterion = all_of({"name": of(block_types.c.name), "slug": of(block_types.c.slug)})
"""Which block types a filter is about."""
block_schema_condition: Criterion = all_of(
    {
        "id": of(block_schemas.c.id),
        "block_type_id": of(block_schemas.c.block_type_id),
        "block_capabilities": of(block_schemas.c.capabilities, TAG_TESTS),
        "version": of(block_schemas.c.version),
    }
)
"""Which block schemas a filter is about."""
block_document_condition: Criterion = all_of(
    {
        "id": of(block_documents.c.id),
        "name": of(block_documents.c.name),
        "block_type_id": of(block_documents.c.block_type_id),
        "is_anonymous": of(
            block_documents.c.is_anonymous,
            TESTS | {"eq_": lambda column, wanted: column.is_(wanted)},
        ),
    }
)
"""Which block documents a filter is about."""
