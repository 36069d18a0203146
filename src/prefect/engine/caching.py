"""Results that are kept, and runs that need not run because of them."""

from __future__ import annotations

from typing import Any

__all__ = ["CachingOptions", "cached_state", "is_caching", "is_persisting", "persisted"]


class CachingOptions:
    @classmethod
    def of(cls, options: Any) -> CachingOptions:
        return cls()


def is_caching(task: Any) -> bool:
    return False


def is_persisting(definition: Any) -> bool:
    return False


def cached_state(context: Any, details: Any) -> Any: ...


def persisted(context: Any, state: Any) -> Any: ...
