"""How values are put into requests: only what says something.

A server refuses members that it does not know, and older ones know fewer: so what has its default value is
left out, and of states and logs there is only what clients may say; their ids are the server's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from prefect.operations.calling import SPELLED
from prefect.schemas.actions import LogCreate, StateCreate
from prefect.schemas.base import jsonable
from prefect.schemas.objects import Log
from prefect.schemas.states import State

__all__ = ["query_of", "sendable"]

_SENT: dict[type, tuple[str, ...]] = {
    State: StateCreate.__struct_fields__,
    Log: LogCreate.__struct_fields__,
}


def sendable(value: Any) -> Any:
    """Return what to encode in place of a value.

    Args:
        value: A schema, a sequence or mapping of such, or any other value, which stays as it is.
    """
    if isinstance(value, msgspec.Struct):
        return _members(value, _SENT.get(type(value), value.__struct_fields__))
    if isinstance(value, list | tuple):
        return [sendable(item) for item in value]
    if isinstance(value, dict):
        return {name: sendable(item) for name, item in value.items()}
    return value


def query_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a query as texts; those that are None are left out."""
    return {SPELLED.get(name, name): jsonable(value) for name, value in values.items() if value is not None}


def _members(struct: msgspec.Struct, names: tuple[str, ...]) -> dict[str, Any]:
    config = struct.__struct_config__
    members: dict[str, Any] = {}
    if config.tag_field is not None:
        members[config.tag_field] = config.tag
    defaults = _defaults_of(type(struct))
    spelled = dict(zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True))
    for name in names:
        value = getattr(struct, name)
        if value is msgspec.UNSET:
            continue
        default = defaults.get(name, _NONE)
        if default is not _NONE and (value is default or _is_same(value, default)):
            continue
        members[spelled.get(name, name)] = sendable(value)
    return members


def _is_same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)


_NONE = object()


@cache
def _defaults_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the defaults of those fields that have one; an id or a time that is made anew is none."""
    return {
        field.name: field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        for field in msgspec.structs.fields(kind)
        if not field.required
    }
