"""Stable hashes of Python values: equal content gives the same text in every process, today and tomorrow.

A value is written out as a sequence of frames (a tag, a length, the content), so that no two different values
give the same bytes, and the bytes are hashed. `1`, `1.0` and `True` differ; the order of dicts and sets does
not matter. What is not known here is taken apart the way pickle would, but without pickle's memo, which makes
pickles of equal values differ. Classes count by their name; functions by their code, defaults and closure,
not by their source, so that two lambdas in one line differ and a comment makes no difference.
"""

from __future__ import annotations

import copyreg
import functools
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from types import (
    BuiltinFunctionType,
    CodeType,
    EllipsisType,
    FunctionType,
    MethodType,
    ModuleType,
)
from typing import Any
from uuid import UUID

from prefect.exceptions import HashError

__all__ = ["hash_arguments", "hash_objects"]

_DIGEST_BYTES = 16
_PICKLE_PROTOCOL = 4
"""The last one whose `__reduce_ex__` gives buffers as bytes."""


def hash_objects(*args: Any, **kwargs: Any) -> str:
    """Hash values of nearly any type by their content.

    Args:
        args: Values; their order matters.
        kwargs: Named values; their order does not matter.

    Returns:
        32 hexadecimal digits, the same for equal content in every process.

    Raises:
        prefect.exceptions.HashError: A value, or something inside it, has no content that could be hashed: a
            lock, an open file, a generator.
    """
    hasher = _Hasher()
    hasher.feed_safely(args)
    if kwargs:
        hasher.feed_safely(kwargs)
    return hasher.digest().hex()


def hash_arguments(arguments: Mapping[str, Any]) -> str:
    """Hash the arguments of a call.

    Args:
        arguments: The arguments by the names of their parameters; the order does not matter.

    Returns:
        32 hexadecimal digits.

    Raises:
        prefect.exceptions.HashError: An argument cannot be hashed; the text names it.
    """
    hasher = _Hasher()
    for name in sorted(arguments):
        hasher.feed(name)
        try:
            hasher.feed_safely(arguments[name])
        except HashError as error:
            raise HashError(f"Argument {name!r} cannot be hashed: {error}") from error
    return hasher.digest().hex()


class _Hasher:
    """Feeds values to a hash function, frame by frame."""

    __slots__ = ("_hash", "_open", "update")

    def __init__(self) -> None:
        from hashlib import blake2b  # noqa: PLC0415 - loads OpenSSL, 3 ms, and only runs that cache need it

        self._hash = blake2b(digest_size=_DIGEST_BYTES)
        self.update: Callable[[bytes], None] = self._hash.update
        self._open: list[int] = []
        """The ids of the values that are being taken apart, outermost first: a cycle shows here."""

    def digest(self) -> bytes:
        return self._hash.digest()

    def feed_safely(self, value: Any) -> None:
        """Feed a value; a nesting that is too deep is a `HashError` too."""
        try:
            self.feed(value)
        except RecursionError as error:
            raise HashError(f"a {_name(type(value))!r} is nested too deeply") from error

    def feed(self, value: Any) -> None:
        kind = type(value)
        write = _SCALARS.get(kind)
        if write is not None:
            tag, content = write(value)
            self.frame(tag, content)
            return
        if id(value) in self._open:
            self.frame(b"cycle", str(self._open.index(id(value))).encode())
            return
        self._open.append(id(value))
        try:
            _CONTAINERS.get(kind, _feed_other)(self, value)
        finally:
            self._open.pop()

    def frame(self, tag: bytes, content: bytes) -> None:
        self.update(b"%s %d:" % (tag, len(content)))
        self.update(content)

    def begin(self, tag: bytes, count: int, name: str = "") -> None:
        self.update(b"%s[%d]%d:%s" % (tag, count, len(name.encode()), name.encode()))

    def alone(self, value: Any) -> bytes:
        """Hash one value apart, so that values without an order can be put in one."""
        apart = _Hasher()
        apart._open = self._open
        apart.feed(value)
        return apart.digest()


