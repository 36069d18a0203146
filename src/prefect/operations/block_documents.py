"""Operations on block documents. Their values are encrypted in the store; see `prefect.store.encryption`."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Select, select

from prefect.exceptions import (
    ConfigurationError,
    ObjectAlreadyExists,
    ObjectNotFound,
    RequestRefused,
    StoreConflict,
)
from prefect.operations.block_contents import DOCUMENTS, StoredDocument, referred_by, set_references, show
from prefect.operations.block_types import find_block_type
from prefect.operations.object_events import named, tell_of_object
from prefect.operations.registry import operation
from prefect.rules.blocks import HIDDEN, keep_hidden, references_of
from prefect.schemas.blocks import (
    BlockDocument,
    BlockDocumentCreate,
    BlockDocumentQuery,
    BlockDocumentSort,
    BlockDocumentUpdate,
)
from prefect.schemas.filters.blocks import BlockDocumentFilter
from prefect.store.base import Connection, Store
from prefect.store.conditions.base import Condition
from prefect.store.conditions.blocks import (
    block_document_condition,
    block_schema_condition,
    block_type_condition,
)
from prefect.store.encryption import cipher_of
from prefect.store.pages import Order, asked, on_page
from prefect.store.tables import block_documents, block_schemas, block_types
from prefect.types import now

__all__ = [
    "count_block_documents",
    "create_block_document",
    "delete_block_document",
    "read_block_document",
    "read_block_document_by_name",
    "read_block_documents",
    "read_block_documents_of_type",
    "update_block_document",
]

_ORDERS: dict[BlockDocumentSort, Order] = {
    BlockDocumentSort.NAME_DESC: (block_documents.c.name.desc(), block_documents.c.id.desc()),
    BlockDocumentSort.NAME_ASC: (block_documents.c.name, block_documents.c.id),
    BlockDocumentSort.BLOCK_TYPE_AND_NAME_ASC: (
        select(block_types.c.name)
        .where(block_types.c.id == block_documents.c.block_type_id)
        .scalar_subquery(),
        block_documents.c.name,
        block_documents.c.id,
    ),
}


@operation("POST", "/block_documents/", creates=True)
def create_block_document(store: Store, data: BlockDocumentCreate) -> BlockDocument:
    """Make a block document.

    Args:
        store: The store.
        data: The document.

    Raises:
        prefect.exceptions.ObjectAlreadyExists: The block type has one of that name.
        prefect.exceptions.StoreConflict: Its type, its schema, or a document that it refers to is not there.
        prefect.exceptions.RequestRefused: It refers to something that is no document.
    """
    own, referred = _split(data.data)
    cipher, at = cipher_of(store), now()
    made = StoredDocument(
        name=data.name or f"anonymous-{uuid4()}",
        data=cipher.encrypt(own),
        block_schema_id=data.block_schema_id,
        block_type_id=data.block_type_id,
        is_anonymous=data.is_anonymous,
        created=at,
        updated=at,
    )
    with store.transaction() as connection:
        if _type_of_schema(connection, data.block_schema_id) != data.block_type_id:
            raise StoreConflict(f"Block type {data.block_type_id} has no schema {data.block_schema_id}.")
        if not DOCUMENTS.insert(connection, made):
            raise ObjectAlreadyExists(help_message="Block already exists")
        set_references(connection, made.id, referred)
        shown = show(connection, cipher, [made], include_secrets=False)[0]
        _tell(connection, "created", shown)
        return shown


@operation("POST", "/block_documents/filter")
def read_block_documents(store: Store, query: BlockDocumentQuery) -> list[BlockDocument]:
    """Return the block documents that a query is about."""
    found = DOCUMENTS.select(*_conditions(query))
    order = _ORDERS[query.sort or BlockDocumentSort.NAME_ASC]
    return _show(store, on_page(found, query, order), include_secrets=query.include_secrets)


@operation("POST", "/block_documents/count")
def count_block_documents(store: Store, query: BlockDocumentQuery) -> int:
    """Return how many block documents a query is about, whatever its window."""
    return DOCUMENTS.count(store, *_conditions(query))


@operation("GET", "/block_documents/{block_document_id}")
def read_block_document(
    store: Store, block_document_id: UUID, include_secrets: bool = False
) -> BlockDocument:
    """Return a block document.

    Args:
        store: The store.
        block_document_id: Which one.
        include_secrets: Whether to show secrets.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such document.
    """
    this = block_documents.c.id == block_document_id.hex
    return _only(_show(store, DOCUMENTS.select(this), include_secrets=include_secrets))


@operation("GET", "/block_types/slug/{slug}/block_documents")
def read_block_documents_of_type(
    store: Store, slug: str, include_secrets: bool = False
) -> list[BlockDocument]:
    """Return the block documents of a type, by name.

    Args:
        store: The store.
        slug: The slug of the type.
        include_secrets: Whether to show secrets.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such type.
    """
    kind = find_block_type(store, block_types.c.slug == slug)
    of_type = DOCUMENTS.select(block_documents.c.block_type_id == kind.id.hex)
    return _show(store, of_type.order_by(block_documents.c.name), include_secrets=include_secrets)


@operation("GET", "/block_types/slug/{slug}/block_documents/name/{block_document_name}")
def read_block_document_by_name(
    store: Store, slug: str, block_document_name: str, include_secrets: bool = False
) -> BlockDocument:
    """Return the block document of a name.

    Args:
        store: The store.
        slug: The slug of its type.
        block_document_name: Its name.
        include_secrets: Whether to show secrets.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such document.
    """
    types = select(block_types.c.id).where(block_types.c.slug == slug)
    named = (block_documents.c.name == block_document_name, block_documents.c.block_type_id.in_(types))
    return _only(_show(store, DOCUMENTS.select(*named), include_secrets=include_secrets))


@operation("PATCH", "/block_documents/{block_document_id}")
def update_block_document(store: Store, block_document_id: UUID, data: BlockDocumentUpdate) -> None:
    """Change a block document; asterisks in the place of a secret leave it as it is.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such document.
        prefect.exceptions.StoreConflict: A document that it refers to is not there.
        prefect.exceptions.RequestRefused: The schema is of another type, or it refers to no document.
    """
    new, new_referred = _split(data.data)
    cipher = cipher_of(store)
    this = block_documents.c.id == block_document_id.hex
    with store.transaction() as connection:
        found = DOCUMENTS.to_change(connection, this)
        if found is None:
            raise _missing()
        schema_id = data.block_schema_id or found.block_schema_id
        if _type_of_schema(connection, schema_id) != found.block_type_id:
            raise RequestRefused("Must migrate block document to a block schema of the same block type.")
        old = cipher.decrypt(found.data, found.id)
        old_referred = referred_by(connection, [found.id]).get(found.id, {})
        own, referred = keep_hidden(new, old), dict(new_referred)
        if data.merge_existing_data:
            own = {name: old[name] for name in old if name not in new_referred} | own
            referred = {name: old_referred[name] for name in old_referred if name not in new} | referred
        changes = {"data": cipher.encrypt(own), "block_schema_id": schema_id, "updated": now()}
        DOCUMENTS.update(connection, changes, this)
        set_references(connection, found.id, referred)
        if connection.keeps_events:
            changed = DOCUMENTS.all(connection, DOCUMENTS.select(this))
            _tell(connection, "updated", show(connection, cipher, changed, include_secrets=False)[0])


@operation("DELETE", "/block_documents/{block_document_id}")
def delete_block_document(store: Store, block_document_id: UUID) -> None:
    """Delete a block document; those that refer to it do so no more.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such document.
    """
    this = block_documents.c.id == block_document_id.hex
    # Whoever has lost the key can delete what is of no use any more; only what it was is not told then.
    shown: list[BlockDocument] = []
    with suppress(ConfigurationError):
        shown = _show(store, DOCUMENTS.select(this), include_secrets=False)
    with store.transaction() as connection:
        if not DOCUMENTS.delete(connection, this):
            raise _missing()
        for each in shown:
            _tell(connection, "deleted", each)


def _tell(connection: Connection, happened: str, shown: BlockDocument) -> None:
    """Tell what happened to a document; secrets are not told, not even as asterisks."""
    schema, kind = shown.block_schema, shown.block_type
    if schema is None or kind is None or shown.is_anonymous:
        return
    said = {
        "name": shown.name,
        "data": {name: value for name, value in shown.data.items() if value != HIDDEN},
        "block_schema": {
            "capabilities": schema.capabilities,
            "block_type": {"id": str(kind.id), "name": kind.name},
        },
    }
    related = [named("block-type", kind.id, kind.name), named("block-schema", schema.id)]
    tell_of_object(connection, f"block-document.{happened}", shown.id, shown.name or "", said, related)


def _split(data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, UUID]]:
    try:
        return references_of(data)
    except ValueError as error:
        raise RequestRefused(str(error)) from error


def _type_of_schema(connection: Connection, schema_id: UUID) -> UUID | None:
    query = select(block_schemas.c.block_type_id).where(block_schemas.c.id == schema_id.hex)
    rows = connection.select(query)
    return UUID(str(rows[0][0])) if rows else None


def _conditions(query: BlockDocumentQuery) -> list[Condition]:
    conditions = asked(block_document_condition, query.block_documents or BlockDocumentFilter())
    if inside := asked(block_type_condition, query.block_types):
        types = select(block_types.c.id).where(*inside)
        conditions.append(block_documents.c.block_type_id.in_(types))
    if inside := asked(block_schema_condition, query.block_schemas):
        schemas = select(block_schemas.c.id).where(*inside)
        conditions.append(block_documents.c.block_schema_id.in_(schemas))
    return conditions


def _show(store: Store, query: Select[Any], *, include_secrets: bool) -> list[BlockDocument]:
    cipher = cipher_of(store)
    with store.reading() as connection:
        found = DOCUMENTS.all(connection, query)
        return show(connection, cipher, found, include_secrets=include_secrets)


def _only(found: list[BlockDocument]) -> BlockDocument:
    if not found:
        raise _missing()
    return found[0]


def _missing() -> ObjectNotFound:
    return ObjectNotFound(help_message="Block document not found")
