"""What operations answer when it is more than the object itself."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from prefect.schemas.base import FrozenSchema, Schema
from prefect.schemas.states import State

__all__ = [
    "FlowRunBulkSetStateResponse",
    "FlowRunOrchestrationResult",
    "OrchestrationResult",
    "Paginated",
    "SetStateStatus",
    "StateAbortDetails",
    "StateAcceptDetails",
    "StateRejectDetails",
    "StateWaitDetails",
    "TextFile",
]


T = TypeVar("T")


class Paginated(Schema, Generic[T]):
    """One page of what a query finds."""

    results: list[T]
    count: int
    """How many there are on all pages."""
    limit: int
    """How many are on a page, at most."""
    pages: int
    page: int
    """Which page this is; 1 is the first."""


class SetStateStatus(StrEnum):
    """What became of a proposed state."""

    ACCEPT = "ACCEPT"
    """It is the run's state now."""
    REJECT = "REJECT"
    """Another state was put in its place, or the run keeps the one it has."""
    ABORT = "ABORT"
    """Refused for good: the run must stop without touching its state."""
    WAIT = "WAIT"
    """Not yet: propose it again later."""


class StateAcceptDetails(FrozenSchema, tag_field="type", tag="accept_details", frozen=True):
    """Goes with ACCEPT."""


class StateRejectDetails(FrozenSchema, tag_field="type", tag="reject_details", frozen=True):
    """Goes with REJECT."""

    reason: str | None = None


class StateAbortDetails(FrozenSchema, tag_field="type", tag="abort_details", frozen=True):
    """Goes with ABORT."""

    reason: str | None = None


class StateWaitDetails(FrozenSchema, tag_field="type", tag="wait_details", frozen=True):
    """Goes with WAIT."""

    delay_seconds: int
    reason: str | None = None


class OrchestrationResult(Schema):
    """The answer to a proposed state."""

    state: State[Any] | None
    """The state that the run has now; None where the run has none."""
    status: SetStateStatus
    details: StateAcceptDetails | StateWaitDetails | StateRejectDetails | StateAbortDetails


class FlowRunOrchestrationResult(OrchestrationResult, kw_only=True):
    """The answer to a state that was proposed for one of several flow runs."""

    flow_run_id: UUID


class FlowRunBulkSetStateResponse(Schema):
    """The answers to a state that was proposed for several flow runs."""

    results: list[FlowRunOrchestrationResult]


class TextFile(NamedTuple):
    """An answer that is a file, made as it is sent."""

    media_type: str
    disposition: str
    """What it is to be called, as the header `Content-Disposition` says it."""
    parts: Iterator[str]
