"""Servers in processes of their own, for tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(home: Path, *options: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Give the URL of a server's API, and the server."""
    started = subprocess.Popen(
        [sys.executable, "-m", "prefect.cli", "server", "start", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PREFECT_HOME": str(home), **environment},
    )
    try:
        assert started.stdout is not None
        line = started.stdout.readline()
        assert line.startswith("Serving at "), line + started.communicate()[1]
        yield line.removeprefix("Serving at ").strip(), started
    finally:
        started.terminate()
        started.communicate()
