"""What a state says about its result: the value while it is here, or where it is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.schemas.base import Schema

__all__ = ["ResultRecord", "ResultRecordMetadata", "read_persisted", "set_result_reader"]


class ResultRecordMetadata(Schema):
    """Where a result is kept, and how it was written. This, and never the value, is stored with a state."""

    storage_key: str | None = None
    """The key (for local storage: the path) of the file."""
    expiration: datetime | None = None
    serializer: dict[str, Any] | None = None
    """The serializer's settings, its `type` among them."""
    prefect_version: str | None = None
    storage_block_id: UUID | None = None


class ResultRecord(Schema):
    """A result in memory, with the place where it is persisted, if it is."""

    result: Any = None
    metadata: ResultRecordMetadata | None = None
    """None: the result lives in this process only."""


_reader: Callable[[ResultRecordMetadata], Any] | None = None


def set_result_reader(reader: Callable[[ResultRecordMetadata], Any]) -> None:
    """Say how persisted results are read; `prefect.results`, which stands above, calls it on import."""
    global _reader
    _reader = reader


def read_persisted(metadata: ResultRecordMetadata) -> Any:
    """Read a persisted result.

    Raises:
        RuntimeError: `prefect.results` was never imported, so nothing knows how to read.
        prefect.exceptions.MissingResult: The result is no longer there.
    """
    if _reader is None:
        raise RuntimeError("Import prefect.results before reading a persisted result.")
    return _reader(metadata)
