"""Values of runtime attributes that an environment variable replaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from prefect.settings.runtime_variables import mock_variable

__all__ = ["cast_mock", "kind_of"]

_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})


def cast_mock(section: str, attribute: str, text: str, kind: type) -> Any:
    """Return the text of a mock as a value of the attribute's type.

    Args:
        section: `flow_run`, `task_run` or `deployment`.
        attribute: The attribute that is mocked.
        text: The variable's text.
        kind: The attribute's type: `str`, `bool`, `int`, `float`, `datetime`, `list` or `dict`.

    Raises:
        ValueError: The text is no value of that type, or texts cannot be of that type.
    """
    if kind is str:
        return text
    try:
        cast = _CASTS.get(kind)
        if cast is None:
            raise ValueError(f"no text gives a value of type {kind.__name__}; use monkeypatch instead")
        return cast(text)
    except ValueError as error:
        raise ValueError(
            f"prefect.runtime.{section}.{attribute} cannot be mocked by "
            f"{mock_variable(section, attribute)}={text!r}: {error}."
        ) from error


def kind_of(value: object) -> type:
    """Return the type that a mock of an attribute with this value has."""
    if value is None:
        return str
    return next((kind for kind in _KINDS if isinstance(value, kind)), type(value))


def _to_bool(text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("expected true or false")


def _to_datetime(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("expected an ISO 8601 time, such as 2026-01-31T08:15:00Z") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _to_list(text: str) -> list[Any]:
    try:
        return msgspec.json.decode(text, type=list[Any])
    except msgspec.MsgspecError:
        raise ValueError('expected a JSON list, such as ["a", "b"]') from None


def _to_dict(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise ValueError('expected a JSON object, such as {"x": 1}') from None


_CASTS: Mapping[type, Callable[[str], Any]] = {
    bool: _to_bool,
    int: int,
    float: float,
    datetime: _to_datetime,
    list: _to_list,
    dict: _to_dict,
}
_KINDS = (str, *_CASTS)  # bool stands before int, whose subclass it is
