"""Variables: small values that are kept under a name."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from prefect.schemas.base import Schema
from prefect.schemas.filters.variables import VariableFilter
from prefect.schemas.pages import Page
from prefect.types import uuid7

__all__ = [
    "MAX_VARIABLE_NAME_LENGTH",
    "MAX_VARIABLE_VALUE_LENGTH",
    "Variable",
    "VariableCreate",
    "VariableQuery",
    "VariableSort",
    "VariableUpdate",
]

MAX_VARIABLE_NAME_LENGTH = 255
MAX_VARIABLE_VALUE_LENGTH = 5000
"""Characters of the value as JSON."""

_NAME = re.compile(r"[a-z0-9_-]*")


def _check_name(name: str) -> None:
    if len(name) > MAX_VARIABLE_NAME_LENGTH:
        raise ValueError(f"Variable name must have at most {MAX_VARIABLE_NAME_LENGTH} characters.")
    if not _NAME.fullmatch(name):
        raise ValueError(
            "Variable name must only contain lowercase letters, numbers, and dashes or underscores."
        )


def _check_value(value: Any) -> None:
    try:
        size = len(msgspec.json.encode(value).decode())
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"Variable value must be serializable to JSON ({error}).") from error
    if size > MAX_VARIABLE_VALUE_LENGTH:
        raise ValueError(f"Variable value must be less than {MAX_VARIABLE_VALUE_LENGTH} characters")


class Variable(Schema):
    """A variable."""

    name: str
    value: Any
    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None
    tags: list[str] = msgspec.field(default_factory=list)


class VariableCreate(Schema, forbid_unknown_fields=True):
    """A variable to be made."""

    name: str
    value: Any
    tags: list[str] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        _check_name(self.name)
        _check_value(self.value)


class VariableUpdate(Schema, forbid_unknown_fields=True):
    """Changes of a variable; what is left out stays."""

    name: str | UnsetType | None = UNSET
    value: Any = UNSET
    tags: list[str] | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        if isinstance(self.name, str):
            _check_name(self.name)
        if self.value is not UNSET:
            _check_value(self.value)


class VariableSort(StrEnum):
    """Orders of variables."""

    CREATED_DESC = "CREATED_DESC"
    UPDATED_DESC = "UPDATED_DESC"
    NAME_DESC = "NAME_DESC"
    NAME_ASC = "NAME_ASC"


class VariableQuery(Page):
    """A query of variables."""

    variables: VariableFilter | None = None
    sort: VariableSort = VariableSort.NAME_ASC
