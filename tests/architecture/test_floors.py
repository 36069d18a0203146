"""A file imports only from floors below its own, and there are no cycles; imports inside functions count.

The floors are declared once: in the table of ARCHITECTURE.md, from the top floor down. A room is a module or
a package; a package inside one may stand on another floor (`client/schemas/`). Rooms of one floor may use
each other.
"""

from __future__ import annotations

import re
from pathlib import Path

import grimp
import pytest

IMPURE = {"asyncio", "logging", "socket", "sqlite3", "subprocess", "threading", "time"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("prefect", exclude_type_checking_imports=True, cache_dir=None)


def read_floors(architecture: Path) -> dict[str, int]:
    """Give each room's floor, the ground being 0."""
    rows = re.findall(r"^\| (`[^|]+) \|", architecture.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        "prefect." + room.removesuffix("/").removesuffix(".py").replace("/", "."): floor
        for floor, row in enumerate(reversed(rows))
        for room in re.findall(r"`([^`]+)`", row)
    }


@pytest.fixture(scope="module")
def floors(root: Path) -> dict[str, int]:
    return read_floors(root / "ARCHITECTURE.md")


def room_of(module: str, floors: dict[str, int]) -> str | None:
    while module not in floors:
        module, _, _ = module.rpartition(".")
        if not module:
            return None
    return module


def test_every_module_has_a_floor(graph, floors):
    homeless = sorted(name for name in graph.modules - {"prefect"} if room_of(name, floors) is None)

    assert not homeless, f"say in the table of ARCHITECTURE.md on which floor these live: {homeless}"


def test_imports_only_go_down(graph, floors):
    upward = []
    for importer in sorted(graph.modules - {"prefect"}):
        room = room_of(importer, floors)
        for imported in sorted(graph.find_modules_directly_imported_by(importer)):
            other = room_of(imported, floors)
            if room is None or (imported != "prefect" and other is None) or room == other:
                continue
            if other is None or floors[other] > floors[room]:
                upward.append(f"{importer} imports {imported}")

    assert not upward, "these imports go up a floor:\n" + "\n".join(upward)


def test_no_import_cycles(graph):
    cycles = []
    for start in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(start) - {start}):
            way_back = graph.find_shortest_chain(importer=imported, imported=start, as_packages=False)
            if way_back and start == min(way_back):
                cycles.append(" -> ".join((start, *way_back)))

    assert not cycles, "import cycles:\n" + "\n".join(cycles)


def test_rules_do_no_io(modules):
    """What decides does not read clocks, files, settings or contexts: values in, decision out."""
    graph = grimp.build_graph("prefect", include_external_packages=True, cache_dir=None)
    impure = [
        f"{module.name} imports {imported}"
        for module in modules
        if module.name.startswith("prefect.rules")
        for imported in sorted(graph.find_modules_directly_imported_by(module.name))
        if imported in IMPURE or imported.split(".")[:2] in (["prefect", "settings"], ["prefect", "context"])
    ]

    assert not impure, impure
