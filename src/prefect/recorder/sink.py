"""Where a recorder writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from prefect.client.local import LocalClient
from prefect.operations import (
    create_logs,
    current_holder,
    hold_flow_run,
    record_task_runs,
    release_flow_run,
    renew_leases,
)
from prefect.operations.flow_runs import LEASE
from prefect.schemas.objects import Log, TaskRunRecord
from prefect.store import Store
from prefect.types import now

__all__ = ["Sink", "StoreSink"]


class Sink(Protocol):
    """What a recorder writes to. Every method may be called by several threads, and does all or nothing."""

    @property
    def name(self) -> str:
        """What messages call it; no secrets."""

    @property
    def has_leases(self) -> bool:
        """Whether `hold` and `release` write something."""

    @property
    def delay(self) -> float:
        """Seconds that records wait for others to be written with them, at most."""

    @property
    def patience(self) -> float:
        """Seconds that a run which was only submitted may wait for what becomes of it; 0 for none."""

    def record_task_runs(self, records: Sequence[TaskRunRecord]) -> None:
        """Write task runs, new or again."""

    def create_logs(self, logs: Sequence[Log]) -> None:
        """Write logs; one that is there already stays as it is."""

    def keep(self, items: Sequence[TaskRunRecord | Log]) -> str | None:
        """Keep what cannot be written before the process ends; return where it is, None if nowhere."""

    def finish(self) -> None:
        """End connections: the process ends, or the sink is no longer used."""

    def forget(self) -> None:
        """Begin anew, as in a forked child."""

    def hold(self, flow_run_id: UUID) -> None:
        """Take the lease on a flow run for this process."""

    def renew(self, flow_run_ids: Sequence[UUID]) -> None:
        """Put off the end of leases."""

    def release(self, flow_run_id: UUID) -> None:
        """Give a lease back."""


class StoreSink:
    """A sink that writes to a store from this process.

    Args:
        store: The store. It is opened by the first write, not before.
    """

    __slots__ = ("_client",)

    delay = 0.1
    patience = 2.0
    has_leases = True

    def __init__(self, store: Store) -> None:
        self._client = LocalClient(store)

    @property
    def name(self) -> str:
        """The store's URL, without user and password."""
        scheme, separator, rest = self._client.store.url.partition("://")
        return f"{scheme}{separator}{rest.rpartition('@')[2]}"

    def record_task_runs(self, records: Sequence[TaskRunRecord]) -> None:
        """Write task runs, new or again."""
        self._client.call(record_task_runs, records)

    def create_logs(self, logs: Sequence[Log]) -> None:
        """Write logs; one that is there already stays as it is."""
        self._client.call(create_logs, logs)

    def keep(self, items: Sequence[TaskRunRecord | Log]) -> str | None:
        """Keep nothing: where the store cannot be written, the disk beside it mostly cannot either."""
        return None

    def finish(self) -> None:
        """Leave the store open: others use it too."""

    def forget(self) -> None:
        """Do nothing: a store knows of forks."""

    def hold(self, flow_run_id: UUID) -> None:
        """Take the lease on a flow run for this process."""
        self._client.call(hold_flow_run, flow_run_id, current_holder(), now() + LEASE)

    def renew(self, flow_run_ids: Sequence[UUID]) -> None:
        """Put off the end of leases."""
        self._client.call(renew_leases, flow_run_ids, now() + LEASE)

    def release(self, flow_run_id: UUID) -> None:
        """Give a lease back."""
        self._client.call(release_flow_run, flow_run_id)
