"""What the documentation shows works: every Python block runs, every command exists.

A page's Python blocks run in order, as one script in a child process with a home of its own, with the page's
line numbers, so that a traceback points into the page; tests that a page shows are run by pytest. In a shell
block, what follows `$ prefect` must be a command.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ prefect ((?:[a-z][a-z-]*(?: |$))+)", re.MULTILINE)


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """Give the blocks in a language with the number of the line before each."""
    text = page.read_text(encoding="utf-8")
    return [
        (text.count("\n", 0, found.start(3)), found[3])
        for found in BLOCK.finditer(text)
        if found[1] == language
    ]


def script_of(page: Path) -> str:
    """Join a page's Python blocks; all else becomes empty lines, so that line numbers stay the page's."""
    script = ""
    for line, block in blocks(page, "python"):
        script += "\n" * (line - script.count("\n")) + block
    return script


def commands_of(page: Path) -> list[str]:
    return [found.strip() for _, block in blocks(page, "bash") for found in COMMAND.findall(block)]


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.timeout(200)  # some start a cluster, which takes a busy machine long
@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_python_blocks_run(page, run_python, tmp_path):
    script = script_of(page)
    compile(script, str(page), "exec")
    # Spawned processes import the script again, as they would a user's file.
    path = tmp_path / f"page_{page.stem.replace('-', '_')}.py"  # docs/logging.md must not hide `logging`
    path.write_text(script, encoding="utf-8")

    how = ["-m", "pytest", "-q", "-p", "no:cacheprovider"] if "\ndef test_" in script else []
    run_python(*how, path, timeout=190)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_python_blocks_are_not_exempt(page):
    text = page.read_text(encoding="utf-8")
    marked = re.findall(r"^```python[^\n]+$", text, re.MULTILINE)

    assert not marked, "write blocks that run"


@pytest.mark.parametrize("page", [page for page in PAGES if commands_of(page)], ids=page_id)
def test_commands_exist(page, run_python):
    for command in sorted(set(commands_of(page))):
        run_python("-m", "prefect.cli", *command.split(), "--help")


@pytest.mark.parametrize("page", [*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "CHANGELOG.md"], ids=page_id)
def test_links_to_files_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []
