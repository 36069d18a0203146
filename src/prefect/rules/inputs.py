"""Find and replace values inside arguments: futures and states in lists, dicts, dataclasses and models.

A container is looked into only where one of its members is of a type that may matter, which is found out at C
speed: ten million floats in a list are never walked in Python. Arrays, frames, texts, iterators and objects
that are no containers are left alone; so is what `quote` marks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from prefect.schemas.base import Schema
from prefect.types.annotations import BaseAnnotation, quote

__all__ = ["PARENTS", "Wanted", "contains_only_atoms", "find", "replace"]

Wanted = tuple[type[Any], ...] | Callable[[Any], bool]
"""The types that are looked for, or a function that says whether a value is."""

PARENTS = "__parents__"
"""The input by which a task run says which one it was called in."""
_REMEMBERED_TYPES = 4096
_ATOMS = frozenset(
    {type(None), bool, int, float, complex, str, bytes, bytearray, memoryview, range, slice, type}
)


def contains_only_atoms(container: Collection[Any]) -> bool:
    """Whether a container holds nothing but numbers, texts and the like; of a dict, keys and values.

    Args:
        container: A list, tuple, set or dict.
    """
    if isinstance(container, dict):
        return _ATOMS.issuperset(map(type, container)) and _ATOMS.issuperset(map(type, container.values()))
    return _ATOMS.issuperset(map(type, container))


def find(value: Any, wanted: Wanted) -> list[Any]:
    """Return what is wanted inside a value, in the order in which it stands there.

    Args:
        value: Any value; it may itself be what is wanted.
        wanted: Types, or a function that says whether a value is wanted. Atoms (numbers, texts, None) never
            are, and what is wanted is not searched further.
    """
    if type(value) in _ATOMS:
        return []
    verdicts = _verdicts_for(wanted)
    return _find(value, verdicts) if verdicts.matters(value) else []


def replace(value: Any, wanted: Wanted, by: Callable[[Any], Any]) -> Any:
    """Return a value in which each wanted thing is replaced.

    Containers are copied only where something in them was replaced. In a container that holds itself, the
    inner reference stays one to the container as it was.

    Args:
        value: Any value; it may itself be what is wanted.
        wanted: As for `find`.
        by: Called once with each wanted thing; returns what takes its place.

    Returns:
        The very same object, if nothing was replaced.
    """
    if type(value) in _ATOMS:
        return value
    verdicts = _verdicts_for(wanted)
    # The search keeps a stack of its own; only what has something to replace is rebuilt, which recurses.
    if not (verdicts.matters(value) and _find(value, verdicts)):
        return value
    return _Replacement(verdicts, by).of(value)


class _Kind(NamedTuple):
    """How to look into containers of one kind, and how to make one like another with other members."""

    members: Callable[[Any], Collection[Any]]
    rebuilt: Callable[[Any, list[Any]], Any]


class _Verdicts(dict[type[Any], "_Kind | bool"]):
    """What values of a type are: True if they may be wanted, their kind if containers, else False."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__()
        self._types = wanted if isinstance(wanted, tuple) else None
        self.is_wanted: Callable[[Any], bool] | None = None if isinstance(wanted, tuple) else wanted

    def __missing__(self, cls: type[Any]) -> _Kind | bool:
        if len(self) >= _REMEMBERED_TYPES:
            self.clear()
        verdict: _Kind | bool
        if cls in _ATOMS:
            verdict = False
        elif self._types is not None and issubclass(cls, self._types):
            verdict = True
        else:
            # Where a function says what is wanted, values of any type may be.
            verdict = _kind_of(cls) or self._types is None
        self[cls] = verdict
        return verdict

    def matters(self, value: Any) -> bool:
        """Whether a value may be wanted, or hold something that may."""
        verdict = self[type(value)]
        if isinstance(verdict, bool) or self.is_wanted is not None:
            return bool(verdict)
        return any(self[cls] for cls in set(map(type, verdict.members(value))))

    def wants(self, value: Any, verdict: _Kind | bool) -> bool:
        """Whether a value whose type has this verdict is wanted."""
        return verdict is True if self.is_wanted is None else self.is_wanted(value)


def _verdicts_for(wanted: Wanted) -> _Verdicts:
    return _verdicts_on_types(wanted) if isinstance(wanted, tuple) else _Verdicts(wanted)


@lru_cache(maxsize=32)
def _verdicts_on_types(wanted: tuple[type[Any], ...]) -> _Verdicts:
    return _Verdicts(wanted)


def _find(value: Any, verdicts: _Verdicts) -> list[Any]:
    found: list[Any] = []
    seen: dict[int, Any] = {}
    stack = [iter((value,))]
    while stack:
        for item in stack[-1]:
            verdict = verdicts[type(item)]
            if verdict is False:
                continue
            if verdicts.wants(item, verdict):
                found.append(item)
                continue
            if verdict is True or id(item) in seen:
                continue
            # Kept, so that no other object can get the id while the search goes on.
            seen[id(item)] = item
            members = verdict.members(item)
            if any(verdicts[cls] for cls in set(map(type, members))):
                stack.append(iter(members))
                break
        else:
            stack.pop()
    return found


