"""Which runs had begun on a worker that was lost: those alone count as an attempt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prefect.task_runners.dask.sent import Sent, id_of

__all__ = ["Losses"]


class Losses:
    """The workers of a cluster that were lost."""

    def __init__(self) -> None:
        self._begun: dict[str, set[bytes]] = {}

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
