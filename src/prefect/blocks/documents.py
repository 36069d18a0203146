"""The calls that keep, find and delete blocks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.blocks.description import example_of, nested_blocks, text_of
from prefect.client.current import get_caller
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.operations.block_documents import (
    create_block_document,
    delete_block_document,
    read_block_document,
    read_block_document_by_name,
    update_block_document,
)
from prefect.operations.block_schemas import create_block_schema, read_block_schema_by_checksum
from prefect.operations.block_types import (
    create_block_type,
    read_block_type_by_slug,
    update_block_type,
)
from prefect.rules.blocks import checksum_of
from prefect.schemas.blocks import (
    BlockDocument,
    BlockDocumentCreate,
    BlockDocumentUpdate,
    BlockSchema,
    BlockSchemaCreate,
    BlockType,
    BlockTypeCreate,
    BlockTypeUpdate,
    check_block_document_name,
)

__all__ = ["delete", "find", "find_by_id", "keep", "register"]


def register(cls: Any, above: tuple[Any, ...] = ()) -> tuple[BlockType, BlockSchema]:
    """Make the type and the schema of a class of blocks known, and those of blocks within.

    Args:
        cls: The class.
        above: The classes that it is within.
    """
    for inner in nested_blocks(cls):
        if inner not in (cls, *above):
            register(inner, (*above, cls))
    kind = _register_type(cls)
    fields = cls.model_json_schema()
    version = cls.get_block_schema_version()
    client = get_caller()
    try:
        schema = client.call(read_block_schema_by_checksum, checksum_of(fields), version)
    except ObjectNotFound:
        wanted = BlockSchemaCreate(
            block_type_id=kind.id,
            fields=fields,
            capabilities=sorted(cls.get_block_capabilities()),
            version=version,
        )
        schema = client.call(create_block_schema, wanted)
    cls._block_type_id, cls._block_schema_id = kind.id, schema.id
    return kind, schema


def _register_type(cls: Any) -> BlockType:
    client, slug = get_caller(), cls.get_block_type_slug()
    texts = {
        "logo_url": str(cls._logo_url) if cls._logo_url else None,
        "documentation_url": str(cls._documentation_url) if cls._documentation_url else None,
        "description": text_of(cls),
        "code_example": example_of(cls),
    }
    try:
        found = client.call(read_block_type_by_slug, slug)
    except ObjectNotFound:
        try:
            return client.call(
                create_block_type, BlockTypeCreate(name=cls.get_block_type_name(), slug=slug, **texts)
            )
        except ObjectAlreadyExists:  # somebody else was quicker
            found = client.call(read_block_type_by_slug, slug)
    # Those that are protected belong to all clients of a server, which need not agree on texts.
    if not found.is_protected and any(getattr(found, name) != text for name, text in texts.items()):
        client.call(update_block_type, found.id, BlockTypeUpdate(**texts))
    return found


def keep(block: Any, values: dict[str, Any], name: str | None, *, overwrite: bool) -> BlockDocument:
    """Keep a block's values.

    Args:
        block: The block.
        values: Its values.
        name: Its name; None: it gets one that nobody needs to know.
        overwrite: Whether to replace values that are kept under the name.

    Raises:
        ValueError: The name is taken, or none.
    """
    if name is not None:
        check_block_document_name(name)
    kind, schema = register(type(block))
    client = get_caller()
    wanted = BlockDocumentCreate(
        block_schema_id=schema.id,
        block_type_id=kind.id,
        name=name,
        data=values,
        is_anonymous=name is None,
    )
    try:
        return client.call(create_block_document, wanted)
    except ObjectAlreadyExists as error:
        if not overwrite or name is None:
            raise ValueError(
                f"A block of type {kind.slug!r} named {name!r} is kept already. "
                "Save with `overwrite=True` to replace its values."
            ) from error
    found = client.call(read_block_document_by_name, kind.slug, name)
    client.call(update_block_document, found.id, BlockDocumentUpdate(block_schema_id=schema.id, data=values))
    return found


def find(slug: str, name: str) -> BlockDocument:
    """Return a block document with its secrets.

    Args:
        slug: The slug of its type.
        name: Its name.

    Raises:
        ValueError: There is none.
    """
    try:
        return get_caller().call(read_block_document_by_name, slug, name, include_secrets=True)
    except ObjectNotFound as error:
        raise ValueError(f"Unable to find block document named {name} for block type {slug}") from error


def find_by_id(document_id: UUID) -> BlockDocument:
    """Return a block document with its secrets.

    Args:
        document_id: Its id.

    Raises:
        ValueError: There is none.
    """
    try:
        return get_caller().call(read_block_document, document_id, include_secrets=True)
    except ObjectNotFound as error:
        raise ValueError(f"Unable to find block document with ID {document_id}") from error


def delete(slug: str, name: str) -> None:
    """Delete a block document.

    Args:
        slug: The slug of its type.
        name: Its name.

    Raises:
        ValueError: There is none.
    """
    get_caller().call(delete_block_document, find(slug, name).id)
