"""docs/settings.md lists the settings there are."""

from __future__ import annotations

from docs.settings_table import PAGE, page_with_tables


def test_the_tables_are_those_of_the_code():
    page = PAGE.read_text(encoding="utf-8")

    assert page == page_with_tables(page), "run: python tests/docs/settings_table.py"
