"""A progress line for large maps, where a terminal watches."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

from prefect.engine.future import PrefectFuture
from prefect.logging.progress import Progress

__all__ = ["watched"]

F = TypeVar("F", bound=PrefectFuture[object])

_WORTH_A_LINE = 100
"""A smaller map is over before anybody could read."""


def watched(futures: Iterable[F], count: int, label: str) -> Iterator[F]:
    """Pass futures on as they are made, and show how many runs have ended until all have.

    Args:
        futures: Makes the futures.
        count: How many there will be.
        label: What the line says they are.
    """
    progress = Progress(count, label)
    if count < _WORTH_A_LINE or not progress.is_visible:
        yield from futures
        return
    left, lock = count, threading.Lock()

    def ended(_: object) -> None:
        nonlocal left
        with lock:
            left -= 1
            progress.advance()
            if not left:
                progress.__exit__(None, None, None)

    progress.__enter__()
    for future in futures:
        future.add_done_callback(ended)
        yield future
