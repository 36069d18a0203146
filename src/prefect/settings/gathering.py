"""Gathering what the sources give: which source wins, and what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect.exceptions import ConfigurationError
from prefect.settings.constants import DEFAULT_PREFECT_HOME
from prefect.settings.index import OPTIONS, OPTIONS_BY_NAME, SECTIONS
from prefect.settings.options import Option
from prefect.settings.secret import MASK
from prefect.settings.sources import (
    flatten,
    read_dotenv,
    read_environment,
    read_profile,
    read_project_files,
)
from prefect.settings.values import describe, parse

__all__ = ["RESTORED", "Given", "convert", "find_profile_name", "find_profiles_path", "gather_sources"]

RESTORED = object()
"""In place of a value: the setting is put back to its default."""


class Given:
    """A value that some source gives for a setting.

    Attributes:
        value: The value, as the source has it.
        source: `override`, `env`, `.env`, `prefect.toml`, `pyproject.toml` or `profile`.
        name: What the source calls the setting.
    """

    __slots__ = ("name", "source", "value")

    def __init__(self, value: Any, source: str, name: str) -> None:
        self.value = value
        self.source = source
        self.name = name


def gather_sources(
    given: dict[str, Given], profile: tuple[str, dict[str, Any]] | None, *, profile_first: bool
) -> tuple[str, tuple[str, ...]]:
    """Add what the sources give to what is given already, the weightier sources first.

    Args:
        given: What is given already, by dotted path; the rest is put in.
        profile: Name and raw values of the profile to use; by default the active one is looked up.
        profile_first: Let the profile go before the environment.

    Returns:
        The name of the profile, and the names that no setting has, each with where it was found.
    """
    unknown: list[str] = []
    if profile_first and profile:
        unknown += _add_named(given, profile[1], "profile", profile[0])
    unknown += _add_outer(given)
    if profile is None:
        profile = _active_profile(_profiles_path(given))
    if not profile_first:
        unknown += _add_named(given, profile[1], "profile", profile[0])
    return profile[0], tuple(unknown)


def _add_outer(given: dict[str, Given]) -> list[str]:
    """Add what environment, `.env` and project files give; return what names no setting."""
    unknown: list[str] = []
    _add_named(given, read_environment(), "env")
    here = Path.cwd()
    _add_named(given, read_dotenv(here / ".env"), ".env")
    for source, held in read_project_files(here):
        for path, value in flatten(held, SECTIONS):
            if path in OPTIONS:
                given.setdefault(path, Given(value, source, path))
            else:
                unknown.append(f"{path} in {source}")
    return unknown


def find_profiles_path() -> Path:
    """Return the file of profiles, without reading any profile, so that a bad one can be mended."""
    given: dict[str, Given] = {}
    _add_outer(given)
    return _profiles_path(given)


def find_profile_name() -> str:
    """Return the name of the active profile, whose values need not fit."""
    return _active_profile(find_profiles_path())[0]


def _active_profile(path: Path) -> tuple[str, dict[str, Any]]:
    return read_profile(path, read_environment().get("PREFECT_PROFILE") or None)


def _add_named(
    given: dict[str, Given], named: Mapping[str, Any], source: str, profile: str = ""
) -> list[str]:
    """Add named values; return those that name no setting. A first name goes before further names."""
    unknown = [f"{name} in profile {profile!r}" for name in named if name.upper() not in OPTIONS_BY_NAME]
    named = {name.upper(): value for name, value in named.items()}
    rows = {row.path: row for name in named if (row := OPTIONS_BY_NAME.get(name))}
    for row in rows.values():
        name = next(name for name in row.names if name in named)
        if row.path not in given and not _is_blank(named[name], row):
            given[row.path] = Given(named[name], source, name)
    return unknown


def _is_blank(value: Any, row: Option) -> bool:
    """Tell whether an empty text stands for no value: a number, a path or a switch cannot be empty."""
    if value != "":
        return False
    try:
        parse(value, row.type)
    except (ValueError, TypeError):
        return True
    return False


def _profiles_path(given: Mapping[str, Given]) -> Path:
    chosen = given.get("profiles_path")
    if chosen and chosen.value is not RESTORED:
        return Path(chosen.value).expanduser()
    home = given.get("home")
    where = home.value if home and home.value is not RESTORED else DEFAULT_PREFECT_HOME
    return Path(where).expanduser() / "profiles.toml"


def convert(given: dict[str, Given]) -> dict[str, Any]:
    """Return the values that are given, as the types that the settings have; take restored ones away.

    Raises:
        ConfigurationError: Some values do not fit. A line each names variable, value and what is expected.
    """
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for path, found in given.items():
        if found.value is RESTORED:
            continue
        row = OPTIONS[path]
        try:
            values[path] = parse(found.value, row.type)
        except (ValueError, TypeError):
            shown = MASK if row.is_secret else repr(found.value)
            wrong.append(f"{found.name} is {shown} ({found.source}), but expected {describe(row.type)}.")
    for path in [path for path, found in given.items() if found.value is RESTORED]:
        del given[path]
    if wrong:
        raise ConfigurationError("\n".join(wrong))
    return values
