"""Operations on block types."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, ProtectedBlockError
from prefect.operations.object_events import tell_of_object
from prefect.operations.registry import operation
from prefect.schemas.blocks import BlockType, BlockTypeCreate, BlockTypeQuery, BlockTypeUpdate
from prefect.schemas.pages import set_fields
from prefect.store.base import Connection, Store
from prefect.store.conditions.base import Condition
from prefect.store.conditions.blocks import block_schema_condition, block_type_condition
from prefect.store.pages import asked, on_page
from prefect.store.records import Records
from prefect.store.tables import block_schemas, block_types
from prefect.types import now

__all__ = [
    "BLOCK_TYPES",
    "create_block_type",
    "delete_block_type",
    "find_block_type",
    "read_block_type",
    "read_block_type_by_slug",
    "read_block_types",
    "update_block_type",
]

BLOCK_TYPES = Records(block_types, BlockType)
"""The block types that a store keeps."""

_PROTECTED = frozenset({"date-time", "json", "local-file-system", "secret", "webhook"})
"""What clients rely on, so that nobody may delete it."""
_TOLD = ("name", "slug", "logo_url", "documentation_url", "description", "code_example", "is_protected")


@operation("POST", "/block_types/", creates=True)
def create_block_type(store: Store, data: BlockTypeCreate) -> BlockType:
    """Make a block type.

    Args:
        store: The store.
        data: The block type.

    Raises:
        prefect.exceptions.ObjectAlreadyExists: There is one with that slug.
    """
    at = now()
    made = BlockType(
        name=data.name,
        slug=data.slug,
        logo_url=data.logo_url,
        documentation_url=data.documentation_url,
        description=data.description,
        code_example=data.code_example,
        is_protected=data.slug in _PROTECTED,
        created=at,
        updated=at,
    )
    with store.transaction() as connection:
        if not BLOCK_TYPES.insert(connection, made):
            raise ObjectAlreadyExists(help_message=f'Block type with name "{data.name}" already exists')
        _tell(connection, "created", made)
    return made


@operation("POST", "/block_types/filter")
def read_block_types(store: Store, query: BlockTypeQuery) -> list[BlockType]:
    """Return the block types that a query is about, by name."""
    conditions = asked(block_type_condition, query.block_types)
    if inside := asked(block_schema_condition, query.block_schemas):
        conditions.append(block_types.c.id.in_(select(block_schemas.c.block_type_id).where(*inside)))
    order = (block_types.c.name, block_types.c.slug)
    return BLOCK_TYPES.all(store, on_page(BLOCK_TYPES.select(*conditions), query, order))


@operation("GET", "/block_types/{block_type_id}")
def read_block_type(store: Store, block_type_id: UUID) -> BlockType:
    """Return a block type.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such block type.
    """
    return find_block_type(store, block_types.c.id == block_type_id.hex)


@operation("GET", "/block_types/slug/{slug}")
def read_block_type_by_slug(store: Store, slug: str) -> BlockType:
    """Return the block type of a slug.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such block type.
    """
    return find_block_type(store, block_types.c.slug == slug)


@operation("PATCH", "/block_types/{block_type_id}")
def update_block_type(store: Store, block_type_id: UUID, data: BlockTypeUpdate) -> None:
    """Change what is set in `data` of a block type.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such block type.
    """
    changes = set_fields(data) | {"updated": now()}
    with store.transaction() as connection:
        this = block_types.c.id == block_type_id.hex
        if not BLOCK_TYPES.update(connection, changes, this):
            raise _missing()
        _tell(connection, "updated", find_block_type(connection, this))


@operation("DELETE", "/block_types/{block_type_id}")
def delete_block_type(store: Store, block_type_id: UUID) -> None:
    """Delete a block type, with its schemas and documents.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such block type.
        prefect.exceptions.ProtectedBlockError: It is one that clients rely on.
    """
    this = block_types.c.id == block_type_id.hex
    with store.transaction() as connection:
        found = find_block_type(connection, this)
        if found.is_protected:
            raise ProtectedBlockError("protected block types cannot be deleted.")
        BLOCK_TYPES.delete(connection, this)
        _tell(connection, "deleted", found)


def _tell(connection: Connection, happened: str, kind: BlockType) -> None:
    said = {name: getattr(kind, name) for name in _TOLD}
    tell_of_object(connection, f"block-type.{happened}", kind.id, kind.name, said)


def find_block_type(source: Store | Connection, which: Condition) -> BlockType:
    """Return the block type that meets a condition.

    Raises:
        prefect.exceptions.ObjectNotFound: There is none.
    """
    found = BLOCK_TYPES.first(source, which)
    if found is None:
        raise _missing()
    return found


def _missing() -> ObjectNotFound:
    return ObjectNotFound(help_message="Block type not found")
