"""Everything about loggers, at the place where the interface has it."""

from __future__ import annotations

from prefect.logging.eavesdropper import LogEavesdropper
from prefect.logging.prints import patch_print, print_as_log
from prefect.logging.run_loggers import (
    LoggingAdapter,
    PrefectLogAdapter,
    disable_logger,
    disable_run_logger,
    flow_run_logger,
    get_logger,
    get_run_logger,
    task_run_logger,
)

__all__ = [
    "LogEavesdropper",
    "LoggingAdapter",
    "PrefectLogAdapter",
    "disable_logger",
    "disable_run_logger",
    "flow_run_logger",
    "get_logger",
    "get_run_logger",
    "patch_print",
    "print_as_log",
    "task_run_logger",
]
