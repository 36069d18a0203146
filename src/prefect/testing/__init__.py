"""What tests need: `run_context` for functions by themselves, `prefect_test_harness` for whole runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect.testing.harness import prefect_test_harness
    from prefect.testing.runs import run_context

__all__ = ["prefect_test_harness", "run_context"]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        # pytest imports this package at every start, on account of the plugin in it.
        if name == "prefect_test_harness":
            from prefect.testing.harness import prefect_test_harness  # noqa: PLC0415 - as above

            return prefect_test_harness
        if name == "run_context":
            from prefect.testing.runs import run_context  # noqa: PLC0415 - as above

            return run_context
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
