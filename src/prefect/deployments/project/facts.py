"""What is asked and told of a flow that is to be deployed."""

from __future__ import annotations

from typing import Any

import msgspec

from prefect.schemas.base import Schema

__all__ = ["FlowFacts", "Looked", "Request"]


class FlowFacts(Schema):
    """A flow, as its deployments need it."""

    name: str
    description: str | None = None
    version: str | None = None
    tags: list[str] = msgspec.field(default_factory=list)
    parameter_schema: dict[str, Any] = msgspec.field(default_factory=dict)


class Request(Schema):
    """Where a flow is."""

    entrypoint: str
    steps: list[dict[str, Any]] | None = None
    """How workers get the code; None: it is here, or at `path`."""
    path: str | None = None
    """The folder that the entrypoint counts from; None: where we are."""


class Looked(Schema):
    """What was found out."""

    facts: FlowFacts | None = None
    problem: str | None = None
    """Why there are no facts."""
    is_missing_module: bool = False
    """Whether that is because the script needs a module that is not installed here."""
    notes: list[str] = msgspec.field(default_factory=list)
    """What was not looked at, or read in another way."""
