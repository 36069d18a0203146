"""Variables: small values that are kept under a name, for all runs to read."""

from __future__ import annotations

from typing import Any

from prefect.client.awaiting import awaited, either_way
from prefect.client.current import get_caller
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.operations.variables import (
    create_variable,
    delete_variable_by_name,
    read_variable_by_name,
    update_variable_by_name,
)
from prefect.schemas.base import Schema
from prefect.schemas.variables import VariableCreate, VariableUpdate

__all__ = ["Variable"]


def _set(name: str, value: Any, tags: list[str] | None = None, overwrite: bool = False) -> Variable:
    wanted = VariableCreate(name=name, value=value, tags=tags or [])
    client = get_caller()
    try:
        client.call(create_variable, wanted)
    except ObjectAlreadyExists as error:
        if not overwrite:
            message = f"Variable {name!r} already exists. Use `overwrite=True` to update it."
            raise ValueError(message) from error
        client.call(update_variable_by_name, name, VariableUpdate(value=value, tags=wanted.tags))
    return Variable(name=name, value=value, tags=wanted.tags)


def _get(name: str, default: Any = None) -> Any:
    try:
        return get_caller().call(read_variable_by_name, name).value
    except ObjectNotFound:
        return default


def _unset(name: str) -> bool:
    try:
        get_caller().call(delete_variable_by_name, name)
    except ObjectNotFound:
        return False
    return True


class Variable(Schema):
    """A value under a name.

    In asynchronous code, `get`, `set` and `unset` are awaited; `aget`, `aset` and `aunset` always are.
    """

    name: str
    value: Any
    tags: list[str] | None = None

    @staticmethod
    def set(name: str, value: Any, tags: list[str] | None = None, overwrite: bool = False) -> Variable:
        """Keep a value.

        Args:
            name: Lower-case letters, digits, dashes and underscores.
            value: Anything that JSON has, at most 5000 characters of it.
            tags: What to find it by; they replace those that it had.
            overwrite: Whether to replace a value that is there.

        Returns:
            The variable. In asynchronous code, a coroutine of it.

        Raises:
            ValueError: There is one of that name, or name or value cannot be kept.
        """
        return either_way(_set)(name, value, tags, overwrite)

    @staticmethod
    def get(name: str, default: Any = None) -> Any:
        """Return a value.

        Args:
            name: Its name.
            default: What to return where there is none.

        Returns:
            The value. In asynchronous code, a coroutine of it.
        """
        return either_way(_get)(name, default)

    @staticmethod
    def unset(name: str) -> bool:
        """Keep a value no longer.

        Args:
            name: Its name.

        Returns:
            Whether there was one. In asynchronous code, a coroutine of that.
        """
        return either_way(_unset)(name)

    @staticmethod
    async def aset(name: str, value: Any, tags: list[str] | None = None, overwrite: bool = False) -> Variable:
        """Keep a value; see `set`."""
        return await awaited(_set)(name, value, tags, overwrite)

    @staticmethod
    async def aget(name: str, default: Any = None) -> Any:
        """Return a value; see `get`."""
        return await awaited(_get)(name, default)

    @staticmethod
    async def aunset(name: str) -> bool:
        """Keep a value no longer; see `unset`."""
        return await awaited(_unset)(name)
