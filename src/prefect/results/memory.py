"""Results that were kept, held in memory too while there is room."""

from __future__ import annotations

import threading
from collections import OrderedDict

from prefect.schemas.results import ResultRecord
from prefect.types import fork_safe

__all__ = ["ResultMemory"]


class ResultMemory:
    """The last results that were written or read, by their keys. Threads may share it.

    Args:
        size: How many; the one that was not used for longest makes room.
    """

    __slots__ = ("_lock", "_records", "size")

    def __init__(self, size: int = 1000) -> None:
        self.size = size
        self._records: OrderedDict[str, ResultRecord] = OrderedDict()
        self._lock = fork_safe(threading.Lock())

    def get(self, key: str) -> ResultRecord | None:
        """Return the result of that key, if it is here."""
        with self._lock:
            record = self._records.get(key)
            if record is not None:
                self._records.move_to_end(key)
            return record

    def put(self, key: str, record: ResultRecord) -> None:
        """Hold a result."""
        with self._lock:
            self._records[key] = record
            self._records.move_to_end(key)
            if len(self._records) > self.size:
                self._records.popitem(last=False)

    def __len__(self) -> int:
        return len(self._records)

    def __reduce__(self) -> tuple[type[ResultMemory], tuple[int]]:
        """Travel to another process empty: what is held here is on disk too."""
        return type(self), (self.size,)
