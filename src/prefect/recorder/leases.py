"""The leases of this process on the flow runs that it runs."""

from __future__ import annotations

from time import monotonic
from uuid import UUID

from prefect.recorder.sink import Sink

__all__ = ["Leases"]

RENEW = 15.0
"""Seconds from one renewal to the next."""


class Leases:
    """Which runs are held, and when the leases are to be renewed.

    Each change of the sets is one atomic step, so any thread may take and drop leases while another renews.

    Args:
        sink: Where leases are written.
    """

    __slots__ = ("_held", "_sink", "_wanted", "due_at")

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._held: set[UUID] = set()
        self._wanted: set[UUID] = set()
        """Those of them that could not be written yet."""
        self.due_at = monotonic() + RENEW
        """When to renew, on the monotonic clock."""

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._held)

    def __contains__(self, flow_run_id: UUID) -> bool:
        return flow_run_id in self._held

    def add(self, flow_run_id: UUID) -> None:
        """Want a lease; `take` writes it."""
        if not self._held:
            self.due_at = monotonic() + RENEW
        self._held.add(flow_run_id)
        self._wanted.add(flow_run_id)

    def drop(self, flow_run_id: UUID) -> None:
        """Want a lease no more."""
        self._held.discard(flow_run_id)
        self._wanted.discard(flow_run_id)

    def take(self) -> None:
        """Write the leases that are wanted."""
        for flow_run_id in tuple(self._wanted):
            self._sink.hold(flow_run_id)
            self._wanted.discard(flow_run_id)

    def renew(self) -> None:
        """Put off the end of all leases, and write those that could not be written before."""
        self.due_at = monotonic() + RENEW
        self.take()
        self._sink.renew(tuple(self._held))
