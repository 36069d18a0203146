"""Which runs had begun on a worker that was lost: those alone count as an attempt."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import TYPE_CHECKING, Any

from prefect.logging.loggers import get_logger
from prefect.task_runners.dask.sent import Sent, id_of

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["TOGETHER", "Losses", "Patience"]

TOGETHER = 0.1
"""Seconds in which all is heard that was lost with a worker."""
_PATIENCE = 60.0
"""Seconds that runs wait for a worker, where none is to come by itself."""


class Losses:
    """The workers of a cluster that were lost."""

    def __init__(self) -> None:
        self._begun: dict[str, set[bytes]] = {}
        self._heard: dict[str, list[tuple[Sent, Any]]] = {}

    def add(self, sent: Sent, worker: Any) -> bool:
        """Note a run that was lost; of the others with it is heard a little later, in any order.

        Args:
            sent: The run.
            worker: The worker, as Dask tells of it.

        Returns:
            Whether it is the first of that worker.
        """
        heard = self._heard.setdefault(worker.address, [])
        heard.append((sent, worker))
        return len(heard) == 1

    def take(self, address: str) -> list[tuple[Sent, Any]]:
        """Return what was noted of a worker, in the order in which that took it."""
        return sorted(self._heard.pop(address, []), key=_order)

    def had_begun(self, sent: Sent, worker: Any, others: Iterable[Sent]) -> bool:
        """Say whether a run that was lost with a worker had begun there.

        A task may end its worker before that can say that it has begun. Workers take what they are given in
        order: as many as they have threads were under way, less those that are known to have been. The others
        waited there.

        Args:
            sent: The run.
            worker: The worker, as Dask tells of it.
            others: What is on the cluster, this run included.
        """
        address = worker.address
        if address not in self._begun:
            self._begun[address] = {
                id_of(one.run) for one in others if one.has_begun and one.place == address
            }
        begun = self._begun[address]
        if not sent.has_begun and len(begun) >= worker.nthreads:
            return False
        begun.add(id_of(sent.run))
        return True


def _order(lost: tuple[Sent, Any]) -> tuple[float, int]:
    priority = lost[0].annotations.get("priority", 0)
    return -priority if isinstance(priority, int | float) else 0, lost[0].number


class Patience:
    """For clusters without workers: Dask itself would wait for ever.

    Args:
        is_fixed: Whether no worker will come by itself.
    """

    def __init__(self, *, is_fixed: bool) -> None:
        self._is_fixed = is_fixed
        self._since: float | None = None

    def look(self, client: Client, waiting: int) -> str | None:
        """Look whether there is a worker for what waits for one; warn if not.

        Args:
            client: Of the cluster.
            waiting: How many runs wait.

        Returns:
            Why there is nothing to wait for any more, if so.
        """
        if not waiting or client.status != "running" or client.nthreads():
            self._since = None
        elif self._since is None:
            self._since = monotonic()
            get_logger("task_runners.dask").warning(
                "The Dask cluster has no workers: %s task run(s) wait for one.", waiting
            )
        elif self._is_fixed and monotonic() - self._since >= _PATIENCE:
            return f"The Dask cluster has had no workers for {_PATIENCE:g} seconds."
        return None
