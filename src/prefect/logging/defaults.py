"""The configuration of the loggers, where no `logging.yml` changes it."""

from __future__ import annotations

from typing import Any

from prefect.logging.highlighters import STYLES

__all__ = ["default_config"]

_TIME = "%(asctime)s.%(msecs)03d"


def default_config() -> dict[str, Any]:
    """Return the configuration in the form of `logging.config`, names of settings as `${…}`.

    The file `logging.yml` beside this module says the same, for users to start from.
    """
    level = "${PREFECT_LOGGING_LEVEL}"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"api_key": {"()": "prefect.logging.filters.ObfuscateApiKeyFilter"}},
        "formatters": {
            "standard": {
                "()": "prefect.logging.formatters.PrefectFormatter",
                "format": f"{_TIME} | %(levelname)-7s | %(name)s - %(message)s",
                "flow_run_fmt": f"{_TIME} | %(levelname)-7s | Flow run %(flow_run_name)r - %(message)s",
                "task_run_fmt": f"{_TIME} | %(levelname)-7s | Task run %(task_run_name)r - %(message)s",
                "datefmt": "%H:%M:%S",
            },
            "simple": {
                "()": "prefect.logging.formatters.PrefectFormatter",
                "format": f"{_TIME} | %(message)s",
                "datefmt": "%H:%M:%S",
            },
            "debug": {
                "()": "prefect.logging.formatters.PrefectFormatter",
                "format": f"{_TIME} | %(levelname)-7s | %(threadName)-12s | %(name)s - %(message)s",
                "datefmt": "%H:%M:%S",
            },
            "json": {"()": "prefect.logging.formatters.JsonFormatter", "fmt": "default"},
        },
        "handlers": {
            "console": {
                "class": "prefect.logging.handlers.PrefectConsoleHandler",
                "level": 0,
                "formatter": "standard",
                "filters": ["api_key"],
                "styles": dict(STYLES),
            },
            "api": {"class": "prefect.logging.handlers.APILogHandler", "level": 0, "filters": ["api_key"]},
        },
        "loggers": {
            "prefect": {"level": level, "handlers": ["console"], "propagate": False},
            "prefect.flow_runs": {"level": "NOTSET", "handlers": ["api"]},
            "prefect.task_runs": {"level": "NOTSET", "handlers": ["api"]},
            "prefect.extra": {"level": level, "handlers": ["api"]},
        },
        "root": {"level": "WARNING", "handlers": ["console"]},
    }
