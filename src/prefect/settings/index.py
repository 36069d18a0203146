"""Finding settings by path and by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prefect.exceptions import ConfigurationError
from prefect.settings.options import Option, Section

__all__ = ["OPTIONS", "OPTIONS_BY_NAME", "SECTIONS", "find_option", "path_of", "register"]

OPTIONS: dict[str, Option] = {}
"""Every setting by its dotted path, such as `api.url`."""

OPTIONS_BY_NAME: dict[str, Option] = {}
"""Every setting by its environment variables."""

SECTIONS: set[str] = set()
"""The dotted paths of sections."""


def register(root: type[Section]) -> type[Section]:
    """Enter a section, and all below it, as the settings there are. Gives options their names and paths.

    Args:
        root: The section whose attributes are the first parts of paths.
    """
    OPTIONS.update(_index(root, ""))
    for row in OPTIONS.values():
        OPTIONS_BY_NAME.update(dict.fromkeys(row.names, row))
    return root


def _index(section_class: type[Section], prefix: str) -> Iterator[tuple[str, Option]]:
    for name, row in section_class.options.items():
        row.path = f"{prefix}{name}"
        row.name = f"PREFECT_{row.path.replace('.', '_').upper()}"
        yield row.path, row
    for name, below in section_class.sections.items():
        SECTIONS.add(f"{prefix}{name}")
        yield from _index(below, f"{prefix}{name}.")


def find_option(name: str) -> Option | None:
    """Return the setting that an environment variable, or a dotted path, names; None where there is none."""
    return OPTIONS_BY_NAME.get(name.upper()) or OPTIONS.get(name)


def path_of(key: Any) -> str:
    """Return the dotted path of a setting that is given as an object, a name or a path."""
    accessor = getattr(key, "accessor", None)
    row = OPTIONS.get(accessor) if accessor else find_option(str(key))
    if row is None:
        raise ConfigurationError(f"There is no setting {key!s}.")
    return row.path
