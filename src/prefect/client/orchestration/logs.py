"""The client's methods for logs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from prefect.client.orchestration.base import Group
from prefect.operations.logs import create_logs, read_logs
from prefect.schemas.actions import LogCreate
from prefect.schemas.base import whole
from prefect.schemas.filters import LogFilter
from prefect.schemas.objects import Log
from prefect.schemas.queries import LogQuery
from prefect.schemas.sorting import LogSort

__all__ = ["LogMethods"]


class LogMethods(Group):
    """Writes and reads logs."""

    def create_logs(self, logs: Iterable[LogCreate | dict[str, Any]]) -> None:
        """Write log records.

        Args:
            logs: The records.
        """
        made = [msgspec.convert(log, whole(Log), strict=False, from_attributes=True) for log in logs]
        self._call(create_logs, made)

    def read_logs(
        self,
        log_filter: LogFilter | None = None,
        limit: int | None = None,
        offset: int | None = None,
        sort: LogSort | None = None,
    ) -> list[Log]:
        """Return log records.

        Args:
            log_filter: Which ones.
            limit: At most so many; None: 200.
            offset: Leave out so many of the first.
            sort: Their order; None: the earliest first.
        """
        query = LogQuery(logs=log_filter, limit=limit, offset=offset or 0, sort=sort or LogSort.TIMESTAMP_ASC)
        return self._call(read_logs, query)
