"""Which recorder is current: one for each store that this process uses."""

from __future__ import annotations

import os

from prefect.recorder.recorder import Recorder
from prefect.recorder.sink import StoreSink
from prefect.settings import Settings, get_current_settings
from prefect.store import open_store

__all__ = ["get_recorder"]

_recorders: dict[str, Recorder] = {}
_latest: tuple[Settings, Recorder] | None = None


def get_recorder() -> Recorder:
    """Return the recorder of the store that the current settings name.

    It is made when first asked for; nothing is opened, and no thread starts, before the first record.
    """
    global _latest
    settings, latest = get_current_settings(), _latest
    if latest is not None and latest[0] is settings and not latest[1].closed:
        return latest[1]
    url = open_store().url
    recorder = _recorders.get(url)
    if recorder is None or recorder.closed:
        recorder = _recorders[url] = Recorder(StoreSink(url))
    _latest = settings, recorder
    return recorder


def _after_fork() -> None:
    for recorder in _recorders.values():
        recorder.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
