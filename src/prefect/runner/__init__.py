"""Runs deployed flows, each in a process of its own.

`Runner` is loaded when it is first used: the processes that carry out runs do not need it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect.runner.runner import Runner as Runner

__all__ = ["Runner"]


def __getattr__(name: str) -> Any:
    if name == "Runner":
        return import_module("prefect.runner.runner").Runner
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
