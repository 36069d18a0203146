"""Marks on the arguments of a task call: `unmapped`, `allow_failure`, `quote`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

__all__ = ["BaseAnnotation", "NotSet", "allow_failure", "opaque", "quote", "unmapped"]

T = TypeVar("T")


class BaseAnnotation(Generic[T]):
    """Base of the marks: they hold a value and say how to treat it.

    Args:
        value: The value.
    """

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def unwrap(self) -> T:
        """Return the value itself."""
        return self.value

    def rewrap(self, value: Any) -> BaseAnnotation[Any]:
        """Return the same mark around another value."""
        return type(self)(value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash((type(self), self.value))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"


class unmapped(BaseAnnotation[T]):
    """Give a value as it is to every task run of a `.map`, instead of one of its items to each."""

    __slots__ = ()

    def __getitem__(self, _index: object) -> T:
        """Return the value, whichever item is asked for."""
        return self.value

    def __iter__(self) -> Iterator[T]:
        """Refuse: the value stands for itself."""
        raise TypeError("An unmapped value is not iterable; .unwrap() gives the value itself.")


class allow_failure(BaseAnnotation[T]):
    """Run even if the upstream run failed; the argument is then its exception."""

    __slots__ = ()


class quote(BaseAnnotation[T]):
    """Pass a value as it is: it is not searched for futures, so a large one costs nothing."""

    __slots__ = ()

    def unquote(self) -> T:
        """Return the value itself."""
        return self.value


class opaque(quote[T]):
    """The same as `quote`."""

    __slots__ = ()


class NotSet:
    """Stands for an argument that was left out, where None is a value of its own."""
