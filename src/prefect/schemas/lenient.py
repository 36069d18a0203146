"""How what comes from others is read: times in all forms, wherever there is one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from prefect.schemas.base import whole
from prefect.schemas.filters.base import read_moment

__all__ = ["Reader", "convert"]

T = TypeVar("T")

# msgspec reads RFC 3339 and seconds, and has no hook for what else is a time; but it says where that is.
_NO_TIME = ("Invalid RFC3339 encoded datetime", "Timestamp is out of range")
_STEP = re.compile(r"\.(\w+)|\[(?:\d+|\.\.\.)\]")


class Reader(Generic[T]):
    """Reads JSON as `msgspec.json.Decoder` does, and times in all forms.

    Args:
        wanted: What is to be made of it.
        strict: Whether texts that hold a number, and the like, are refused.
    """

    __slots__ = ("_decoder", "_strict", "_wanted")

    def __init__(self, wanted: type[T], *, strict: bool = True) -> None:
        self._wanted = wanted
        self._strict = strict
        self._decoder = msgspec.json.Decoder(whole(wanted), strict=strict)

    def decode(self, text: bytes | str) -> T:
        """Read a text.

        Args:
            text: JSON.

        Raises:
            msgspec.ValidationError: A field is missing or does not fit; the text names its path.
            msgspec.DecodeError: It is no JSON.
        """
        try:
            return self._decoder.decode(text)
        except msgspec.ValidationError as error:
            if not str(error).startswith(_NO_TIME):
                raise
        except UnicodeDecodeError:
            raise
        except ValueError:
            # `convert` says what is wrong.
            pass
        return convert(msgspec.json.decode(text), self._wanted, strict=self._strict)


def convert(given: Any, wanted: type[T], *, strict: bool = False) -> T:
    """Make plain values into what is wanted, as `msgspec.convert` does, and read times in all forms.

    Args:
        given: What JSON holds.
        wanted: What is to be made of it.
        strict: Whether texts that hold a number, and the like, are refused.

    Raises:
        msgspec.ValidationError: A field is missing or does not fit; the text names its path.
    """
    wanted = whole(wanted)
    while True:
        try:
            return msgspec.convert(given, wanted, strict=strict)
        except msgspec.ValidationError as error:
            what, _, path = str(error).partition(" - at `$")
            if not what.startswith(_NO_TIME):
                raise
            before = given
            given = _respelled(given, [found[1] for found in _STEP.finditer(path)])
            if given == before:
                raise
        except ValueError as error:
            # msgspec forgets that the calendar ends a second before 253402300800, when the year 10000 begins.
            raise msgspec.ValidationError(f"Timestamp is out of range: {error}") from error


def _respelled(value: Any, steps: Sequence[str | None]) -> Any:
    """Write the times at a path as msgspec reads them: in one go those of all elements of a list."""
    if not steps:
        return _as_rfc3339(value)
    name, rest = steps[0], steps[1:]
    if isinstance(value, list):
        return [_respelled(each, rest) for each in value]
    if isinstance(value, dict):
        return {
            key: _respelled(each, rest) if name is None or key == name else each
            for key, each in value.items()
        }
    return value


def _as_rfc3339(value: Any) -> Any:
    try:
        msgspec.convert(value, datetime, strict=False)
    except (msgspec.ValidationError, ValueError):
        try:
            return read_moment(value).isoformat()
        except ValueError:
            return value
    return value
