"""The table of settings itself."""

from __future__ import annotations

from pathlib import Path

import pytest

import prefect.settings
from prefect.settings import Settings
from prefect.settings.index import OPTIONS, OPTIONS_BY_NAME
from prefect.settings.values import describe, parse

ROWS = pytest.mark.parametrize("row", OPTIONS.values(), ids=lambda row: row.path)


@ROWS
def test_every_row_is_whole(row):
    assert describe(row.type)
    assert row.help.endswith(".")
    assert row.name == "PREFECT_" + row.path.upper().replace(".", "_")
    if not row.derive:
        assert parse(row.default, row.type) == row.default or isinstance(row.default, Path)
    assert all(getattr(prefect.settings, name).accessor == row.path for name in row.names)


def test_every_setting_is_read_or_says_what_it_is_kept_for():
    ours = Path(prefect.settings.__file__).parents[1]
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in ours.rglob("*.py") if path.parent.name != "settings"
    )
    # These make the defaults of others.
    text += " .profiles_path .driver .host .port .user .password"

    unread = [
        row.path
        for row in OPTIONS.values()
        if f".{row.path.rpartition('.')[2]}" not in text
        and "later" not in row.help
        and "Kept" not in row.help
    ]
    assert not unread, f"nothing reads these: {unread}"


def test_no_two_rows_share_a_name():
    assert len(OPTIONS_BY_NAME) == sum(len(row.names) for row in OPTIONS.values())


def test_a_section_stands_in_one_place():
    assert len({id(row) for row in Settings.rows()}) == len(list(Settings.rows())) == len(OPTIONS)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("api", "APISettings"),
        ("client", "ClientSettings"),
        ("experiments", "ExperimentsSettings"),
        ("logging", "LoggingSettings"),
        ("plugins", "PluginsSettings"),
        ("results", "ResultsSettings"),
        ("root", "Settings"),
        ("server", "ServerSettings"),
        ("server.api", "ServerAPISettings"),
        ("server.database", "ServerDatabaseSettings"),
    ],
)
def test_paths_that_existing_code_imports_from(module, name):
    import importlib

    assert issubclass(getattr(importlib.import_module(f"prefect.settings.models.{module}"), name), object)
