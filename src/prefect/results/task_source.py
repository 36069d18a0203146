"""The source of a task's function, as a short text that changes when the function does."""

from __future__ import annotations

import inspect
from typing import Any
from weakref import WeakKeyDictionary

from prefect.rules.hashing import hash_objects

__all__ = ["hash_source"]

_known: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def hash_source(fn: Any) -> str:
    """Hash the source of a function; where there is none to be had, what it compiles to.

    Args:
        fn: A function, or another callable.

    Returns:
        32 hexadecimal digits. Reading a source takes a millisecond, so what was read once is remembered.

    Raises:
        prefect.exceptions.HashError: The callable has no source, and parts that cannot be hashed.
    """
    try:
        found = _known.get(fn)
    except TypeError:  # a callable object without a hash
        return _hash_source(fn)
    if found is None:
        found = _hash_source(fn)
        try:
            _known[fn] = found
        except TypeError:  # one that cannot be referred to weakly
            return found
    return found


def _hash_source(fn: Any) -> str:
    code = getattr(inspect.unwrap(fn), "__code__", None)
    if code is not None and code.co_filename == "<string>":
        # Made by exec. In a program given by `python -c`, which has the same name, inspect would quote that.
        return hash_objects(fn)
    try:
        return hash_objects(inspect.getsource(fn))
    except (OSError, TypeError):  # written at a prompt, made by exec, a partial
        return hash_objects(fn)
