"""`ConcurrencyContext`: leases that are given back at its end, because that failed before."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, ClassVar
from uuid import UUID

from prefect.client.current import get_caller
from prefect.context import ContextModel
from prefect.exceptions import PrefectException
from prefect.logging.loggers import get_logger
from prefect.operations.concurrency import decrement_slots_with_lease

__all__ = ["ConcurrencyContext"]


class ConcurrencyContext(ContextModel):
    """Gives back, when it is left, the leases that could not be given back where their block ended."""

    __slots__ = ("cleanup_lease_ids",)
    __var__: ClassVar[ContextVar[Any]] = ContextVar("concurrency")
    _fields = ("cleanup_lease_ids",)

    cleanup_lease_ids: list[UUID]

    def __init__(self, cleanup_lease_ids: list[UUID] | None = None) -> None:
        super().__init__(cleanup_lease_ids=list(cleanup_lease_ids or ()))

    @classmethod
    def get(cls) -> ConcurrencyContext | None:
        """Return the current context, or None."""
        found: ConcurrencyContext | None = cls.__var__.get(None)
        return found

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        while self.cleanup_lease_ids:
            lease_id = self.cleanup_lease_ids.pop()
            try:
                get_caller().call(decrement_slots_with_lease, lease_id)
            except PrefectException as problem:
                get_logger("concurrency").warning(
                    "Slots could not be given back; they are free when their lease ends: %s", problem
                )
