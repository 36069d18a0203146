"""`prefect version`. It loads next to nothing, since scripts and health checks call it often."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from prefect.exceptions import ConfigurationError
from prefect.settings import Settings, get_current_settings
from prefect.version import __version__

__all__ = ["run"]


def run(words: list[str]) -> int:
    """Show the version, and what it works with here.

    Args:
        words: The words after `prefect version`; there are none.
    """
    if words in (["--help"], ["-h"]):
        print("Usage: prefect version\n\nShow the version, and what it works with here.")
        return 0
    if words:
        print(f"prefect version: takes no arguments, and got {' '.join(words)}.", file=sys.stderr)
        return 2
    for name, value in _facts():
        print(f"{name + ':':<22}{value}")
    return 0


def _facts() -> Iterator[tuple[str, str]]:
    """Yield what there is to say; with settings that cannot be read, still the version."""
    machine = os.uname().machine if hasattr(os, "uname") else ""
    yield "Version", __version__
    yield "Interface", "Prefect 3"
    yield "Python version", sys.version.partition(" ")[0]
    yield "OS/Arch", f"{sys.platform}/{machine}".strip("/")
    try:
        settings = get_current_settings()
    except ConfigurationError as error:
        yield "Settings", str(error)
        return
    yield "Profile", settings.profile_name
    yield "Server type", "server" if settings.api.url else "ephemeral"
    if settings.api.url:
        yield "API", settings.api.url
    else:
        yield from _database(settings)


def _database(settings: Settings) -> Iterator[tuple[str, str]]:
    url = settings.server.database.connection_url
    kind = url.get_secret_value().partition(":")[0].partition("+")[0] if url else "sqlite"
    yield "Database", kind
    if kind == "sqlite":
        import sqlite3

        yield "SQLite version", sqlite3.sqlite_version
