"""The tables of options name each option that there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from prefect.flows import FlowOptions
from prefect.tasks import TaskOptions

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(("page", "options"), [("flows.md", FlowOptions), ("tasks.md", TaskOptions)])
def test_the_table_holds_each_option(page, options):
    _, _, section = (DOCS / page).read_text(encoding="utf-8").partition("\n## Options\n")
    table = section.partition("\n## ")[0]
    firsts = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    named = [name for first in firsts for name in re.findall(r"`(\w+)`", first)]

    assert sorted(named) == sorted(options.__annotations__)
