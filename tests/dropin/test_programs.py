"""Programs written for the interface run unchanged, and print what they print with its other implementation.

`printed/` holds what the programs of `programs/` printed under Prefect 3.8.8: facts of the interface, never
to be changed to please a test. `departures.py` alone shows what is different here, on purpose; what it prints
is ours. After a change of a program, run it there again:
`python run_programs.py programs/FILE.py > printed/FILE.txt`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROGRAMS = [
    # Together, so that no two processes of pytest-xdist run the same file.
    pytest.param(path.stem, name, marks=pytest.mark.xdist_group(path.stem))
    for path in sorted((HERE / "programs").glob("*.py"))
    for name in re.findall(r"^def program_(\w+)", path.read_text(), re.MULTILINE)
]


@cache
def sections(text: str) -> dict[str, str]:
    """What each program printed."""
    parts = re.split(r"^== (\w+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What the programs of a file print here; each file is one child process."""

    @cache
    def run(file: str) -> dict[str, str]:
        done = subprocess.run(
            [sys.executable, HERE / "run_programs.py", HERE / "programs" / f"{file}.py"],
            capture_output=True,
            text=True,
            timeout=55,
            env={**os.environ, "PREFECT_HOME": str(tmp_path_factory.mktemp("home"))},
        )
        assert done.returncode == 0, done.stderr
        return sections(done.stdout)

    return run


@pytest.mark.parametrize(("file", "program"), PROGRAMS)
def test_a_program_prints_what_the_interface_has_it_print(printed, file, program):
    if file == "frames":
        pytest.importorskip("pandas")
    expected = sections((HERE / "printed" / f"{file}.txt").read_text())

    assert printed(file)[program] == expected[program]
