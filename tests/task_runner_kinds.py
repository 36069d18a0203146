"""Which task runners a test is about, where it is not all of them."""

from __future__ import annotations

import pytest

elsewhere = pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=pytest.mark.processes) for kind in ("processes", "dask", "ray")],
    indirect=True,
)
"""Those that run tasks in other processes."""