def _text(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


_SCALARS: dict[type, Callable[[Any], tuple[bytes, bytes]]] = {
    type(None): lambda value: (b"none", b""),
    EllipsisType: lambda value: (b"ellipsis", b""),
    type(NotImplemented): lambda value: (b"notimplemented", b""),
    bool: lambda value: (b"bool", b"1" if value else b"0"),
    int: lambda value: (b"int", b"%x" % value),
    float: lambda value: (b"float", value.hex().encode()),
    complex: lambda value: (b"complex", f"{value.real.hex()},{value.imag.hex()}".encode()),
    str: lambda value: (b"str", _text(value)),
    bytes: lambda value: (b"bytes", value),
    bytearray: lambda value: (b"bytearray", bytes(value)),
    datetime: lambda value: (b"datetime", f"{value.isoformat()} {value.tzinfo!s} {value.fold}".encode()),
    date: lambda value: (b"date", value.isoformat().encode()),
    timedelta: lambda value: (b"timedelta", f"{value.days},{value.seconds},{value.microseconds}".encode()),
    UUID: lambda value: (b"uuid", value.bytes),
    Decimal: lambda value: (b"decimal", str(value).encode()),
    ModuleType: lambda value: (b"module", value.__name__.encode()),
}


def _feed_sequence(hasher: _Hasher, value: list[Any] | tuple[Any, ...]) -> None:
    hasher.begin(b"list" if type(value) is list else b"tuple", len(value))
    for item in value:
        hasher.feed(item)


def _feed_dict(hasher: _Hasher, value: dict[Any, Any]) -> None:
    if set(map(type, value)) <= {str}:
        hasher.begin(b"dict", len(value))
        for key in sorted(value):
            hasher.feed(key)
            hasher.feed(value[key])
        return
    hasher.begin(b"dict of any", len(value))
    by_digest = {hasher.alone(key): item for key, item in value.items()}
    for digest in sorted(by_digest):
        hasher.update(digest)
        hasher.feed(by_digest[digest])


def _feed_set(hasher: _Hasher, value: set[Any] | frozenset[Any]) -> None:
    hasher.begin(b"set" if type(value) is set else b"frozenset", len(value))
    for digest in sorted(hasher.alone(item) for item in value):
        hasher.update(digest)


def _feed_function(hasher: _Hasher, value: FunctionType) -> None:
    closure = [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]
    hasher.begin(b"function", 4, value.__module__ or "")
    hasher.feed(value.__code__)
    hasher.feed(value.__defaults__)
    hasher.feed(value.__kwdefaults__)
    hasher.feed(closure)


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - an empty cell tells so only by raising
    except ValueError:
        return False
    return True


def _feed_code(hasher: _Hasher, value: CodeType) -> None:
    # Line numbers and file names are left out: moving a function does not change what it does.
    hasher.begin(b"code", 6)
    hasher.feed(value.co_code)
    hasher.feed(value.co_exceptiontable)
    hasher.feed(value.co_consts)
    hasher.feed(value.co_names)
    hasher.feed(value.co_varnames + value.co_freevars + value.co_cellvars)
    hasher.feed((value.co_argcount, value.co_posonlyargcount, value.co_kwonlyargcount, value.co_flags))


def _feed_method(hasher: _Hasher, value: MethodType) -> None:
    hasher.begin(b"method", 2)
    hasher.feed(value.__self__)
    hasher.feed(value.__func__)


def _feed_builtin(hasher: _Hasher, value: BuiltinFunctionType) -> None:
    owner = value.__self__
    if owner is None or isinstance(owner, ModuleType):
        hasher.frame(b"builtin", f"{value.__module__}.{value.__qualname__}".encode())
        return
    hasher.begin(b"bound builtin", 1, value.__qualname__)
    hasher.feed(owner)


def _feed_partial(hasher: _Hasher, value: functools.partial[Any]) -> None:
    hasher.begin(b"partial", 3)
    hasher.feed(value.func)
    hasher.feed(value.args)
    hasher.feed(value.keywords)


_CONTAINERS: dict[type, Callable[[_Hasher, Any], None]] = {
    list: _feed_sequence,
    tuple: _feed_sequence,
    dict: _feed_dict,
    set: _feed_set,
    frozenset: _feed_set,
    FunctionType: _feed_function,
    CodeType: _feed_code,
    MethodType: _feed_method,
    BuiltinFunctionType: _feed_builtin,
    functools.partial: _feed_partial,
}


def _feed_other(hasher: _Hasher, value: Any) -> None:
    kind = type(value)
    if isinstance(value, type):
        hasher.frame(b"class", _name(value).encode())
    elif isinstance(value, Enum):
        hasher.frame(b"enum", f"{_name(kind)}.{value.name}".encode())
    elif isinstance(value, PurePath):
        hasher.frame(b"path", _text(f"{kind.__name__}:{value}"))
    elif isinstance(value, time):
        hasher.frame(b"time", f"{_name(kind)} {value.isoformat()} {value.tzinfo!s} {value.fold}".encode())
    elif hasattr(kind, "__pydantic_root_model__"):
        # `__pydantic_fields_set__` is left out: a default that was given is equal to one that was not.
        _feed_named(hasher, value, [value.__dict__, value.__pydantic_extra__, value.__pydantic_private__])
    elif hasattr(kind, "__struct_fields__"):
        _feed_named(hasher, value, (getattr(value, name) for name in kind.__struct_fields__))
    elif hasattr(kind, "__dataclass_fields__"):
        _feed_named(hasher, value, (getattr(value, name, None) for name in kind.__dataclass_fields__))
    elif kind.__module__.partition(".")[0] in _ARRAYS and (feed := _array_feeder(kind)) is not None:
        feed(hasher, value)
    else:
        _feed_reduced(hasher, value)


def _feed_named(hasher: _Hasher, value: Any, parts: Iterable[Any]) -> None:
    parts = tuple(parts)
    hasher.begin(b"object", len(parts), _name(type(value)))
    for part in parts:
        hasher.feed(part)


_ARRAYS = ("numpy", "pandas")


def _array_feeder(kind: type) -> Callable[[_Hasher, Any], None] | None:
    # They are told by name: this file must not import their libraries.
    return {"ndarray": _feed_ndarray, "DataFrame": _feed_dataframe, "Series": _feed_series}.get(kind.__name__)


def _feed_ndarray(hasher: _Hasher, value: Any) -> None:
    hasher.begin(b"ndarray", value.size, f"{value.dtype.descr} {value.shape}")
    if value.dtype.hasobject:
        for item in value.ravel().tolist():
            hasher.feed(item)
    else:
        hasher.frame(b"data", value.tobytes())


def _feed_dataframe(hasher: _Hasher, value: Any) -> None:
    # By columns: how pandas groups them in blocks depends on how the frame was made.
    hasher.begin(b"dataframe", value.shape[1])
    hasher.feed(value.columns)
    hasher.feed(value.index)
    for position in range(value.shape[1]):
        _feed_values(hasher, value.iloc[:, position])


def _feed_series(hasher: _Hasher, value: Any) -> None:
    hasher.begin(b"series", 1)
    hasher.feed(value.name)
    hasher.feed(value.index)
    _feed_values(hasher, value)


def _feed_values(hasher: _Hasher, column: Any) -> None:
    hasher.frame(b"dtype", repr(column.dtype).encode())
    hasher.feed(column.to_numpy())


def _feed_reduced(hasher: _Hasher, value: Any) -> None:
    kind = type(value)
    reduce = copyreg.dispatch_table.get(kind)
    try:
        parts = reduce(value) if reduce else value.__reduce_ex__(_PICKLE_PROTOCOL)
    except Exception as error:  # any type's own __reduce__ runs here
        raise HashError(f"a {_name(kind)!r} has no content that could be hashed ({error})") from error
    if isinstance(parts, str):
        hasher.frame(b"global", f"{getattr(value, '__module__', None)}.{parts}".encode())
        return
    make, args, state, items, pairs = (*parts, None, None, None)[:5]
    hasher.begin(b"reduced", 5, _name(kind))
    hasher.feed(make)
    hasher.feed(args)
    hasher.feed(state)
    hasher.feed(None if items is None else list(items))
    ordered = pairs is None or isinstance(value, OrderedDict)
    hasher.feed(pairs if pairs is None else list(pairs) if ordered else dict(pairs))


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
