"""What of values does not fit a JSON schema, looked for in this process."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import msgspec

__all__ = ["LONGEST_SECONDS", "TOO_LONG", "Mismatch", "SchemaError", "find_mismatches"]

LONGEST_SECONDS = 5.0
"""How long a check may take: references within a schema can make it as long as they like."""
TOO_LONG = "The values cannot be checked in time: the schema asks for too much. Make its patterns simpler."
_END_OF_TIME = float("inf")


class SchemaError(ValueError):
    """What should be a JSON schema is none, or values cannot be checked against it in time."""


_LONGEST_MESSAGE = 500


class Mismatch(msgspec.Struct, frozen=True):
    """Something that does not fit."""

    message: str
    absolute_path: list[str | int]
    """Where it is: names and indexes."""
    validator: str
    """The keyword of the schema that it does not fit."""
    missing: str | None = None
    """What is required there, and is not there."""


def find_mismatches(schema: bytes, values: Any, *, partial: bool = False) -> list[Mismatch]:
    """Return what of some values is not as a schema says, the most telling last.

    Args:
        schema: The schema, encoded.
        values: The values, as JSON has them.
        partial: Whether some may be missing, also within them.

    Raises:
        SchemaError: It is no schema, or the check takes too long.
    """
    from jsonschema.exceptions import relevance  # noqa: PLC0415 - costly, and no part of a run here
    from referencing.exceptions import Unresolvable  # noqa: PLC0415 - goes with it

    started = _until.set(time.monotonic() + LONGEST_SECONDS)
    try:
        found = list(_validator(schema, partial).iter_errors(values))
    except (Unresolvable, re.error, RecursionError, OverflowError) as error:
        raise SchemaError(f"Invalid schema: {error}") from error
    finally:
        _until.reset(started)
    return [_mismatch(error) for error in sorted(found, key=relevance)]


def _mismatch(error: Any) -> Mismatch:
    missing = None
    if error.validator == "required" and isinstance(error.instance, Mapping):
        names = (name for name in error.validator_value if error.message.startswith(repr(name)))
        missing = next(names, None)
    message = error.message
    if len(message) > _LONGEST_MESSAGE:  # it repeats the value, however large that is
        message = f"{message[:200]} … {message[-200:]}"
    return Mismatch(message, list(error.absolute_path), error.validator, missing)


@lru_cache(maxsize=256)
def _validator(schema: bytes, partial: bool) -> Any:
    from jsonschema.exceptions import SchemaError as BadSchema  # noqa: PLC0415 - costly, see above
    from referencing import Registry  # noqa: PLC0415 - goes with it

    read, kind = msgspec.json.decode(schema), _watched(partial)
    try:
        kind.check_schema(read)
    except BadSchema as error:
        raise SchemaError(f"Invalid schema: {error.message}") from error
    # An empty registry: a schema that refers to somewhere else must not make this process ask there.
    return kind(read, registry=Registry())


_until: ContextVar[float] = ContextVar("until")
"""When a check is given up, on the monotonic clock."""


@lru_cache(maxsize=2)
def _watched(partial: bool) -> Any:
    """Return a validator that looks at the clock with each keyword; a partial one lets values be missing."""
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415 - costly, see above

    extend: Any = validators.extend  # It has no types.
    watched = {name: _watch(keyword) for name, keyword in Draft202012Validator.VALIDATORS.items()}
    if partial:
        watched["required"] = _pass
    return extend(Draft202012Validator, watched)


def _pass(*_arguments: Any) -> tuple[()]:
    return ()


def _watch(keyword: Callable[..., Any]) -> Callable[..., Any]:
    def check(*arguments: Any) -> Iterator[Any]:
        if time.monotonic() > _until.get(_END_OF_TIME):
            raise SchemaError(TOO_LONG)
        yield from keyword(*arguments) or ()

    return check
