"""Waits for a server, or a database, that was there and has gone away."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

from prefect.exceptions import PrefectException, ServerUnreachable, StoreUnavailable

__all__ = ["PATIENCE", "PAUSE", "is_away", "patiently"]

R = TypeVar("R")

PATIENCE = 600.0
"""Seconds that a flow run waits for a server that has gone away."""
PAUSE = 5.0
"""Seconds between two attempts, on top of what the client waits itself."""
_AWAY = frozenset({408, 429, 502, 503, 504})


def is_away(error: BaseException) -> bool:
    """Whether an error says that a server or a database cannot answer now, and not that it refuses.

    Args:
        error: What a call raised.
    """
    status = getattr(getattr(error, "response", None), "status_code", 0)
    return isinstance(error, ServerUnreachable | StoreUnavailable) or status in _AWAY


def patiently(call: Callable[[], R], tell: Callable[[PrefectException], None]) -> R:
    """Call, again where nobody answers, for ten minutes at most.

    Args:
        call: What may be called again and again.
        tell: Is told, once, that it takes longer.

    Returns:
        What the call returns.

    Raises:
        prefect.exceptions.PrefectException: It is refused, or nobody answers for too long.
    """
    deadline: float | None = None
    while True:
        try:
            return call()
        except PrefectException as error:
            if not is_away(error) or (deadline is not None and monotonic() >= deadline):
                raise
            if deadline is None:
                deadline = monotonic() + PATIENCE
                tell(error)
            sleep(PAUSE)
