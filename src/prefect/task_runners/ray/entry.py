"""What a worker of Ray does with a parcel."""

from __future__ import annotations

import platform
import signal
import sys
import threading
from collections.abc import Callable
from functools import cache
from types import FrameType
from typing import Any

import ray

from prefect.task_runners.ray.notices import show
from prefect.task_runners.remote import Outcome, SharedPart, flush_records, run_parcel

__all__ = ["ID_LENGTH", "flush_worker", "remote_function"]

ID_LENGTH = 56
"""Bytes at the beginning of an answer that name the worker."""
_LARGE = 1_000_000
"""Bytes of a shared part that goes by the object store: Ray keeps functions in its head's memory."""
_is_shielded = False


def remote_function(shared: SharedPart, task_name: str, mailbox: str, *, is_shown: bool) -> Any:
    """Return a remote function for the runs that have a part in common.

    Ray takes the definition of a function to a worker once, when it first runs it. The shared part is in the
    definition, so it takes the same way.

    Args:
        shared: The part.
        task_name: What Ray's own tools call it.
        mailbox: The name of the one that is told of runs that take long.
        is_shown: Whether Ray keeps what its own tools show of tasks, which takes a tenth of its time for a
            small one.

    Returns:
        A remote function of a parcel, and of what its handles stand for. It returns the worker's id with the
        answer, and the outcome.
    """
    content = shared.content
    kept: Any = content if len(content) <= _LARGE else ray.put(content)
    home, paths = platform.node(), list(sys.path)

    def run(parcel: bytes, *upstream: Any) -> tuple[bytes, Outcome | bytes]:
        def find(_: str) -> bytes:
            if platform.node() == home:
                _find_modules(paths)
            found: bytes = kept if isinstance(kept, bytes) else ray.get(kept)
            return found

        return _carry_out(parcel, find, upstream, mailbox)

    run.__name__ = run.__qualname__ = task_name
    # Whether a run whose worker is lost may be repeated is for the task to say: see `Dispatch`.
    return ray.remote(num_returns=2, max_retries=0, enable_task_events=is_shown)(run)


def _carry_out(
    parcel: bytes, find: Callable[[str], bytes], upstream: tuple[Any, ...], mailbox: str
) -> tuple[bytes, Outcome | bytes]:
    _shield()
    answer, outcome = run_parcel(parcel, find, upstream, show=show(mailbox))
    # Bytes are what Ray has least to do with.
    return _own_id().encode() + answer, outcome if outcome.is_needed else b""


def _find_modules(paths: list[str]) -> None:
    """Find here what can be imported there: Ray itself sees to the folder of the script alone."""
    sys.path += [path for path in paths if path not in sys.path]


def flush_worker() -> str:
    """Have this worker tell servers all it has recorded.

    Returns:
        The worker's id; nothing if it could not.
    """
    return _own_id() if flush_records() else ""


@cache
def _own_id() -> str:
    return str(ray.get_runtime_context().get_worker_id())


def _shield() -> None:
    """Have Ray's gentle way to cancel, an interrupt, take back what has not begun, and nothing else.

    Otherwise a flow that fails would stop its tasks in their midst: nobody here knows which have begun. The
    other way, which ends the process, is for those who want that. It is a handler, since a signal that is
    ignored would be so in child processes too.
    """
    global _is_shielded
    if not _is_shielded and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _go_on)
        _is_shielded = True


def _go_on(_number: int, _frame: FrameType | None) -> None:
    """Do nothing."""
