"""Import paths that existing code uses work, and the list of those that do not yet only shrinks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
PROBE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from public_names import HERE, LATER, problem_with, read
json.dump([{name: problem_with(name) for name in read(path)} for path in (HERE, LATER)], sys.stdout)
"""


@pytest.fixture(scope="module")
def problems() -> list[dict[str, str | None]]:
    """What is wrong with each name: of those that are here, and of those that come later."""
    # In a child process, because importing everything would hide from other tests what an import costs.
    done = subprocess.run([sys.executable, "-c", PROBE, str(FOLDER)], capture_output=True, text=True)
    if done.returncode:
        pytest.fail(done.stderr, pytrace=False)
    return json.loads(done.stdout)


def test_names_that_existing_code_imports_are_here(problems):
    broken = {name: problem for name, problem in problems[0].items() if problem}

    assert not broken


def test_names_that_come_later_are_not_here_yet(problems):
    arrived = [name for name, problem in problems[1].items() if problem is None]

    assert not arrived, f"these arrived: {arrived}; run `make names`"
