"""Operations on block schemas, and what blocks can do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert

from prefect.exceptions import ObjectNotFound, ProtectedBlockError, StoreConflict
from prefect.operations.block_types import BLOCK_TYPES
from prefect.operations.registry import operation
from prefect.rules.blocks import checksum_of, schema_references_of
from prefect.schemas.blocks import BlockSchema, BlockSchemaCreate, BlockSchemaQuery
from prefect.store.base import Connection, Store
from prefect.store.conditions.base import Condition
from prefect.store.conditions.blocks import block_schema_condition
from prefect.store.pages import asked, on_page
from prefect.store.records import Records
from prefect.store.tables import block_schema_references, block_schemas, block_types
from prefect.types import now

__all__ = [
    "create_block_schema",
    "delete_block_schema",
    "find_block_schemas",
    "read_block_capabilities",
    "read_block_schema",
    "read_block_schema_by_checksum",
    "read_block_schemas",
]

_records = Records(block_schemas, BlockSchema)
_NEWEST = (block_schemas.c.created.desc(), block_schemas.c.id.desc())


@operation("POST", "/block_schemas/", creates=True)
def create_block_schema(store: Store, data: BlockSchemaCreate) -> BlockSchema:
    """Return the schema of some fields and a version; it is made where there is none.

    Args:
        store: The store.
        data: The schema.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such block type.
        prefect.exceptions.StoreConflict: A schema that it refers to is not there.
    """
    at = now()
    made = BlockSchema(
        checksum=checksum_of(data.fields),
        fields=data.fields,
        block_type_id=data.block_type_id,
        capabilities=data.capabilities,
        version=data.version,
        created=at,
        updated=at,
    )
    same = (block_schemas.c.checksum == made.checksum) & (block_schemas.c.version == made.version)
    with store.transaction() as connection:
        if not BLOCK_TYPES.count(connection, block_types.c.id == data.block_type_id.hex):
            raise ObjectNotFound(help_message=f"Block type {data.block_type_id} not found.")
        if _records.insert(connection, made):
            _refer(connection, made)
        return _only(_with_types(connection, _records.select(same)))


@operation("POST", "/block_schemas/filter")
def read_block_schemas(store: Store, query: BlockSchemaQuery) -> list[BlockSchema]:
    """Return the block schemas that a query is about, newest first."""
    found = _records.select(*asked(block_schema_condition, query.block_schemas))
    with store.reading() as connection:
        return _with_types(connection, on_page(found, query, _NEWEST))


@operation("GET", "/block_schemas/{block_schema_id}")
def read_block_schema(store: Store, block_schema_id: UUID) -> BlockSchema:
    """Return a block schema.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such schema.
    """
    with store.reading() as connection:
        return _only(_with_types(connection, _records.select(block_schemas.c.id == block_schema_id.hex)))


@operation("GET", "/block_schemas/checksum/{checksum}")
def read_block_schema_by_checksum(store: Store, checksum: str, version: str | None = None) -> BlockSchema:
    """Return the block schema of a checksum.

    Args:
        store: The store.
        checksum: See `prefect.rules.blocks.checksum_of`.
        version: In this version; None: the newest.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such schema.
    """
    found = _records.select(block_schemas.c.checksum == checksum).order_by(*_NEWEST).limit(1)
    if version is not None:
        found = found.where(block_schemas.c.version == version)
    with store.reading() as connection:
        return _only(_with_types(connection, found))


@operation("DELETE", "/block_schemas/{block_schema_id}")
def delete_block_schema(store: Store, block_schema_id: UUID) -> None:
    """Delete a block schema, with the documents that follow it.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such schema.
        prefect.exceptions.ProtectedBlockError: It is of a type that clients rely on.
    """
    this = block_schemas.c.id == block_schema_id.hex
    with store.transaction() as connection:
        found = _only(_with_types(connection, _records.select(this)))
        if found.block_type is not None and found.block_type.is_protected:
            raise ProtectedBlockError("Block schemas for protected block types cannot be deleted.")
        _records.delete(connection, this)


@operation("GET", "/block_capabilities/")
def read_block_capabilities(store: Store) -> list[str]:
    """Return everything that any blocks can do."""
    rows = store.select(select(block_schemas.c.capabilities).distinct())
    return sorted({each for (text,) in rows for each in msgspec.json.decode(text, type=list[str])})


def find_block_schemas(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, BlockSchema]:
    """Return block schemas by their ids, with their types.

    Args:
        connection: Where to look.
        ids: Which ones.
    """
    wanted = block_schemas.c.id.in_([each.hex for each in set(ids)])
    return {each.id: each for each in _with_types(connection, _records.select(wanted))}


def _with_types(connection: Connection, query: Select[Any]) -> list[BlockSchema]:
    found = _records.all(connection, query)
    ids = {each.block_type_id.hex for each in found if each.block_type_id}
    types = {each.id: each for each in BLOCK_TYPES.all(connection, BLOCK_TYPES.select(_any_of(ids)))}
    for each in found:
        each.block_type = types.get(each.block_type_id) if each.block_type_id else None
    return found


def _any_of(ids: set[str]) -> Condition:
    return block_types.c.id.in_(sorted(ids))


def _refer(connection: Connection, schema: BlockSchema) -> None:
    """Note the schemas of blocks within, which must be there before."""
    for field, slug, checksum in schema_references_of(schema.fields):
        if not BLOCK_TYPES.count(connection, block_types.c.slug == slug):
            raise _unregistered(f"block type {slug!r}")
        rows = connection.select(
            select(block_schemas.c.id).where(block_schemas.c.checksum == checksum).order_by(*_NEWEST).limit(1)
        )
        if not rows:
            raise _unregistered(f"the schema {checksum} of block type {slug!r}")
        values = {"schema_id": schema.id.hex, "name": field, "referred_schema_id": rows[0][0]}
        connection.execute(insert(block_schema_references).values(values).on_conflict_do_nothing())


def _unregistered(what: str) -> StoreConflict:
    return StoreConflict(f"Cannot create block schema because {what} was not found. Register it first.")


def _only(found: list[BlockSchema]) -> BlockSchema:
    if not found:
        raise ObjectNotFound(help_message="Block schema not found")
    return found[0]
