"""How a setting's value is read from text and written as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from prefect.settings.secret import SecretStr

__all__ = ["describe", "parse", "plain", "write"]

_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})
_ISO_DURATION = (
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_CLOCK_DURATION = (
    r"(?:(?P<days>\d+)(?: days?,?)? )?(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d(?:\.\d+)?)"
)


def parse(value: Any, wanted: Any) -> Any:
    """Turn text, or another plain value, into a value of a type.

    Args:
        value: Text from the environment or a file, or what a program gave.
        wanted: The type: plain, `list[...]`, `set[...]`, `dict[str, ...]`, a `Literal` or a union of such.

    Returns:
        The value.

    Raises:
        ValueError: The value does not fit. `describe(wanted)` says what would.
    """
    origin = get_origin(wanted)
    if origin in (Union, UnionType):
        return _parse_union(value, get_args(wanted))
    if origin is Literal:
        return _parse_literal(value, get_args(wanted))
    if wanted is NoneType or value is None:
        raise ValueError("None")
    if origin in (list, set):
        return origin(parse(item, get_args(wanted)[0]) for item in _items(value))
    if origin is dict:
        return {str(key): parse(item, get_args(wanted)[1]) for key, item in _mapping(value).items()}
    return _PARSERS[wanted](value)


def _parse_union(value: Any, arms: tuple[Any, ...]) -> Any:
    if value is None and NoneType in arms:
        return None
    if type(value) in arms:
        return value
    for arm in arms:
        try:
            return parse(value, arm)
        except (ValueError, TypeError):
            continue
    raise ValueError(value)


def _parse_literal(value: Any, allowed: tuple[Any, ...]) -> Any:
    for choice in allowed:
        if str(value).casefold() == str(choice).casefold():
            return choice
    raise ValueError(value)


def _parse_bool(value: Any) -> bool:
    text = str(value).strip().casefold()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError(value)


def _parse_int(value: Any) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    return int(value)


def _parse_str(value: Any) -> str:
    if isinstance(value, str | Path | int | float):
        return str(value)
    raise ValueError(value)


def _parse_secret(value: Any) -> SecretStr:
    if isinstance(value, SecretStr):
        return value
    reveal = getattr(value, "get_secret_value", None)  # pydantic's own secrets are welcome too
    return SecretStr(_parse_str(reveal() if reveal else value))


def _parse_path(value: Any) -> Path:
    if isinstance(value, str | Path) and str(value):
        return Path(value).expanduser()
    raise ValueError(value)


def _parse_timedelta(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    try:
        return timedelta(seconds=float(value))
    except OverflowError as error:
        raise ValueError(value) from error
    except ValueError:
        text = str(value).strip()
        found = re.fullmatch(_CLOCK_DURATION, text) or re.fullmatch(_ISO_DURATION, text)
        amounts = (
            {unit: float(amount) for unit, amount in found.groupdict().items() if amount} if found else {}
        )
        if not amounts:
            raise
        try:
            return timedelta(**amounts)
        except OverflowError as error:
            raise ValueError(value) from error


def _parse_any(value: Any) -> Any:
    return value


_PARSERS: dict[Any, Callable[[Any], Any]] = {
    bool: _parse_bool,
    int: _parse_int,
    float: float,
    str: _parse_str,
    SecretStr: _parse_secret,
    Path: _parse_path,
    timedelta: _parse_timedelta,
    Any: _parse_any,
}


def _items(value: Any) -> list[Any]:
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if not isinstance(value, str):
        return [value]
    if value.lstrip().startswith("["):
        decoded = _decode(value)
        if isinstance(decoded, list):
            return decoded
        raise ValueError(value)
    return [item.strip() for item in value.split(",") if item.strip()]


def _mapping(value: Any) -> dict[Any, Any]:
    decoded = _decode(value) if isinstance(value, str) else value
    if isinstance(decoded, dict):
        return decoded
    raise ValueError(value)


def _decode(text: str) -> Any:
    import json  # noqa: PLC0415 - few settings are JSON

    return json.loads(text)


_DESCRIPTIONS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    SecretStr: "a text",
    Path: "a path",
    timedelta: "a duration in seconds, or like 1:30:00 or PT90M",
    NoneType: "nothing",
    Any: "anything",
}


def describe(wanted: Any) -> str:
    """Say what values a type takes, in words that fit after "expected"."""
    origin = get_origin(wanted)
    if origin in (Union, UnionType):
        return " or ".join(describe(arm) for arm in get_args(wanted) if arm is not NoneType)
    if origin is Literal:
        return "one of " + ", ".join(str(choice) for choice in get_args(wanted))
    if origin in (list, set):
        return f"a list (comma-separated, or JSON), each item {describe(get_args(wanted)[0])}"
    if origin is dict:
        return f"a JSON object, each value {describe(get_args(wanted)[1])}"
    return _DESCRIPTIONS[wanted]


def plain(value: Any) -> Any:
    """Return a value as JSON would have it: paths as text, durations as seconds, secrets masked."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Path | SecretStr):
        return str(value)
    if isinstance(value, set):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def write(value: Any) -> str:
    """Write a value as the text that `parse` reads back, secrets in the clear.

    Args:
        value: A setting's value; not None, which no text stands for.
    """
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, list | set | dict):
        return _write_many(value)
    return str(plain(value))


def _write_many(many: list[Any] | set[Any] | dict[Any, Any]) -> str:
    value = plain(many)
    # Where a number would do as well as a list, a list of one number is written so that it stays a list.
    is_one_number = isinstance(many, list) and len(many) == 1 and isinstance(many[0], int | float)
    if isinstance(value, list) and not is_one_number:
        texts = [str(item) for item in value]
        joined = ",".join(texts)
        if all(text and "," not in text and text == text.strip() for text in texts) and not joined.startswith(
            "["
        ):
            return joined
    import json  # noqa: PLC0415 - few settings are JSON

    return json.dumps(value)
