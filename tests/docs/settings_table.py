"""Write the tables of docs/settings.md from the table of settings: `python tests/docs/settings_table.py`."""

from __future__ import annotations

import re
from pathlib import Path

from prefect.settings.index import OPTIONS
from prefect.settings.options import Option
from prefect.settings.values import write

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
# What derived defaults follow from is code; here it is in words.
DERIVED = {
    "profiles_path": "PREFECT_HOME/profiles.toml",
    "cloud.ui_url": "PREFECT_CLOUD_API_URL",
    "internal.logging_level": "ERROR, or DEBUG in debug mode",
    "logging.level": "INFO, or DEBUG in debug mode",
    "logging.config_path": "PREFECT_HOME/logging.yml",
    "results.local_storage_path": "PREFECT_HOME/storage",
    "server.database.connection_url": "PREFECT_HOME/prefect.db, or the other settings of the database",
    "server.ui.api_url": "PREFECT_API_URL, or the server's host and port",
    "ui_url": "PREFECT_API_URL",
}


def default_of(row: Option) -> str:
    if row.derive:
        return f"*{DERIVED[row.path]}*"
    return "" if row.default in (None, set(), {}) else f"`{write(row.default)}`"


def tables() -> str:
    """Give a table for each section at the top."""
    parts: list[str] = []
    section = None
    for row in OPTIONS.values():
        name = row.path.partition(".")[0] if "." in row.path else ""
        if name != section:
            section = name
            parts += [
                "",
                f"### {name or 'At the top'}",
                "",
                "| setting | variable | default | |",
                "|---|---|---|---|",
            ]
        names = "<br>".join(f"`{each}`" for each in row.names)
        parts.append(f"| `{row.path}` | {names} | {default_of(row)} | {row.help} |")
    return "\n".join(parts)


def page_with_tables(page: str) -> str:
    return re.sub(
        r"(?<=<!-- settings -->\n).*(?=<!-- /settings -->)",
        lambda _: f"{tables()}\n\n",
        page,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
