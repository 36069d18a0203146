"""Runs what was composed with SQLAlchemy Core through the plain drivers.

Compiling takes several times as long as composing. So the text of a statement is kept for all that differ
from it only in their values; SQLAlchemy's cache keys say which those are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BindParameter
from sqlalchemy.sql import ClauseElement

from prefect.store.base import Dialect as DialectName
from prefect.store.compile import DIALECTS
from prefect.store.values import Row, plain

__all__ = ["text_and_params"]

_MOST_SHAPES = 300
"""How many texts are kept; some 10 KB each."""

_MOST_PARAMETERS = 100
"""Who asks for more will hardly ask for just as many again."""

Bind = BindParameter[Any]


class _Place(NamedTuple):
    """Where a parameter's value is."""

    bind: int
    """Which of the statement's own."""
    item: int | None
    """Which of its list; None where it is no list."""


class _Constant(NamedTuple):
    """A parameter that a database's form of a statement has of itself."""

    value: Any


_Source = _Place | _Constant


class _Shape(NamedTuple):
    """The text of statements that differ only in their values."""

    text: str
    sources: tuple[_Source, ...]


_shapes: dict[tuple[Any, ...], _Shape] = {}


def text_and_params(statement: ClauseElement, dialect: DialectName) -> tuple[str, Row]:
    """Return a statement's text for a database, and its parameters as the driver takes them.

    Args:
        statement: A query or a change.
        dialect: The database.
    """
    found = statement._generate_cache_key()
    if found is None:
        return _compile(statement, dialect, ())[:2]
    binds = found.bindparams
    # A list in a statement is as many parameters as it has items.
    key = (dialect, found.key, *[len(bind.effective_value or ()) for bind in binds if bind.expanding])
    shape = _shapes.get(key)
    if shape is not None:
        return shape.text, tuple(_value(binds, source) for source in shape.sources)
    text, params, sources = _compile(statement, dialect, binds)
    if sources is not None and len(sources) <= _MOST_PARAMETERS:
        if len(_shapes) >= _MOST_SHAPES:
            _shapes.clear()
        _shapes[key] = _Shape(text, sources)
    return text, params


def _value(binds: Sequence[Bind], source: _Source) -> Any:
    if isinstance(source, _Constant):
        return source.value
    value: Any = binds[source.bind].effective_value
    return plain(value if source.item is None else value[source.item])


def _compile(
    statement: ClauseElement, dialect: DialectName, binds: Sequence[Bind]
) -> tuple[str, Row, tuple[_Source, ...] | None]:
    """Return text, parameters and where those are from; None where the text is good for these alone."""
    compiled: Any = statement.compile(dialect=DIALECTS[dialect], compile_kwargs={"render_postcompile": True})
    names: list[str] = compiled.positiontup or []
    values = compiled.params
    params = tuple(plain(values[name]) for name in names)
    known = dict(_named(binds, compiled.bind_names))
    placed = {known[name].bind for name in names if name in known}
    if any(number not in placed for number, bind in enumerate(binds) if _is_something(bind)):
        # Its value stands in the text itself, or goes by a name that tells nothing.
        return str(compiled), params, None
    sources = (known.get(name) or _Constant(value) for name, value in zip(names, params, strict=True))
    return str(compiled), params, tuple(sources)


def _is_something(bind: Bind) -> bool:
    return not bind.expanding or bool(bind.effective_value)


def _named(binds: Sequence[Bind], names: dict[Bind, str]) -> Iterator[tuple[str, _Place]]:
    """Give the names that values go by in a compiled statement."""
    for number, bind in enumerate(binds):
        name = names.get(bind)
        if name is None:
            continue
        if bind.expanding:
            for item in range(len(bind.effective_value or ())):
                yield f"{name}_{item + 1}", _Place(number, item)
        else:
            yield name, _Place(number, None)
