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

logger = logging.getLogger("prefect.server.services")


class ServiceThread:
    """Runs services over a store until it is closed; a service that fails is tried again when it is due.

    Args:
        store: The store.
        services: What is done.
        clock: Gives the current time.
    """

    def __init__(
        self, store: Store, services: Sequence[Service], clock: Callable[[], datetime] = now
    ) -> None:
        self._store = store
        self._clock = clock
        self._stop = threading.Event()
        # The settings that apply where the server is made apply here too.
        together = [each for each in services if not each.waits]
        self._threads = [
            threading.Thread(
                target=copy_context().run, args=(self._run, some), name="prefect-services", daemon=True
            )
            for some in (together, *([each] for each in services if each.waits))
            if some
        ]

    def __enter__(self) -> ServiceThread:
        for thread in self._threads:
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
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

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
