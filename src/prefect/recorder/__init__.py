"""Writes task runs and logs behind the work, and keeps the leases on the runs of this process."""

from __future__ import annotations

from prefect.recorder.recorder import Recorder
from prefect.recorder.registry import get_recorder, recorder_of

__all__ = ["Recorder", "get_recorder", "recorder_of"]
