"""Renews the leases that hold slots of limits, for as long as this process needs them.

One thread renews all of them. It is started with the first lease and ends when there are none; a lease whose
process dies is not renewed, and its slots come back.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic
from uuid import UUID

from prefect.client.base import Caller
from prefect.exceptions import LeaseLost, PrefectException
from prefect.operations.concurrency import renew_lease
from prefect.types import call_in_forked_child

__all__ = ["SlotLease", "SlotLeases", "slot_leases"]

_log = logging.getLogger("prefect.concurrency")

_RENEWALS = 3
"""How often a lease is renewed in the time that it lasts: one request may fail and the next be in time."""


class SlotLease:
    """A lease that this process holds.

    Args:
        caller: Where it is kept.
        lease_id: The lease.
        seconds: How long it lasts, unless it is renewed.
        names: The limits, for messages.
    """

    __slots__ = ("caller", "due_at", "ends_at", "is_lost", "lease_id", "names", "seconds")

    def __init__(self, caller: Caller, lease_id: UUID, seconds: float, names: list[str]) -> None:
        self.caller = caller
        self.lease_id = lease_id
        self.seconds = seconds
        self.names = names
        self.is_lost = False
        """Whether its slots may be somebody else's by now."""
        self._extend()

    def renew(self) -> bool:
        """Put off its end, and return whether it is still held."""
        try:
            self.caller.call(renew_lease, self.lease_id, self.seconds)
        except LeaseLost as error:
            return self._lose(error)
        except PrefectException as error:
            if monotonic() >= self.ends_at:
                return self._lose(error)
            self.due_at = monotonic() + self.seconds / (_RENEWALS * 4)
            return True
        self._extend()
        return True

    def _extend(self) -> None:
        self.ends_at = monotonic() + self.seconds
        self.due_at = monotonic() + self.seconds / _RENEWALS

    def _lose(self, error: PrefectException) -> bool:
        self.is_lost = True
        names = ", ".join(map(repr, self.names))
        _log.error("Slots of %s are held no more, and others may take them: %s", names, error)
        return False


class SlotLeases:
    """The leases that are to be renewed. Safe to use from several threads."""

    __slots__ = ("_changed", "_held", "_thread", "_wait")

    def __init__(self, wait: Callable[[threading.Condition, float], object] | None = None) -> None:
        self._changed = threading.Condition()
        self._held: dict[UUID, SlotLease] = {}
        self._thread: threading.Thread | None = None
        self._wait = wait or threading.Condition.wait

    def keep(self, lease: SlotLease) -> None:
        """Renew a lease from now on."""
        with self._changed:
            self._held[lease.lease_id] = lease
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="prefect-slot-leases", daemon=True)
                self._thread.start()
            self._changed.notify()

    def drop(self, lease: SlotLease) -> None:
        """Renew a lease no more."""
        with self._changed:
            self._held.pop(lease.lease_id, None)
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._held:
                    self._thread = None
                    return
                due = min(lease.due_at for lease in self._held.values())
                seconds = due - monotonic()
                if seconds > 0:
                    self._wait(self._changed, seconds)
                    continue
                ready = [lease for lease in self._held.values() if lease.due_at <= monotonic()]
            for lease in ready:
                if not lease.renew():
                    self.drop(lease)


slot_leases = SlotLeases()
"""Those of this process."""


def _forget() -> None:
    slot_leases.__init__()  # type: ignore[misc]  # a forked child holds none of them, and has no thread


call_in_forked_child(_forget)
