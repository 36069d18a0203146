"""Settings of a process that is to touch nothing of its user's: a home of its own, and no API."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from prefect.settings.context import refresh_settings, temporary_settings
from prefect.settings.index import OPTIONS
from prefect.settings.root import Settings

__all__ = ["isolated_settings"]

_OUTSIDE = tuple(
    path
    for path in OPTIONS
    if path.startswith("server.database.")
    or path
    in ("api.url", "api.key", "api.auth_string", "profiles_path", "results.local_storage_path", "ui_url")
)
"""Settings that name places outside of the home, and how to get in there."""


@contextmanager
def isolated_settings(home: Path) -> Generator[Settings]:
    """Let another home and no API apply inside `with`, in all threads and in child processes too.

    Args:
        home: The folder that everything is kept in.
    """
    replaced = {name: None for path in _OUTSIDE for name in OPTIONS[path].names}
    before = _set_environment({**replaced, "PREFECT_PROFILE": None, "PREFECT_HOME": str(home)})
    refresh_settings()
    try:
        # What was changed here with `temporary_settings` stays so, but for the places.
        with temporary_settings({"PREFECT_HOME": home}, restore_defaults=_OUTSIDE) as settings:
            yield settings
    finally:
        _set_environment(before)
        refresh_settings()


def _set_environment(variables: dict[str, str | None]) -> dict[str, str | None]:
    """Set variables, or take away those that are None; return what they were."""
    before = {name: os.environ.get(name) for name in variables}
    for name, text in variables.items():
        if text is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = text
    return before
