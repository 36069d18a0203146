"""Which recorder is current: one for each store and each server that this process uses."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextvars import ContextVar
from uuid import UUID

from prefect.recorder.recorder import Recorder
from prefect.recorder.sink import Sink, StoreSink
from prefect.settings import Settings, get_current_settings
from prefect.store import open_store
from prefect.types import call_in_forked_child

__all__ = ["get_recorder", "recorder_here", "recorder_of", "recorder_of_settings"]

recorder_here: ContextVar[Recorder | None] = ContextVar("recorder_here", default=None)
"""Takes what is recorded here in place of the one that the settings name: a worker's sends it back."""
_recorders: dict[Hashable, Recorder] = {}
"""By store, or by how a server is reached."""
_latest: tuple[Settings, Recorder] | None = None


def get_recorder() -> Recorder:
    """Return the recorder of the code here: the one that was put in its place, else that of the settings.

    Raises:
        prefect.exceptions.ConfigurationError: What the settings name is no URL.
    """
    return recorder_here.get() or recorder_of_settings()


def recorder_of_settings() -> Recorder:
    """Return the recorder of the server or the store that the current settings name.

    It is made when first asked for; nothing is opened, and no thread starts, before the first record.

    Raises:
        prefect.exceptions.ConfigurationError: What the settings name is no URL.
    """
    global _latest
    settings, latest = get_current_settings(), _latest
    if latest is not None and latest[0] is settings and not latest[1].closed:
        return latest[1]
    place: Hashable
    make: Callable[[], Sink]
    if settings.api.url is None:
        store = open_store()
        place, make = store, lambda: StoreSink(store)
    else:
        from prefect.client.options import client_options  # noqa: PLC0415 - only where a server is used
        from prefect.recorder.server_sink import ServerSink  # noqa: PLC0415 - the same

        options = client_options()
        place, make = options, lambda: ServerSink(options)
    recorder = _recorders.get(place)
    if recorder is not None and recorder.closed:
        _recorders.pop(place, None)
        recorder = None
    if recorder is None:
        recorder = _recorders.setdefault(place, Recorder(make()))
    _latest = settings, recorder
    return recorder


def recorder_of(flow_run_id: UUID | None) -> Recorder:
    """Return the recorder that holds a flow run, else the one of the current settings.

    The two differ in a thread that got no context: it does not have the settings of the run around it either.

    Args:
        flow_run_id: The run.
    """
    current = get_recorder()
    if flow_run_id is None or current.holds(flow_run_id):
        return current
    return next((one for one in list(_recorders.values()) if one.holds(flow_run_id)), current)


def _after_fork() -> None:
    for recorder in _recorders.values():
        recorder.forget()


call_in_forked_child(_after_fork)
