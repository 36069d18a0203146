"""`prefect_test_harness`: whole runs of flows, in a store that is gone afterwards."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from prefect.recorder import get_recorder
from prefect.settings.isolation import isolated_settings
from prefect.store import open_store

__all__ = ["prefect_test_harness"]


@contextmanager
def prefect_test_harness(server_startup_timeout: int | None = None) -> Generator[None, None, None]:
    """Run flows in a home of their own inside a `with` block: nothing of the user's is read or written.

    The home holds the store, results and profiles; it is removed at the end. Child processes use it too.
    Blocks may be nested, and each process of pytest-xdist has its own.

    Args:
        server_startup_timeout: Accepted for the interface's sake: there is no server to wait for.
    """
    with (
        TemporaryDirectory(prefix="prefect-test-", ignore_cleanup_errors=True) as home,
        isolated_settings(Path(home)),
    ):
        try:
            yield
        finally:
            get_recorder().close()
            open_store().close()
