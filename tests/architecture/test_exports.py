"""The public surface is what the committed list says: nothing is added or dropped by accident."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def test_exported_names_are_those_of_the_list(tmp_path):
    # In a child process, because importing every module would hide from other tests what an import costs.
    done = subprocess.run(
        [sys.executable, HERE / "exports.py"],
        capture_output=True,
        text=True,
        env={**os.environ, "PREFECT_HOME": str(tmp_path)},
    )
    if done.returncode:
        pytest.fail(done.stderr, pytrace=False)
    now, listed = set(done.stdout.splitlines()), set((HERE / "exports.txt").read_text().splitlines())

    assert not [name for name in now if name.endswith("(no __all__)")], "give these modules an `__all__`"
    assert now == listed, f"added: {now - listed}, gone: {listed - now}; if that is meant: make names"
    assert not list(tmp_path.iterdir()), "importing wrote to the home"
