"""What calls operations: in this process over a store, or on a server over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from prefect.store.base import Store

__all__ = ["Caller"]

P = ParamSpec("P")
R = TypeVar("R")


class Caller(Protocol):
    """Calls operations, wherever what they are about is kept. Safe to use from several threads."""

    @property
    def name(self) -> str:
        """What messages call the place; no secrets."""

    @property
    def page(self) -> int | None:
        """How many objects a query gives at most; None: as many as it asks for."""

    def call(self, operation: Callable[Concatenate[Store, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call an operation.

        Args:
            operation: One of `prefect.operations`.
            args: Its arguments, without the store.
            kwargs: Its named arguments.

        Returns:
            What the operation returns.
        """
