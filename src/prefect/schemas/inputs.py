"""Inputs of flow runs: what is sent to a run while it is under way, or paused."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from prefect.schemas.base import Schema
from prefect.types import uuid7

__all__ = ["FlowRunInput"]


class FlowRunInput(Schema):
    """Something that was sent to a flow run."""

    flow_run_id: UUID
    key: str
    value: str
    """JSON."""
    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None
    sender: str | None = None
    """Who sent it, as `prefect.flow-run.<id>`."""
