"""The client's methods for what is sent to flow runs."""

from __future__ import annotations

from uuid import UUID

from prefect.client.orchestration.base import Group
from prefect.operations.flow_run_inputs import (
    create_flow_run_input,
    delete_flow_run_input,
    filter_flow_run_inputs,
    read_flow_run_input,
)
from prefect.schemas.base import encode_json
from prefect.schemas.inputs import FlowRunInput

__all__ = ["FlowRunInputMethods"]


class FlowRunInputMethods(Group):
    """Sends things to flow runs, and reads and deletes what was sent."""

    def create_flow_run_input(
        self, flow_run_id: UUID, key: str, value: str, sender: str | None = None
    ) -> None:
        """Send something to a flow run.

        Args:
            flow_run_id: The run.
            key: What it is called there.
            value: JSON.
            sender: Who sends it, as `prefect.flow-run.<id>`.

        Raises:
            prefect.exceptions.ObjectAlreadyExists: The run has something of that key.
        """
        self._call(create_flow_run_input, flow_run_id, key=key, value=value, sender=sender)

    def filter_flow_run_input(
        self, flow_run_id: UUID, key_prefix: str, limit: int, exclude_keys: set[str]
    ) -> list[FlowRunInput]:
        """Return what was sent to a flow run, oldest first.

        Args:
            flow_run_id: The run.
            key_prefix: What the keys start with.
            limit: At most so many.
            exclude_keys: Not those of these keys.
        """
        return self._call(
            filter_flow_run_inputs,
            flow_run_id,
            prefix=key_prefix,
            limit=limit,
            exclude_keys=sorted(exclude_keys),
        )

    def read_flow_run_input(self, flow_run_id: UUID, key: str) -> str:
        """Return what was sent to a flow run under a key, as JSON.

        Raises:
            prefect.exceptions.ObjectNotFound: Nothing was.
        """
        return encode_json(self._call(read_flow_run_input, flow_run_id, key)).decode()

    def delete_flow_run_input(self, flow_run_id: UUID, key: str) -> None:
        """Delete what was sent to a flow run under a key.

        Raises:
            prefect.exceptions.ObjectNotFound: Nothing was.
        """
        self._call(delete_flow_run_input, flow_run_id, key)
