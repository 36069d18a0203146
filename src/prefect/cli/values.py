"""Values that are given by name: `KEY=VALUE`, or one JSON object."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from prefect.exceptions import CommandFailed

__all__ = ["read_object", "read_pairs", "split_pair"]


def split_pair(option: str, text: str) -> tuple[str, str]:
    """Return the two sides of `KEY=VALUE`.

    Args:
        option: The option that it was given to.
        text: The text.

    Raises:
        prefect.exceptions.CommandFailed: It has another form.
    """
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise CommandFailed(f"{option} needs KEY=VALUE, not {text!r}.")
    return key, value


def read_pairs(option: str, texts: Iterable[str] | None) -> dict[str, Any]:
    """Return values by name; a value is JSON, or else plain text.

    Args:
        option: The option that they were given to.
        texts: Each as `KEY=VALUE`.

    Raises:
        prefect.exceptions.CommandFailed: One has another form.
    """
    pairs: dict[str, Any] = {}
    for text in texts or ():
        key, value = split_pair(option, text)
        try:
            pairs[key] = json.loads(value)
        except ValueError:
            pairs[key] = value
        _check_text(option, pairs[key])
    return pairs


def read_object(option: str, text: str | None) -> dict[str, Any]:
    """Return the values of one JSON object.

    Args:
        option: The option that it was given to.
        text: The object; `-` reads it from standard input.

    Raises:
        prefect.exceptions.CommandFailed: It is none.
    """
    if text is None:
        return {}
    try:
        given = json.loads(sys.stdin.read() if text == "-" else text)
    except ValueError as error:
        raise CommandFailed(f"{option} is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise CommandFailed(f"{option} needs a JSON object: each parameter's value by its name.")
    _check_text(option, given)
    return given


def _check_text(option: str, value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise CommandFailed(
            f"{option} has a character that is half of one: {error.object[error.start]!r}."
        ) from error
