"""Which task runners a test is about, where it is not all of them."""

from __future__ import annotations

import pytest


def _of(kinds: tuple[str, ...]) -> pytest.MarkDecorator:
    marked = [pytest.param(kind, marks=pytest.mark.processes) for kind in kinds]
    return pytest.mark.parametrize("kind", marked, indirect=True)


elsewhere = _of(("processes", "dask", "ray"))
"""Those that run tasks in other processes."""
on_clusters = _of(("dask", "ray"))
"""Those that run tasks on clusters."""
