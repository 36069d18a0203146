"""The values of rows: texts and numbers, the same for both databases.

Ids are 32 hex digits, times are what `format_utc` writes, documents are JSON.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec

from prefect.schemas.base import encode_json, jsonable
from prefect.types import format_utc

__all__ = [
    "Row",
    "clean_text",
    "hex_or_none",
    "id_or_none",
    "json_or_none",
    "json_text",
    "plain",
    "read_id",
    "read_time",
    "time_or_none",
    "time_text",
]

Row = tuple[Any, ...]
"""What the drivers take and give."""

_TIME_LENGTH = len("2026-01-31 08:15:00.000250")

_decode_id = msgspec.json.Decoder(UUID).decode
_decode_time = msgspec.json.Decoder(datetime).decode


def json_text(value: Any) -> str:
    """Write a document."""
    try:
        return encode_json(value).decode()
    except UnicodeEncodeError:
        return encode_json(_clean(jsonable(value))).decode()


def json_or_none(value: Any) -> str | None:
    """Write a document; None stays None."""
    return None if value is None else json_text(value)


def clean_text(text: str) -> str:
    """Return a text that any database can keep: without NUL and the lone surrogates of odd file names."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list) else value


def hex_or_none(value: UUID | None) -> str | None:
    """Write an id; None stays None."""
    return None if value is None else value.hex


def read_id(text: str) -> UUID:
    """Read an id; by msgspec, because `UUID()` takes longer than the rest of reading a row."""
    return _decode_id(f'"{text}"')


def id_or_none(text: str | None) -> UUID | None:
    """Read an id; None stays None."""
    return None if text is None else read_id(text)


def time_text(moment: datetime | None) -> str | None:
    """Write a time; None stays None."""
    return None if moment is None else format_utc(moment)


def time_or_none(text: str | None) -> datetime | None:
    """Read a time; None stays None."""
    return None if text is None else read_time(text)


def read_time(text: str) -> datetime:
    """Read a time."""
    if len(text) == _TIME_LENGTH and text[23] != "+":
        # As `format_utc` writes it, and not as PostgreSQL writes a time that ends in zeros. `fromisoformat`
        # would take twice as long.
        return _decode_time(f'"{text}Z"')
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is UTC:
        # As PostgreSQL writes it.
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def plain(value: Any) -> Any:
    """Write any value that a query may be composed with."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return format_utc(value)
    return value.value if isinstance(value, Enum) else value
