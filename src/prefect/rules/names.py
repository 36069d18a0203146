"""Names: random ones for runs, names made from templates, and what no name may hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from prefect.exceptions import InvalidNameError
from prefect.rules.words import ADJECTIVES, NOUNS

__all__ = ["BANNED_CHARACTERS", "random_name", "render_name", "validate_name"]

BANNED_CHARACTERS = ["/", "%", "&", ">", "<"]
"""They would have to be escaped in the addresses of the API and of pages."""


def random_name(random_bytes: Callable[[int], bytes] = os.urandom) -> str:
    """Make a name like `brave-otter`.

    Args:
        random_bytes: Returns that many random bytes.
    """
    number = int.from_bytes(random_bytes(4), "big")
    number, adjective = divmod(number, len(ADJECTIVES))
    return f"{ADJECTIVES[adjective]}-{NOUNS[number % len(NOUNS)]}"


def render_name(template: str, parameters: Mapping[str, Any], values: Mapping[str, Any] | None = None) -> str:
    """Make a run's name from a template such as `"{customer}-{date:%Y-%m}"`.

    Args:
        template: A format string, as for `str.format`.
        parameters: The run's parameters.
        values: Further values that the template may name; parameters of the same name go before them.

    Raises:
        prefect.exceptions.InvalidNameError: The template names something that is not there, or a format in it
            does not fit its value.
    """
    known = {**(values or {}), **parameters}
    try:
        return template.format_map(known)
    except KeyError as error:
        raise InvalidNameError(
            f"The run name template {template!r} uses {error.args[0]!r}, which is not there. {_choice(known)}"
        ) from error
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise InvalidNameError(f"The run name template {template!r} cannot be filled in: {error}.") from error


def validate_name(name: str) -> str:
    """Return a name, if it may be one.

    Raises:
        prefect.exceptions.InvalidNameError: It holds one of `BANNED_CHARACTERS`.
    """
    if any(character in name for character in BANNED_CHARACTERS):
        raise InvalidNameError(
            f"Name {name!r} contains an invalid character. Must not contain any of: {BANNED_CHARACTERS}."
        )
    return name


def _choice(known: Mapping[str, Any]) -> str:
    if not known:
        return "There are no parameters to choose from."
    return f"It can use: {', '.join(sorted(known))}."
