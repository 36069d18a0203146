"""Where settings come from, as they stand there: the environment and files. Nothing is converted here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from prefect.exceptions import ConfigurationError
from prefect.settings.constants import DEFAULT_PROFILE_NAME, DEFAULT_PROFILES_PATH

__all__ = [
    "flatten",
    "read_dotenv",
    "read_environment",
    "read_profile",
    "read_profiles_file",
    "read_project_files",
    "read_toml",
]

_DOTENV_LINE = r"\s*(?:export\s+)?(PREFECT_\w+)\s*=(.*)"
_QUOTED = r"""'([^']*)'|"((?:\\.|[^"\\])*)\""""
_TOOL_PREFECT = r"""\btool\s*\.\s*["']?prefect\b|\[\s*tool\s*\]"""
_parsed: dict[Path, tuple[int, int, dict[str, Any]]] = {}


def read_environment() -> dict[str, str]:
    """Return the environment variables that start with `PREFECT_`, names in upper case."""
    return {name.upper(): text for name, text in os.environ.items() if name[:8].upper() == "PREFECT_"}


def read_dotenv(path: Path) -> dict[str, str]:
    """Return the `PREFECT_` variables of a `.env` file; nothing where there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    return dict(_dotenv_pairs(text))


def _dotenv_pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        found = re.match(_DOTENV_LINE, line)
        if not found:
            continue
        name, value = found[1], found[2].strip()
        quoted = re.match(_QUOTED, value)
        if quoted is None:
            yield name, re.split(r"(?:^|\s)#", value)[0].strip()
        elif quoted[1] is not None:
            yield name, quoted[1]
        else:
            yield (
                name,
                re.sub(r"\\(.)", lambda escape: {"n": "\n", "t": "\t"}.get(escape[1], escape[1]), quoted[2]),
            )


def read_toml(path: Path, sign: str = "") -> dict[str, Any] | None:
    """Return what a TOML file holds, or None where there is none. A file that did not change is read once.

    Args:
        path: The file.
        sign: A regular expression for what must occur in a file that matters; another is taken to be empty,
            because parsing is slow.

    Raises:
        ConfigurationError: The file cannot be read, or is no TOML.
    """
    try:
        facts = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    known = _parsed.get(path)
    if known and known[:2] == (facts.st_mtime_ns, facts.st_size):
        return known[2]
    try:
        held = _parse_toml(path.read_text(encoding="utf-8"), sign)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    _parsed[path] = (facts.st_mtime_ns, facts.st_size, held)
    return held


def _parse_toml(text: str, sign: str) -> dict[str, Any]:
    if sign and not re.search(sign, text):
        return {}
    import tomllib  # noqa: PLC0415 - most machines have no such file, and it is slow to import

    return tomllib.loads(text)


def read_project_files(directory: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the names and contents of the project files that hold settings, the weightier first."""
    held = read_toml(directory / "prefect.toml")
    if held:
        yield "prefect.toml", held
    project = read_toml(directory / "pyproject.toml", _TOOL_PREFECT)
    part = project.get("tool", {}).get("prefect") if project else None
    if isinstance(part, dict):
        yield "pyproject.toml", part


def flatten(
    nested: Mapping[str, Any], sections: Iterable[str], prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """Yield dotted paths and values of nested tables.

    Args:
        nested: Tables within tables.
        sections: The dotted paths of tables that hold settings; any other table is a value.
        prefix: What the paths start with.
    """
    for name, value in nested.items():
        path = f"{prefix}{name}"
        if path in sections and isinstance(value, Mapping):
            yield from flatten(value, sections, f"{path}.")
        else:
            yield path, value


def read_profiles_file(path: Path) -> tuple[str | None, dict[str, dict[str, Any]]]:
    """Return the name of the active profile, where one is named, and the raw profiles of a file.

    Raises:
        ConfigurationError: The file cannot be read, or is no file of profiles.
    """
    held = read_toml(path) or {}
    active, profiles = held.get("active"), held.get("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(profile, dict) for profile in profiles.values()):
        raise ConfigurationError(
            f"{path} must hold tables such as [profiles.my-profile], one for each profile."
        )
    return (active if isinstance(active, str) else None), profiles


def read_profile(path: Path, name: str | None) -> tuple[str, dict[str, Any]]:
    """Return the name and the raw values of a profile.

    Args:
        path: The user's file of profiles; it need not exist.
        name: The profile; by default the one that is active.

    Raises:
        ConfigurationError: There is no such profile, or the file cannot be read.
    """
    active, profiles = read_profiles_file(path)
    name = name or active or DEFAULT_PROFILE_NAME
    if name in profiles:
        return name, profiles[name]
    if name == DEFAULT_PROFILE_NAME:
        return name, {}
    _, defaults = read_profiles_file(DEFAULT_PROFILES_PATH)
    if name in defaults:
        return name, defaults[name]
    known = ", ".join(sorted({*profiles, *defaults}))
    raise ConfigurationError(
        f"There is no profile {name!r}. There are {known}; `prefect profile create` makes one."
    )
