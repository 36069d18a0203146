"""Logs of runs: on the console, and in the store with the run that they belong to.

Importing this configures nothing; the `prefect` loggers get their handlers when a run, or `get_run_logger`,
first needs them.
"""

from __future__ import annotations

from prefect.logging.eavesdropper import LogEavesdropper
from prefect.logging.run_loggers import disable_run_logger, get_logger, get_run_logger

__all__ = ["LogEavesdropper", "disable_run_logger", "get_logger", "get_run_logger"]
