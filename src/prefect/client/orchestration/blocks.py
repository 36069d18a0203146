"""The client's methods for blocks: their types, schemas and documents."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from prefect.client.orchestration.base import Group
from prefect.operations.block_documents import (
    create_block_document,
    delete_block_document,
    read_block_document,
    read_block_document_by_name,
    read_block_documents,
    read_block_documents_of_type,
    update_block_document,
)
from prefect.operations.block_schemas import (
    create_block_schema,
    read_block_schema_by_checksum,
    read_block_schemas,
)
from prefect.operations.block_types import (
    create_block_type,
    delete_block_type,
    read_block_type_by_slug,
    read_block_types,
    update_block_type,
)
from prefect.schemas.base import whole
from prefect.schemas.blocks import (
    BlockDocument,
    BlockDocumentCreate,
    BlockDocumentQuery,
    BlockDocumentUpdate,
    BlockSchema,
    BlockSchemaCreate,
    BlockSchemaQuery,
    BlockType,
    BlockTypeCreate,
    BlockTypeQuery,
    BlockTypeUpdate,
)
from prefect.schemas.filters.blocks import (
    BlockSchemaFilter,
    BlockSchemaFilterBlockTypeId,
    BlockTypeFilter,
    BlockTypeFilterSlug,
)

__all__ = ["BlockMethods"]


class BlockMethods(Group):
    """Makes, reads, changes and deletes blocks."""

    def create_block_type(self, block_type: BlockTypeCreate) -> BlockType:
        """Make a block type.

        Raises:
            prefect.exceptions.ObjectAlreadyExists: There is one of its slug.
        """
        return self._call(create_block_type, block_type)

    def read_block_type_by_slug(self, slug: str) -> BlockType:
        """Return the block type of a slug.

        Raises:
            prefect.exceptions.ObjectNotFound: There is none.
        """
        return self._call(read_block_type_by_slug, slug)

    def read_block_types(self) -> list[BlockType]:
        """Return all block types."""
        return self._call(read_block_types, BlockTypeQuery())

    def update_block_type(self, block_type_id: UUID, block_type: BlockTypeUpdate) -> None:
        """Change a block type.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such block type.
        """
        self._call(update_block_type, block_type_id, block_type)

    def delete_block_type(self, block_type_id: UUID) -> None:
        """Delete a block type with its documents.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such block type.
            prefect.exceptions.ProtectedBlockError: It is one that clients rely on.
        """
        self._call(delete_block_type, block_type_id)

    def create_block_schema(self, block_schema: BlockSchemaCreate) -> BlockSchema:
        """Make a schema of a block type; one that is there is returned."""
        return self._call(create_block_schema, block_schema)

    def read_block_schema_by_checksum(self, checksum: str, version: str | None = None) -> BlockSchema:
        """Return the block schema of a checksum.

        Args:
            checksum: The checksum.
            version: In this version; None: the newest.

        Raises:
            prefect.exceptions.ObjectNotFound: There is none.
        """
        return self._call(read_block_schema_by_checksum, checksum, version=version)

    def read_block_schemas(self) -> list[BlockSchema]:
        """Return all block schemas, newest first."""
        return self._call(read_block_schemas, BlockSchemaQuery())

    def get_most_recent_block_schema_for_block_type(self, block_type_id: UUID) -> BlockSchema | None:
        """Return the newest schema of a block type, or None where it has none."""
        of_type = BlockSchemaFilter(block_type_id=BlockSchemaFilterBlockTypeId(any_=[block_type_id]))
        found = self._call(read_block_schemas, BlockSchemaQuery(block_schemas=of_type, limit=1))
        return found[0] if found else None

    def create_block_document(
        self, block_document: BlockDocument | BlockDocumentCreate, include_secrets: bool = True
    ) -> BlockDocument:
        """Make a block document.

        Args:
            block_document: The document.
            include_secrets: Send the secrets in its data, not asterisks.

        Raises:
            prefect.exceptions.ObjectAlreadyExists: There is one of its type and name.
        """
        data = msgspec.convert(
            {name: getattr(block_document, name) for name in BlockDocumentCreate.__struct_fields__},
            whole(BlockDocumentCreate),
        )
        if include_secrets:
            data.data = _revealed(data.data)
        return self._call(create_block_document, data)

    def read_block_document(self, block_document_id: UUID, include_secrets: bool = True) -> BlockDocument:
        """Return a block document.

        Args:
            block_document_id: Which.
            include_secrets: With its secrets, not asterisks.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such document.
        """
        return self._call(read_block_document, block_document_id, include_secrets=include_secrets)

    def read_block_document_by_name(
        self, name: str, block_type_slug: str, include_secrets: bool = True
    ) -> BlockDocument:
        """Return the block document of a type and name.

        Args:
            name: The document's name.
            block_type_slug: Its type.
            include_secrets: With its secrets, not asterisks.

        Raises:
            prefect.exceptions.ObjectNotFound: There is none.
        """
        return self._call(read_block_document_by_name, block_type_slug, name, include_secrets=include_secrets)

    def read_block_documents(
        self,
        block_schema_type: str | None = None,
        offset: int | None = None,
        limit: int | None = None,
        include_secrets: bool = True,
    ) -> list[BlockDocument]:
        """Return block documents.

        Args:
            block_schema_type: Only those of the block type of this slug.
            offset: Leave out so many of the first.
            limit: At most so many; None: 200.
            include_secrets: With their secrets, not asterisks.
        """
        of_type = None
        if block_schema_type is not None:
            of_type = BlockTypeFilter(slug=BlockTypeFilterSlug(any_=[block_schema_type]))
        query = BlockDocumentQuery(
            block_types=of_type, limit=limit, offset=offset or 0, include_secrets=include_secrets
        )
        return self._call(read_block_documents, query)

    def read_block_documents_by_type(
        self,
        block_type_slug: str,
        offset: int | None = None,
        limit: int | None = None,
        include_secrets: bool = True,
    ) -> list[BlockDocument]:
        """Return the block documents of a type.

        Args:
            block_type_slug: The type.
            offset: Leave out so many of the first.
            limit: At most so many; None: all.
            include_secrets: With their secrets, not asterisks.
        """
        first = offset or 0
        found = self._call(read_block_documents_of_type, block_type_slug, include_secrets=include_secrets)
        return found[first:] if limit is None else found[first : first + limit]

    def update_block_document(self, block_document_id: UUID, block_document: BlockDocumentUpdate) -> None:
        """Change a block document.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such document.
        """
        data = msgspec.structs.replace(block_document, data=_revealed(block_document.data))
        self._call(update_block_document, block_document_id, data)

    def delete_block_document(self, block_document_id: UUID) -> None:
        """Delete a block document.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such document.
        """
        self._call(delete_block_document, block_document_id)


def _revealed(value: Any) -> Any:
    """Put plain texts in the place of secrets, which would be sent as asterisks."""
    if isinstance(value, dict):
        return {name: _revealed(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_revealed(item) for item in value]
    reveal = getattr(value, "get_secret_value", None)
    return _revealed(reveal()) if callable(reveal) else value
