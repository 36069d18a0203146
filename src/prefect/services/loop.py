"""Runs services in threads, each when it is due: one for all, and one for each that waits for others."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from datetime import datetime
from types import TracebackType

from prefect.exceptions import StoreUnavailable
from prefect.services.table import Service
from prefect.store.base import Store
from prefect.types import now

__all__ = ["ServiceThread"]

LAST_SECONDS = 10.0
"""How long what waits for others is waited for at the end: it may be sent again, by whoever is next."""

logger = logging.getLogger("prefect.server.services")


class ServiceThread:
    """Runs services over a store until it is closed; a service that fails is tried again when it is due.

    Args:
        store: The store.
        services: What is done.
        clock: Gives the current time.
        last: Seconds that services which wait for others have at the end.
    """

    def __init__(
        self,
        store: Store,
        services: Sequence[Service],
        clock: Callable[[], datetime] = now,
        last: float = LAST_SECONDS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._last = last
        self._stop = threading.Event()
        # The settings that apply where the server is made apply here too.
        together = [each for each in services if not each.waits]
        self._threads = [self._thread(together)] if together else []
        self._waiting = [self._thread([each]) for each in services if each.waits]

    def _thread(self, services: Sequence[Service]) -> threading.Thread:
        run = copy_context().run
        return threading.Thread(target=run, args=(self._run, services), name="prefect-services", daemon=True)

    def __enter__(self) -> ServiceThread:
        for thread in (*self._threads, *self._waiting):
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Start nothing more, and wait for what is under way."""
        self._stop.set()
        end = time.monotonic() + self._last
        for thread in filter(threading.Thread.is_alive, self._threads):
            thread.join()
        for thread in filter(threading.Thread.is_alive, self._waiting):
            thread.join(max(0.0, end - time.monotonic()))

    def _run(self, services: Sequence[Service]) -> None:
        due = dict.fromkeys(range(len(services)), time.monotonic())
        while not self._stop.is_set():
            first = min(due, key=due.__getitem__)
            if self._stop.wait(max(0.0, due[first] - time.monotonic())):
                return
            service = services[first]
            self._once(service)
            due[first] = time.monotonic() + service.every

    def _once(self, service: Service) -> None:
        try:
            service.run_once(self._store, self._clock())
        except StoreUnavailable as error:
            logger.warning("The %s could not be done, and is tried again: %s", service.name, error)
        except Exception:
            logger.exception("The %s failed, and is tried again.", service.name)
