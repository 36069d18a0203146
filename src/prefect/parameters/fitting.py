"""Tell without pydantic whether a value already is what its annotation says.

Most arguments are: then pydantic need not be imported, which takes longer than the rest of a small flow. A
yes is certain, a no only means that pydantic must be asked.
"""

from __future__ import annotations

import types
from collections import abc
from collections.abc import Callable
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

__all__ = ["Fits", "fits_for"]

Fits = Callable[[Any], bool]

_PLAIN = frozenset({type(None), bool, int, float, complex, str, bytes})
_CONTAINERS = frozenset({list, set, frozenset, tuple, dict})
_ABSTRACT = {
    abc.Sequence: (list, tuple),
    abc.Set: (set, frozenset),
    abc.Collection: (list, tuple, set, frozenset),
    abc.Iterable: (list, tuple, set, frozenset),
    abc.Mapping: (dict,),
}
"""The built-in containers that pydantic takes as they are for an abstract one."""


def fits_for(annotation: Any) -> Fits | None:
    """Return what tells whether a value fits, or None where only pydantic can.

    Args:
        annotation: An annotation, without forward references.
    """
    if annotation is Any or annotation is object:
        return _always
    if annotation is None:
        return _is_none
    if isinstance(annotation, TypeVar):
        plain = annotation.__bound__ is None and not annotation.__constraints__
        return _always if plain else None
    origin = get_origin(annotation)
    if origin is None:
        return _fits_class(annotation) if isinstance(annotation, type) else None
    arguments = get_args(annotation)
    if origin is Union or origin is types.UnionType:
        return _fits_one_of(arguments)
    if origin is Literal:
        return _fits_literal(arguments)
    if origin in _CONTAINERS:
        return _fits_container(origin, arguments)
    if origin in _ABSTRACT:
        return _fits_abstract(_ABSTRACT[origin], arguments)
    return None


def _always(_value: Any) -> bool:
    return True


def _is_none(value: Any) -> bool:
    return value is None


def _fits_class(cls: type[Any]) -> Fits | None:
    if cls in _PLAIN or cls in _CONTAINERS:
        return lambda value: type(value) is cls
    if issubclass(cls, tuple) or _validates_instances(cls):
        return None
    return lambda value: type(value) is cls


def _validates_instances(cls: type[Any]) -> bool:
    """Whether pydantic does more with an instance of a class than look at its type."""
    if hasattr(cls, "__pydantic_fields__"):
        config = getattr(cls, "model_config", None) or getattr(cls, "__pydantic_config__", None) or {}
        return bool(config.get("revalidate_instances", "never") != "never")
    return hasattr(cls, "__get_pydantic_core_schema__") or hasattr(cls, "__get_validators__")


def _fits_one_of(annotations: tuple[Any, ...]) -> Fits | None:
    known = [fits for fits in map(fits_for, annotations) if fits is not None]
    return (lambda value: any(fits(value) for fits in known)) if known else None


def _fits_literal(choices: tuple[Any, ...]) -> Fits:
    # By type too: 1 == True, but they are different choices.
    return lambda value: any(type(value) is type(choice) and value == choice for choice in choices)


def _fits_container(kind: type[Any], arguments: tuple[Any, ...]) -> Fits | None:
    if kind is tuple:
        if len(arguments) != 2 or arguments[1] is not Ellipsis:
            return _fits_tuple(arguments)
        arguments = arguments[:1]
    items = [_fits_all(argument) for argument in arguments]
    if any(fits is None for fits in items):
        return None
    if kind is dict:
        keys, values = items
        return lambda value: type(value) is dict and keys(value) and values(value.values())  # type: ignore[misc]
    (each,) = items
    return lambda value: type(value) is kind and each(value)  # type: ignore[misc]


def _fits_abstract(kinds: tuple[type[Any], ...], arguments: tuple[Any, ...]) -> Fits | None:
    known = []
    for kind in kinds:
        fits = _fits_container(kind, (*arguments, Ellipsis) if kind is tuple else arguments)
        if fits is None:
            return None
        known.append(fits)
    return lambda value: any(fits(value) for fits in known)


def _fits_all(annotation: Any) -> Fits | None:
    """Return what tells whether all items of an iterable fit; at C speed for plain types."""
    if annotation in _PLAIN:
        only = frozenset({annotation})
        return lambda items: only.issuperset(map(type, items))
    fits = fits_for(annotation)
    if fits is None or fits is _always:
        return fits
    return lambda items: all(map(fits, items))


def _fits_tuple(annotations: tuple[Any, ...]) -> Fits | None:
    fitting = [fits_for(annotation) for annotation in annotations]
    if any(fits is None for fits in fitting):
        return None
    count = len(fitting)
    return lambda value: (
        type(value) is tuple
        and len(value) == count
        and all(fits(item) for fits, item in zip(fitting, value, strict=True))  # type: ignore[misc]
    )
