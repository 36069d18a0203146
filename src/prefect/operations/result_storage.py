"""Operations on the block that results go to by default, for clients of a server."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from prefect.exceptions import ObjectNotFound
from prefect.operations.block_contents import DOCUMENTS
from prefect.operations.registry import operation
from prefect.schemas.base import Schema, whole
from prefect.store.base import Store
from prefect.store.tables import block_documents, configurations
from prefect.store.values import json_text
from prefect.types import format_utc, now, uuid7

__all__ = [
    "ResultStorage",
    "ResultStorageUpdate",
    "clear_result_storage",
    "read_result_storage",
    "set_result_storage",
]

_NAME = "default_result_storage"


class ResultStorage(Schema):
    """Where results go by default."""

    default_result_storage_block_id: UUID | None = None
    """None: wherever each client chooses."""


class ResultStorageUpdate(Schema, forbid_unknown_fields=True):
    """Where results are to go by default."""

    default_result_storage_block_id: UUID


@operation("GET", "/admin/storage")
def read_result_storage(store: Store) -> ResultStorage:
    """Return the block that results go to by default."""
    rows = store.select(select(configurations.c.value).where(configurations.c.key == _NAME))
    return msgspec.json.decode(rows[0][0], type=whole(ResultStorage)) if rows else ResultStorage()


@operation("PUT", "/admin/storage")
def set_result_storage(store: Store, data: ResultStorageUpdate) -> ResultStorage:
    """Have results go to a block by default.

    Args:
        store: The store.
        data: The block.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such block document.
    """
    chosen, at = data.default_result_storage_block_id, format_utc(now())
    value = json_text({"default_result_storage_block_id": str(chosen)})
    added = insert(configurations).values(id=uuid7().hex, created=at, updated=at, key=_NAME, value=value)
    with store.transaction() as connection:
        if not DOCUMENTS.count(connection, block_documents.c.id == chosen.hex):
            raise ObjectNotFound(help_message=f"Block document {chosen} not found.")
        changes = {"value": added.excluded.value, "updated": added.excluded.updated}
        connection.execute(added.on_conflict_do_update(index_elements=["key"], set_=changes))
    return ResultStorage(default_result_storage_block_id=chosen)


@operation("DELETE", "/admin/storage")
def clear_result_storage(store: Store) -> None:
    """Have results go wherever each client chooses."""
    with store.transaction() as connection:
        connection.execute(delete(configurations).where(configurations.c.key == _NAME))
