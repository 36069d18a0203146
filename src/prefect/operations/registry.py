"""Operations: every request that the API knows, defined once.

An operation is a plain function over a store. From its one definition come the call in this process
(`prefect.client.local`), the server's route and the HTTP client's request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Concatenate, Literal, NamedTuple, ParamSpec, TypeVar

from prefect.store.base import Store

__all__ = ["OPERATIONS", "Method", "Operation", "operation"]

P = ParamSpec("P")
R = TypeVar("R")

Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]


class Operation(NamedTuple):
    """What is known of an operation beside its function."""

    function: Callable[..., Any]
    method: Method
    path: str
    """Below `/api`; names in braces are arguments."""
    creates: bool = False
    """Whether it makes something, which a server's answer tells."""
    internal: bool = False
    """Whether it is no part of the interface, so that no server offers it."""
    status: int | None = None
    """The status of a server's answer, where it is another than the method has."""

    body_is_value: bool = False
    """Whether its one argument is the body itself, though it is no object."""
    to_send: Callable[..., Any] | None = None
    """What a server calls in place of the function, where what is only to be sent costs less."""

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__


_operations: dict[Callable[..., Any], Operation] = {}

OPERATIONS: Mapping[Callable[..., Any], Operation] = MappingProxyType(_operations)
"""All operations that were imported, by their function."""


def operation(
    method: Method,
    path: str,
    *,
    creates: bool = False,
    internal: bool = False,
    status: int | None = None,
    body_is_value: bool = False,
    to_send: Callable[..., Any] | None = None,
) -> Callable[[Callable[Concatenate[Store, P], R]], Callable[Concatenate[Store, P], R]]:
    """Register a function over a store as an operation; the function stays what it is.

    Args:
        method: The HTTP method.
        path: The path below `/api`.
        creates: Whether it makes something.
        internal: Whether only this process calls it.
        status: The status of a server's answer, where it is another than the method has.
        body_is_value: Whether its one argument is the body itself, though it is no object.
        to_send: What a server calls in place of the function: it takes the same, and what it returns is
            encoded to the same.
    """

    def register(function: Callable[Concatenate[Store, P], R]) -> Callable[Concatenate[Store, P], R]:
        _operations[function] = Operation(
            function, method, path, creates, internal, status, body_is_value, to_send
        )
        return function

    return register
