"""Snapshots: the plain facts of a run that `prefect.runtime` answers from, and that travel with work.

A snapshot is made once when a run (or an attempt of it) starts, so that a read never asks anybody. It holds
no live objects and no secrets; the flow's parameters are a reference in the process of the run, and are left
out of what travels when they are large.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from prefect.schemas.base import Schema

__all__ = ["DeploymentSnapshot", "FlowRunSnapshot", "TaskRunSnapshot"]


class DeploymentSnapshot(Schema):
    """The facts of the deployment that a run belongs to: its own, or the nearest up the chain of parents."""

    id: str
    name: str | None = None
    version: str | None = None
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    tags: list[str] = msgspec.field(default_factory=list)


class FlowRunSnapshot(Schema, weakref=True):
    """The facts of a flow run."""

    id: str
    name: str | None = None
    tags: list[str] = msgspec.field(default_factory=list)
    scheduled_start_time: datetime | None = None
    flow_name: str | None = None
    flow_version: str | None = None
    parameters: dict[str, Any] | None = None
    parent_flow_run_id: str | None = None
    parent_deployment_id: str | None = None
    root_flow_run_id: str | None = None
    run_count: int = 0
    job_variables: dict[str, Any] | None = None
    start_time: datetime | None = None
    state_name: str | None = None
    max_retries: int = 0
    work_pool_name: str | None = None
    work_queue_name: str | None = None
    deployment: DeploymentSnapshot | None = None
    log_prints: bool | None = None
    """Whether tasks log their prints, unless they say otherwise."""
    persist_result: bool | None = None
    """Whether tasks keep their results, unless they say otherwise."""
    left_out: tuple[str, ...] = ()
    """Names of fields that were too large to travel, or not to be shown: looked up when they are read."""


class TaskRunSnapshot(Schema, weakref=True):
    """The facts of a task run."""

    id: str
    name: str | None = None
    tags: list[str] = msgspec.field(default_factory=list)
    task_name: str | None = None
    run_count: int = 0
    parameters: dict[str, Any] | None = None
    flow_run_id: str | None = None
    start_time: datetime | None = None
    retries: int = 0
    log_prints: bool | None = None