class _Replacement:
    """Rebuilds containers around what was replaced; what stands in several places is made once."""

    __slots__ = ("_by", "_done", "_verdicts")

    def __init__(self, verdicts: _Verdicts, by: Callable[[Any], Any]) -> None:
        self._verdicts = verdicts
        self._by = by
        self._done: dict[int, tuple[Any, Any]] = {}

    def of(self, value: Any) -> Any:
        verdict = self._verdicts[type(value)]
        if verdict is False:
            return value
        if id(value) in self._done:
            return self._done[id(value)][1]
        if self._verdicts.wants(value, verdict):
            made = self._by(value)
        elif verdict is True:
            return value
        else:
            self._done[id(value)] = (value, value)
            made = self._rebuilt(value, verdict)
        self._done[id(value)] = (value, made)
        return made

    def _rebuilt(self, value: Any, kind: _Kind) -> Any:
        members = list(kind.members(value))
        verdicts, of = self._verdicts, self.of
        made = [of(member) if verdicts[type(member)] else member for member in members]
        if all(new is old for new, old in zip(made, members, strict=True)):
            return value
        return kind.rebuilt(value, made)


def _kind_of(cls: type[Any]) -> _Kind | None:
    # By type and never by instance: a mock claims to have any attribute and to be of any class.
    for base, kind in _KINDS.items():
        if issubclass(cls, base):
            return kind
    for mark, kind in _MARKED_KINDS.items():
        if hasattr(cls, mark):
            return kind
    return None


def _copied(value: Any) -> Any:
    from copy import copy  # noqa: PLC0415 - for subclasses of containers only

    return copy(value)


def _make_list(value: list[Any], made: list[Any]) -> list[Any]:
    if type(value) is list:
        return made
    new: list[Any] = _copied(value)
    new[:] = made
    return new


def _make_tuple(value: tuple[Any, ...], made: list[Any]) -> tuple[Any, ...]:
    make = getattr(type(value), "_make", type(value))  # named tuples
    return make(made)


def _make_dict(value: dict[Any, Any], made: list[Any]) -> dict[Any, Any]:
    pairs = dict(zip(made[: len(value)], made[len(value) :], strict=True))
    if type(value) is dict:
        return pairs
    new: dict[Any, Any] = _copied(value)
    new.clear()
    new.update(pairs)
    return new


def _values_of(names: Callable[[Any], Collection[str]]) -> Callable[[Any], list[Any]]:
    return lambda value: [getattr(value, name) for name in names(value)]


def _present(value: Any) -> list[str]:
    return [name for name in type(value).__dataclass_fields__ if hasattr(value, name)]


def _make_dataclass(value: Any, made: list[Any]) -> Any:
    new = _copied(value)
    for name, item in zip(_present(value), made, strict=True):
        object.__setattr__(new, name, item)  # frozen ones too
    return new


def _names_in_struct(value: Any) -> tuple[str, ...]:
    names: tuple[str, ...] = type(value).__struct_fields__
    return names


def _make_struct(value: Any, made: list[Any]) -> Any:
    return msgspec.structs.replace(value, **dict(zip(_names_in_struct(value), made, strict=True)))


def _fields_of_model(value: Any) -> dict[str, Any]:
    fields = type(value).__pydantic_fields__
    own = {name: item for name, item in vars(value).items() if name in fields}
    return {**own, **(value.__pydantic_extra__ or {})}


def _make_model(value: Any, made: list[Any]) -> Any:
    return value.model_copy(update=dict(zip(_fields_of_model(value), made, strict=True)))


_KINDS: dict[type[Any], _Kind | None] = {
    # States and runs are values of their own, whatever they hold.
    Schema: None,
    type: None,
    quote: None,
    BaseAnnotation: _Kind(lambda mark: (mark.value,), lambda mark, made: mark.rewrap(made[0])),
    list: _Kind(lambda value: value, _make_list),
    tuple: _Kind(lambda value: value, _make_tuple),
    set: _Kind(tuple, lambda value, made: type(value)(made)),
    frozenset: _Kind(tuple, lambda value, made: type(value)(made)),
    dict: _Kind(lambda value: [*value, *value.values()], _make_dict),
}
_MARKED_KINDS: dict[str, _Kind] = {
    "__dataclass_fields__": _Kind(_values_of(_present), _make_dataclass),
    "__pydantic_fields__": _Kind(lambda value: list(_fields_of_model(value).values()), _make_model),
    "__struct_fields__": _Kind(_values_of(_names_in_struct), _make_struct),
}
