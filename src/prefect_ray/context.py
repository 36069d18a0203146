"""What Ray is asked for with a task."""

from __future__ import annotations

from prefect.task_runners.ray import RemoteOptionsContext, remote_options

__all__ = ["RemoteOptionsContext", "remote_options"]
