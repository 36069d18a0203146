"""Helpers for tests, under the name that existing code imports them by."""

from __future__ import annotations

from prefect.testing.harness import prefect_test_harness
from prefect.testing.runs import run_context

__all__ = ["prefect_test_harness", "run_context"]
