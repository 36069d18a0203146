"""Block documents as they are kept, and how they become what is shown: decrypted, put together, hidden."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from prefect.operations.block_schemas import find_block_schemas
from prefect.rules.blocks import hide
from prefect.schemas.base import Schema
from prefect.schemas.blocks import BlockDocument, BlockSchema
from prefect.store.base import Connection
from prefect.store.encryption import Cipher
from prefect.store.records import Records
from prefect.store.tables import block_document_references as references
from prefect.store.tables import block_documents
from prefect.store.values import read_id
from prefect.types import uuid7

__all__ = ["DOCUMENTS", "StoredDocument", "referred_by", "set_references", "show"]


class StoredDocument(Schema):
    """A block document as it is kept."""

    name: str
    data: str
    """Its own values, encrypted; those of documents that it refers to are with these."""
    block_schema_id: UUID
    block_type_id: UUID
    is_anonymous: bool
    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None


DOCUMENTS = Records(block_documents, StoredDocument)
"""The block documents that a store keeps."""


def referred_by(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, dict[str, UUID]]:
    """Return the documents that some documents refer to, by field.

    Args:
        connection: Where to look.
        ids: Which documents.
    """
    wanted = references.c.document_id.in_([each.hex for each in ids])
    found: dict[UUID, dict[str, UUID]] = {}
    for document_id, name, referred_id in connection.select(select(references).where(wanted)):
        found.setdefault(read_id(document_id), {})[name] = read_id(referred_id)
    return found


def set_references(connection: Connection, document_id: UUID, referred: Mapping[str, UUID]) -> None:
    """Have a document refer to others, and to none beside these.

    Args:
        connection: Where to write.
        document_id: The document.
        referred: The others, by field.

    Raises:
        prefect.exceptions.StoreConflict: One of the others is not there.
    """
    connection.execute(delete(references).where(references.c.document_id == document_id.hex))
    for name, referred_id in referred.items():
        values = {"document_id": document_id.hex, "name": name, "referred_document_id": referred_id.hex}
        connection.execute(insert(references).values(values))


def show(
    connection: Connection, cipher: Cipher, stored: list[StoredDocument], *, include_secrets: bool
) -> list[BlockDocument]:
    """Return documents with the values of those that they refer to, and of those in turn.

    Args:
        connection: Where to look.
        cipher: What the values are encrypted with.
        stored: The documents.
        include_secrets: Whether to show secrets.
    """
    known = {each.id: each for each in stored}
    referred: dict[UUID, dict[str, UUID]] = {}
    new = set(known)
    while new:
        found = referred_by(connection, new)
        referred |= found
        ids = {each for fields in found.values() for each in fields.values()} - set(known)
        further = DOCUMENTS.select(block_documents.c.id.in_([each.hex for each in ids]))
        known |= {each.id: each for each in DOCUMENTS.all(connection, further)}
        new = ids & set(known)
    schemas = find_block_schemas(connection, (each.block_schema_id for each in known.values()))
    shown = _Shown(cipher, known, referred, schemas, include_secrets)
    return [shown.document(each.id, ()) for each in stored]


class _Shown:
    """The documents that one answer is made of."""

    def __init__(
        self,
        cipher: Cipher,
        known: Mapping[UUID, StoredDocument],
        referred: Mapping[UUID, Mapping[str, UUID]],
        schemas: Mapping[UUID, BlockSchema],
        include_secrets: bool,
    ) -> None:
        self._cipher = cipher
        self._known = known
        self._referred = referred
        self._schemas = schemas
        self._include_secrets = include_secrets

    def document(self, document_id: UUID, above: tuple[UUID, ...]) -> BlockDocument:
        """Put a document together; `above` are those that it is put into."""
        stored = self._known[document_id]
        schema = self._schemas.get(stored.block_schema_id)
        data = self._cipher.decrypt(stored.data, stored.id)
        shown_references: dict[str, dict[str, Any]] = {}
        for field, referred_id in sorted(self._referred.get(document_id, {}).items()):
            # What refers back to a document that it is put into would never end.
            if referred_id in self._known and referred_id not in (document_id, *above):
                inner = self.document(referred_id, (*above, document_id))
                data[field] = inner.data
                shown_references[field] = {"block_document": _reference(inner)}
        if schema is not None and not self._include_secrets:
            data = hide(data, schema.fields.get("secret_fields") or ())
        kind = schema.block_type if schema else None
        return BlockDocument(
            id=stored.id,
            created=stored.created,
            updated=stored.updated,
            name=stored.name,
            data=data,
            block_schema_id=stored.block_schema_id,
            block_schema=schema,
            block_type_id=stored.block_type_id,
            block_type_name=kind.name if kind else None,
            block_type=kind,
            block_document_references=shown_references,
            is_anonymous=stored.is_anonymous,
        )


def _reference(document: BlockDocument) -> dict[str, Any]:
    return {
        "id": document.id,
        "name": document.name,
        "block_type": document.block_type,
        "is_anonymous": document.is_anonymous,
        "block_document_references": document.block_document_references,
    }
